"""Looking at the stores with eyes of one's own: the re-checker, and what it signs with."""
