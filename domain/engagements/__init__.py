"""What officers do after a viable possible match: who was spoken to, and what came of it."""
