"""The demo: library photographs made into a walk-past, played as if it were a camera."""
