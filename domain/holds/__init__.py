"""Holds: who may keep footage past its limit, on which ground, and until when."""
