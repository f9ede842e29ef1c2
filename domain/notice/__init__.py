"""What the public is told of one deployment before it, and finds at the place."""
