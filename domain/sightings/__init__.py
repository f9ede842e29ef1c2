"""What became of every face a camera saw, and the sums that must balance."""
