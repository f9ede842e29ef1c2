"""What every context is made of: events, commands, refusals, references, time."""
