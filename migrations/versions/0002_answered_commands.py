"""Commands that were answered: a repeat gets the first answer, another content is refused."""

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLE = """
    CREATE TABLE answered_commands (
        command {uuid} PRIMARY KEY,
        scope text NOT NULL,
        -- An HMAC of the command's content under a key that can be erased; never a plain digest
        -- of what may hold free text.
        digest {bytes} NOT NULL,
        digest_key text NOT NULL,
        -- The entries that are the answer: the first, and how many.
        position bigint NOT NULL,
        entries bigint NOT NULL
    )
"""

_SQLITE_APPEND_ONLY = tuple(
    f"""
    CREATE TRIGGER answered_commands_no_{what.lower()} BEFORE {what} ON answered_commands
    BEGIN SELECT RAISE(ABORT, 'answers are append-only ({what} refused)'); END
    """
    for what in ("UPDATE", "DELETE")
)

_POSTGRES_APPEND_ONLY = {
    "no_change": "BEFORE UPDATE OR DELETE ON answered_commands FOR EACH ROW",
    "no_truncate": "BEFORE TRUNCATE ON answered_commands FOR EACH STATEMENT",
}


def upgrade() -> None:
    """Make the table; neither database changes or removes what stands in it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_TABLE.format(uuid="text", bytes="blob"))
        for statement in _SQLITE_APPEND_ONLY:
            op.execute(statement)
        return
    op.execute(_TABLE.format(uuid="uuid", bytes="bytea"))
    for name, trigger in _POSTGRES_APPEND_ONLY.items():
        op.execute(f"CREATE TRIGGER {name} {trigger} EXECUTE FUNCTION refuse_change()")
        op.execute(f"ALTER TABLE answered_commands ENABLE ALWAYS TRIGGER {name}")
