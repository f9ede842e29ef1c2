"""Searching for what a canary run must not have left behind, from another process."""
