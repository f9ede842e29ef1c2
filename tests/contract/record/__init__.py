"""The record keeps its promises, on every store."""
