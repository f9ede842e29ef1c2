"""Who may ask: the tokens of the server."""
