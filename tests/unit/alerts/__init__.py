"""When a possible match is raised, looked at and decided."""
