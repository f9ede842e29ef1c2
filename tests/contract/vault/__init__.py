"""What every vault promises, and what ours promises on disk."""
