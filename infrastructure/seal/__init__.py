"""Sealing: signed checkpoints of the log."""
