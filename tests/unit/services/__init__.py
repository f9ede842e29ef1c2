"""What a command does to several aggregates and the vault together."""
