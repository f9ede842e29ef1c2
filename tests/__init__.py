"""What is promised, and whether it holds."""
