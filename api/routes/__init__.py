"""The parts of the API: one file for each resource."""
