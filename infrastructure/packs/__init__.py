"""Evidence packs: one deployment's history, to be checked by anyone."""
