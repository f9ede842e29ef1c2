"""A whole deployment played by stand-ins, on anybody's watchlist and video."""
