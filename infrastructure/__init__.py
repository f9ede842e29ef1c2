"""Databases, keys, clocks: what the domain needs from outside."""
