"""The record: entries, the log's head, the heads of the scopes, and what keeps them append-only."""

from alembic import op

revision = "0001"
down_revision = None

_SQLITE_TABLES = (
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

_SQLITE_APPEND_ONLY = (
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


_POSTGRES_TABLES = (
    # position is the log's place; the names originator_id, originator_version, topic and state
    # are those that the eventsourcing library reads.
    """
    CREATE TABLE stored_events (
        position bigint PRIMARY KEY,
        originator_id uuid NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        scope text NOT NULL,
        scope_pos bigint NOT NULL,
        leaf bytea NOT NULL,
        state bytea NOT NULL,
        UNIQUE (originator_id, originator_version),
        UNIQUE (scope, scope_pos)
    )
    """,
    # Entries are JSON of a few hundred bytes that nothing reads by a part of it: compressing
    # them on the way in costs more than it saves.
    "ALTER TABLE stored_events ALTER COLUMN state SET STORAGE EXTERNAL",
    """
    CREATE TABLE log_head (
        one integer PRIMARY KEY CHECK (one = 1),
        origin text NOT NULL,
        mode text NOT NULL CHECK (mode IN ('operational', 'rehearsal')),
        size bigint NOT NULL,
        frontier bytea NOT NULL
    )
    """,
    """
    CREATE TABLE scope_head (
        scope text PRIMARY KEY,
        size bigint NOT NULL,
        leaf text NOT NULL
    )
    """,
)

# Each function names where it looks: a caller's temporary table of the same name, or an operator
# in a schema of theirs, must not stand in for ours.
_POSTGRES_FUNCTIONS = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only (% refused)', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    # What was added stands right behind the head, without a gap: as many rows as places. Before
    # the head every place is taken, and the head stands nowhere but where the entries end.
    # Asking the index costs a tenth of keeping the added rows for the trigger, as long as it is
    # asked: without statistics the planner would rather read the whole table, or compile for it.
    """
    CREATE FUNCTION only_at_the_end() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET jit = off AS $$
    DECLARE head bigint; last bigint; many bigint;
    BEGIN
        SELECT size INTO head FROM log_head WHERE one = 1;
        SELECT max(position), count(*) INTO last, many FROM stored_events
        WHERE position >= coalesce(head, 0);
        IF many > 0 AND last - coalesce(head, 0) + 1 <> many
           OR EXISTS (SELECT 1 FROM stored_events WHERE position < 0) THEN
            RAISE EXCEPTION 'the record is append-only (only new entries at the end)'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF TG_TABLE_NAME = 'log_head' THEN
            IF NEW.size < OLD.size OR NEW.origin <> OLD.origin OR NEW.mode <> OLD.mode
               OR NEW.one <> OLD.one THEN
                RAISE EXCEPTION 'the log only grows' USING ERRCODE = 'restrict_violation';
            END IF;
            IF NEW.size <> (SELECT coalesce(max(position) + 1, 0) FROM stored_events) THEN
                RAISE EXCEPTION 'the head stands where the entries end'
                    USING ERRCODE = 'restrict_violation';
            END IF;
        ELSIF NEW.size < OLD.size OR NEW.scope <> OLD.scope THEN
            RAISE EXCEPTION 'a scope only grows' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    # The role that appends may only read and insert; this moves the heads in its place.
    """
    CREATE FUNCTION move_heads(
        new_size bigint, new_frontier bytea, scopes text[], sizes bigint[], leaves text[]
    ) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
        UPDATE log_head SET size = new_size, frontier = new_frontier WHERE one = 1;
        INSERT INTO scope_head (scope, size, leaf) SELECT * FROM unnest(scopes, sizes, leaves)
        ON CONFLICT (scope) DO UPDATE SET size = excluded.size, leaf = excluded.leaf;
    $$
    """,
    "REVOKE ALL ON FUNCTION move_heads(bigint, bytea, text[], bigint[], text[]) FROM PUBLIC",
)

_POSTGRES_TRIGGERS = {
    ("stored_events", "no_change"): "BEFORE UPDATE OR DELETE ON stored_events FOR EACH ROW "
    "EXECUTE FUNCTION refuse_change()",
    ("stored_events", "no_truncate"): "BEFORE TRUNCATE ON stored_events FOR EACH STATEMENT "
    "EXECUTE FUNCTION refuse_change()",
    ("stored_events", "at_the_end"): "AFTER INSERT ON stored_events FOR EACH STATEMENT "
    "EXECUTE FUNCTION only_at_the_end()",
    **{
        (table, name): trigger
        for table in ("log_head", "scope_head")
        for name, trigger in {
            "only_grows": f"BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION only_grows()",
            "no_delete": f"BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "no_truncate": f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            "EXECUTE FUNCTION refuse_change()",
        }.items()
    },
}


def upgrade() -> None:
    """Make the record's tables and the triggers that refuse to change what is stored."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE_TABLES + _SQLITE_APPEND_ONLY:
            op.execute(statement)
        return
    for statement in _POSTGRES_TABLES + _POSTGRES_FUNCTIONS:
        op.execute(statement)
    for (table, name), trigger in _POSTGRES_TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {trigger}")
        # ALWAYS: they refuse even a superuser in replica mode, in which others do not fire.
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
