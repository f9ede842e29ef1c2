"""Figures, never verdicts: each a ratio against a bare baseline or a peer in the same run."""
