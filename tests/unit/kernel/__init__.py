"""What every context is made of."""
