"""The demo: its photographs, its video and its watchlist."""
