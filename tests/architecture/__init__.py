"""Stored names, imports, samples and the repository itself are as promised."""
