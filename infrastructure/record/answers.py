"""Whether a command that comes again is the one that was answered: HMACs of what commands say.

What stands in the database is an HMAC of the command's content. Its key stands elsewhere, one for
each scope, and is erased with whatever else was kept for the scope: from then on nobody can
confirm a guess at what was said, for example in free text.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from domain.kernel.commands import Command
from domain.kernel.repeats import Sameness
from domain.kernel.time import written
from infrastructure.record.placing import Answering

_NOT_CONTENT = frozenset({"command_id", "at"})
"""The key itself, and the moment at which this call of it came."""


class CommandKeys(Protocol):
    """Where the keys are (``infrastructure/vault/command_keys.py``)."""

    def current(self, scope: str) -> tuple[str, bytes]:
        """The name of a scope's key and the key, 32 bytes, made if there is none."""

    def find(self, name: str) -> bytes | None:
        """The key of this name, unless it was erased."""

    def forget(self, scope: str) -> None:
        """Erase every key of a scope."""

    def close(self) -> None:
        """Let go of where they are."""


def answering(command: Command, keys: CommandKeys) -> Answering:
    """What is stored to know this command again."""
    name, key = keys.current(command.scope)
    return Answering(digest=digest(command, key), key=name)


def sameness(command: Command, found: Answering, keys: CommandKeys) -> Sameness:
    """Whether this command is the one of which that was stored."""
    key = keys.find(found.key)
    if key is None:
        return Sameness.FORGOTTEN
    same = hmac.compare_digest(digest(command, key), found.digest)
    return Sameness.SAME if same else Sameness.ANOTHER


def digest(command: Command, key: bytes) -> bytes:
    """HMAC-SHA256 of everything that a command says, 32 bytes.

    Each value goes in with its kind and its length, so that no two commands go in alike.

    Raises:
        TypeError: the command holds something that has no single form.
    """
    code = hmac.new(key, digestmod="sha256")
    _feed(code, type(command).__name__)
    for field in dataclasses.fields(command):
        if field.name not in _NOT_CONTENT:
            _feed(code, field.name)
            _feed(code, getattr(command, field.name))
    return code.digest()


def _feed(code: hmac.HMAC, value: Any) -> None:
    if isinstance(value, bytes | bytearray | memoryview):
        raw = memoryview(value).cast("B")
        code.update(b"bytes %d " % len(raw))
        code.update(raw)
    elif isinstance(value, Mapping):
        code.update(b"mapping %d " % len(value))
        for name in sorted(value):
            _feed(code, name)
            _feed(code, value[name])
    elif isinstance(value, list | tuple):
        code.update(b"list %d " % len(value))
        for one in value:
            _feed(code, one)
    elif dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        _feed(code, {field.name: getattr(value, field.name) for field in fields})
    else:
        text = _text(value).encode()
        code.update(b"%s %d " % (type(value).__name__.encode(), len(text)))
        code.update(text)


def _text(value: object) -> str:
    if value is None or isinstance(value, bool | int | str | Decimal):
        return str(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a command's content holds a {type(value).__name__}")
