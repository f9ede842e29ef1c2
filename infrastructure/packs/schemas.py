"""What the bodies of events look like, as JSON schemas, from the classes themselves.

In the forms that entries use: a reference is 32 hex digits, a time RFC 3339 with milliseconds, a
number with a fraction a decimal string.

Source: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.kernel.events import Happened
from infrastructure.record.bodies import own_fields

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    UUID: {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    datetime: {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    },
}


def body_schema(event_class: type[Happened]) -> dict[str, Any]:
    """The schema of the ``body`` of such an event."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{event_class.NAME}, shape {event_class.SHAPE}",
        "description": (event_class.__doc__ or "").strip().split("\n")[0],
        **_object(own_fields(event_class)),
    }


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _schema(kind) for name, kind in fields.items()},
        "required": sorted(fields),
        "additionalProperties": False,
    }


def _schema(kind: Any) -> dict[str, Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one) for one in arguments]}
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return _object({field.name: hints[field.name] for field in dataclasses.fields(kind)})
    raise TypeError(f"no schema is known for {kind}")
