"""Proofs over the record: pure functions that need the standard library and cryptography only."""
