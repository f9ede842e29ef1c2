"""Faces that nobody has go through a whole run, and are looked for everywhere afterwards."""
