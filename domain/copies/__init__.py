"""Copies of watchlists outside the vault: each registered, destroyed and looked for again."""
