"""What the system means. Imports no database, web or vision library."""
