"""Arrests after a possible match: what becomes of the material is decided, and recorded."""
