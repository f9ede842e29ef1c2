"""Read models: their rows, their positions, and which of their generations answers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_HEX = sa.String(32)
_TIME = sa.String(24)
_WHOLE = sa.BigInteger


def upgrade() -> None:
    """Make the tables. On PostgreSQL whoever appends may also write and remove rows here."""
    op.create_table(
        "projection_positions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("position", _WHOLE, nullable=False),
        sa.Column("shape", sa.Integer, nullable=False),
        sa.Column("serving", sa.Boolean, nullable=False),
        sa.Column("failed_at", _WHOLE),
        sa.Column("failure", sa.Text),
    )
    op.create_index(
        "projection_positions_one_serves",
        "projection_positions",
        ["name"],
        unique=True,
        sqlite_where=sa.text("serving"),
        postgresql_where=sa.text("serving"),
    )
    op.create_table(
        "projection_alert_deployments",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("deployment", _HEX, primary_key=True),
    )
    op.create_table(
        "projection_alerts",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("alert", _HEX, primary_key=True),
        sa.Column("deployment", _HEX, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("run", _HEX, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("watchlist", _HEX, nullable=False),
        sa.Column("entry", _HEX, nullable=False),
        sa.Column("threshold", sa.Text, nullable=False),
        sa.Column("raised_at", _TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decision", sa.Text),
        sa.Column("decided_at", _TIME),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("raised_position", _WHOLE, nullable=False),
        sa.Column("newest_position", _WHOLE, nullable=False),
    )
    op.create_index(
        "projection_alerts_by_deployment_raised_position",
        "projection_alerts",
        ["generation", "deployment", "raised_position"],
    )
    op.create_table(
        "projection_alert_changes",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("position", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("deployment", _HEX, nullable=False),
        sa.Column("alert", _HEX, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("occurred_at", _TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decision", sa.Text),
        sa.Column("decided_at", _TIME),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "projection_alert_changes_by_deployment_position",
        "projection_alert_changes",
        ["generation", "deployment", "position"],
    )
    op.create_table(
        "projection_items",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("item", _HEX, primary_key=True),
        sa.Column("item_class", sa.Text, nullable=False),
        sa.Column("deployment", _HEX, nullable=False),
        sa.Column("concerning", _HEX, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("registered_at", _TIME, nullable=False),
        sa.Column("sealed_at", _TIME),
        sa.Column("destruction_started_at", _TIME),
        sa.Column("destroyed_at", _TIME),
        sa.Column("cause", sa.Text),
        sa.Column("consultations", sa.Integer, nullable=False),
        sa.Column("registered_position", _WHOLE, nullable=False),
        sa.Column("newest_position", _WHOLE, nullable=False),
    )
    op.create_index(
        "projection_items_by_deployment_registered_position",
        "projection_items",
        ["generation", "deployment", "registered_position"],
    )
    op.create_index(
        "projection_items_by_due_at",
        "projection_items",
        ["generation", "due_at"],
        sqlite_where=sa.text("destroyed_at IS NULL"),
        postgresql_where=sa.text("destroyed_at IS NULL"),
    )
    op.create_table(
        "projection_deployment_history",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("deployment", _HEX, primary_key=True),
        sa.Column("position", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("occurred_at", _TIME, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("stream", _HEX, nullable=False),
        sa.Column("item", _HEX),
        sa.Column("concerning", _HEX),
    )
    op.create_index(
        "projection_deployment_history_by_concerning",
        "projection_deployment_history",
        ["generation", "concerning"],
        sqlite_where=sa.text("concerning IS NOT NULL"),
        postgresql_where=sa.text("concerning IS NOT NULL"),
    )
    op.create_index(
        "projection_deployment_history_by_item",
        "projection_deployment_history",
        ["generation", "item"],
        sqlite_where=sa.text("item IS NOT NULL"),
        postgresql_where=sa.text("item IS NOT NULL"),
    )
    op.create_table(
        "projection_runs",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("run", _HEX, primary_key=True),
        sa.Column("deployment", _HEX, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("stopped_at", _TIME),
        sa.Column("reconciliation", sa.Text, nullable=False),
        sa.Column("first_position", _WHOLE, nullable=False),
    )
    op.create_index(
        "projection_runs_by_deployment_first_position",
        "projection_runs",
        ["generation", "deployment", "first_position"],
    )
    op.create_table(
        "projection_run_cameras",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("run", _HEX, primary_key=True),
        sa.Column("camera", sa.Text, primary_key=True),
        sa.Column("frames", _WHOLE, nullable=False),
        sa.Column("seen", _WHOLE, nullable=False),
        sa.Column("not_enrolled", _WHOLE, nullable=False),
        sa.Column("enrolled_and_discarded", _WHOLE, nullable=False),
        sa.Column("alerted", _WHOLE, nullable=False),
        sa.Column("suppressed", _WHOLE, nullable=False),
        sa.Column("refused", _WHOLE, nullable=False),
        sa.Column("interrupted", _WHOLE, nullable=False),
        sa.Column("source_failures", _WHOLE, nullable=False),
        sa.Column("not_enrolled_for", sa.JSON, nullable=False),
        sa.Column("max_template_life_ms", _WHOLE, nullable=False),
    )
    op.create_table(
        "projection_watchlists",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("watchlist", _HEX, primary_key=True),
        sa.Column("deployment", _HEX, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("categories", sa.JSON, nullable=False),
        sa.Column("accepted_values", sa.Text, nullable=False),
        sa.Column("model_digest", sa.Text),
        sa.Column("proposed_at", _TIME, nullable=False),
        sa.Column("sealed_at", _TIME),
        sa.Column("approved_at", _TIME),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first_position", _WHOLE, nullable=False),
        sa.Column("newest_position", _WHOLE, nullable=False),
    )
    op.create_index(
        "projection_watchlists_by_deployment_first_position",
        "projection_watchlists",
        ["generation", "deployment", "first_position"],
    )
    op.create_table(
        "projection_watchlist_entries",
        sa.Column("generation", _WHOLE, primary_key=True, autoincrement=False),
        sa.Column("watchlist", _HEX, primary_key=True),
        sa.Column("entry", _HEX, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("source_system", sa.Text, nullable=False),
        sa.Column("image_basis", sa.Text, nullable=False),
        sa.Column("necessity", sa.Text, nullable=False),
        sa.Column("attempted_means", sa.Text, nullable=False),
        sa.Column("attempted_on", sa.Text, nullable=False),
        sa.Column("attempted_result", sa.Text, nullable=False),
        sa.Column("nexus", sa.Text, nullable=False),
        sa.Column("age_band", sa.Text, nullable=False),
        sa.Column("vulnerable", sa.Boolean, nullable=False),
        sa.Column("response_code", sa.Text, nullable=False),
        sa.Column("proposed_at", _TIME, nullable=False),
        sa.Column("judged_at", _TIME),
    )
