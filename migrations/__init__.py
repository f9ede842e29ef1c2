"""Alembic migrations: every table of the record."""
