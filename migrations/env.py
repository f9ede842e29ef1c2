"""Runs the migrations on the database that the caller connected to (``infrastructure/record``)."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
