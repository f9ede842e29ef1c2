"""``./run soak``: long campaigns that a test run has no time for."""
