"""The record: entries, the log's head, the heads of the scopes, and what keeps them append-only."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    # `state` is the entry: the one stored BLOB. Every other column is an index over it, and
    # `plumbline verify` compares them. The names originator_id, originator_version, topic,
    # state and rowid are those that the eventsourcing library reads.
    """
    CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT,
        position INTEGER NOT NULL UNIQUE,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        scope TEXT NOT NULL,
        scope_pos INTEGER NOT NULL,
        leaf BLOB NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version),
        UNIQUE (scope, scope_pos)
    )
    """,
    """
    CREATE TABLE log_head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        origin TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('operational', 'rehearsal')),
        size INTEGER NOT NULL,
        frontier BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE scope_head (
        scope TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        leaf TEXT NOT NULL
    )
    """,
)

_APPEND_ONLY = (
    """
    CREATE TRIGGER stored_events_no_update BEFORE UPDATE ON stored_events
    BEGIN SELECT RAISE(ABORT, 'the record is append-only (UPDATE refused)'); END
    """,
    """
    CREATE TRIGGER stored_events_no_delete BEFORE DELETE ON stored_events
    BEGIN SELECT RAISE(ABORT, 'the record is append-only (DELETE refused)'); END
    """,
    # INSERT OR REPLACE deletes without asking a delete trigger, so a row may only be
    # inserted where none of its keys stands, and only at the end.
    """
    CREATE TRIGGER stored_events_no_replace BEFORE INSERT ON stored_events
    WHEN NEW.position <> (SELECT COALESCE(MAX(position) + 1, 0) FROM stored_events)
      OR NEW.rowid <> NEW.position + 1
      OR EXISTS (SELECT 1 FROM stored_events WHERE originator_id = NEW.originator_id
                 AND originator_version = NEW.originator_version)
      OR EXISTS (SELECT 1 FROM stored_events WHERE scope = NEW.scope
                 AND scope_pos = NEW.scope_pos)
    BEGIN SELECT RAISE(ABORT, 'the record is append-only (only a new entry at the end)'); END
    """,
    """
    CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head
    WHEN NEW.size < OLD.size OR NEW.origin <> OLD.origin OR NEW.mode <> OLD.mode
    BEGIN SELECT RAISE(ABORT, 'the log only grows'); END
    """,
    # Here too INSERT OR REPLACE would delete without asking; there is one head, made once.
    """
    CREATE TRIGGER log_head_no_replace BEFORE INSERT ON log_head
    WHEN EXISTS (SELECT 1 FROM log_head)
    BEGIN SELECT RAISE(ABORT, 'the log only grows'); END
    """,
    """
    CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
    BEGIN SELECT RAISE(ABORT, 'the log only grows'); END
    """,
    """
    CREATE TRIGGER scope_head_only_grows BEFORE UPDATE ON scope_head
    WHEN NEW.size < OLD.size OR NEW.scope <> OLD.scope
    BEGIN SELECT RAISE(ABORT, 'a scope only grows'); END
    """,
    """
    CREATE TRIGGER scope_head_no_replace BEFORE INSERT ON scope_head
    WHEN EXISTS (SELECT 1 FROM scope_head WHERE scope = NEW.scope AND size > NEW.size)
    BEGIN SELECT RAISE(ABORT, 'a scope only grows'); END
    """,
    """
    CREATE TRIGGER scope_head_no_delete BEFORE DELETE ON scope_head
    BEGIN SELECT RAISE(ABORT, 'a scope only grows'); END
    """,
)


def upgrade() -> None:
    """Make the record's tables and the triggers that refuse to change what is stored."""
    for statement in _TABLES + _APPEND_ONLY:
        op.execute(statement)
