"""What the log says of itself: its keys, and the heads of its scopes."""
