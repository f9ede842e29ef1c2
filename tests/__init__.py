"""Tests whose names a sergeant could check."""
