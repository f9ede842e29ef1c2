"""What a force must have in force before any face is looked at."""
