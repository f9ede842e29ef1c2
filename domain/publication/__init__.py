"""Publishing the record of a deployment, and correcting what was published."""
