"""Who may be on a watchlist, and who says so."""
