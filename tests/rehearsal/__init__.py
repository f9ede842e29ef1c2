"""Whole rehearsals: real faces, real video, real stores, real kills."""
