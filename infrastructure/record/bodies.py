"""An event's own fields, to and from the ``body`` of its entry.

A UUID is 32 hex digits, a time RFC 3339 with milliseconds, a number with a fraction a decimal
string, a set never occurs. Reading is strict: a field too many, too few, of another type or in
another form is a broken record, not a guess. What would not come back unchanged is not written:
one entry that cannot be read would break the record for ever.
"""

from __future__ import annotations

import dataclasses
import functools
from datetime import datetime
from decimal import Decimal
from typing import Any, get_type_hints
from uuid import UUID

import msgspec

from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.time import written

_ENVELOPE = ("originator_id", "originator_version", "timestamp")


def to_body(event: Happened) -> dict[str, Any]:
    """The fields as JSON values.

    Raises:
        TypeError: a field holds something that an event may not hold (a float, bytes, a set, NaN),
            or that its class does not declare: it would not come back unchanged.
    """
    held = {name: getattr(event, name) for name in own_fields(type(event))}
    body = {name: _plain(value) for name, value in held.items()}
    try:
        found = from_body(type(event), body)
    except RecordBrokenError as error:
        raise TypeError(f"an event that could not be read back: {error}") from error
    if changed := [name for name in held if found[name] != held[name]]:
        raise TypeError(f"{event.NAME}: the fields {changed} would not come back unchanged")
    return body


def from_body(event_class: type[Happened], body: dict[str, Any]) -> dict[str, Any]:
    """The fields of an event of this class, with the types that the class declares."""
    fields = own_fields(event_class)
    if not isinstance(body, dict):
        raise RecordBrokenError(
            f"{event_class.NAME}: expected fields, found a {type(body).__name__}"
        )
    if body.keys() != fields.keys():
        raise RecordBrokenError(
            f"{event_class.NAME}: expected the fields {sorted(fields)}, found {sorted(body)}"
        )
    try:
        held = {
            name: msgspec.convert(body[name], kind, strict=True) for name, kind in fields.items()
        }
        # The conversion takes more than one form of a time or a number, and drops the unknown
        # fields of a reason; only what is written again as the same was written by us.
        other = [name for name, value in held.items() if _plain(value) != body[name]]
    except (msgspec.ValidationError, DomainError, TypeError) as error:
        raise RecordBrokenError(f"{event_class.NAME}: {error}") from error
    if other:
        raise RecordBrokenError(f"{event_class.NAME}: the fields {other} are in another form")
    return held


@functools.cache
def own_fields(event_class: type[Happened]) -> dict[str, Any]:
    hints = get_type_hints(event_class)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(event_class)
        if field.name not in _ENVELOPE
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"an event may not hold the decimal {value}")
        return format(value, "f")
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_key(key): _plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    raise TypeError(f"an event may not hold a {type(value).__name__}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"an event's keys are text, found a {type(key).__name__}")
    return str(key)
