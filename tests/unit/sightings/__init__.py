"""What became of every face, and whether the sums balance."""
