"""Builds everything from the settings; the only importer of infrastructure."""

from api.bootstrap.access import token_file
from api.bootstrap.canary import Canary, open_canary
from api.bootstrap.custody import (
    Worker,
    at_work,
    open_worker,
    planned,
    rechecked,
    retention_schedules,
)
from api.bootstrap.doctor import examined, mended
from api.bootstrap.node import Node, open_node
from api.bootstrap.reading import (
    deployments_in,
    evidence_in,
    governance_in,
    migrate_premises,
    mode_of,
    named_entries,
    origin_of,
    read_history,
    stored_entries,
    trusted_by,
    verify_premises,
)
from api.bootstrap.registers import ReadModel, follow_record, read_models_at, rebuild_read_models
from api.bootstrap.signed import sealed_log
from api.bootstrap.surroundings import (
    exact_text,
    new_directory,
    now,
    remove_durably,
    settings,
    today,
    typed_path,
    write_whole,
)
from api.bootstrap.witnessing import witness_office, witness_server

__all__ = [
    "Canary",
    "Node",
    "ReadModel",
    "Worker",
    "at_work",
    "deployments_in",
    "evidence_in",
    "exact_text",
    "examined",
    "follow_record",
    "governance_in",
    "mended",
    "migrate_premises",
    "mode_of",
    "named_entries",
    "new_directory",
    "now",
    "open_canary",
    "open_node",
    "open_worker",
    "origin_of",
    "planned",
    "read_history",
    "read_models_at",
    "rebuild_read_models",
    "rechecked",
    "remove_durably",
    "retention_schedules",
    "sealed_log",
    "settings",
    "stored_entries",
    "today",
    "token_file",
    "trusted_by",
    "typed_path",
    "verify_premises",
    "witness_office",
    "witness_server",
    "write_whole",
]
