"""The rules of the log's own keys."""
