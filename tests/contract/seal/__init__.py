"""The log is sealed, given away and witnessed, on every store."""
