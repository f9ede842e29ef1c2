"""Publishing and correcting a deployment record."""
