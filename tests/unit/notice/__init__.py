"""How the public is told."""
