"""The keys of a log: which one signs it, and which ones did."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.errors import RecordBrokenError
from domain.kernel.references import FORCE, journal
from domain.log.events import KeyGenerated, KeyRetired, KeyRotated

KEYS = journal("log-keys", FORCE)
"""The one stream of a log's keys."""
SCOPE_HEADS = journal("scope-heads", FORCE)
"""The journal of the heads that were committed to."""


class LogKeys(Aggregate):
    """Every key that signed this log, oldest first; the last one signs it now."""

    KIND = "register of the log's keys"

    def __init__(self, stream: UUID = KEYS) -> None:
        super().__init__(stream)
        self.keys: list[str] = []
        """Verifier keys in signed-note form."""
        self.kept_in: dict[str, str] = {}
        self.retired: dict[str, int] = {}
        """For each key whose private part is gone, the size of the last checkpoint it signed."""

    @property
    def current(self) -> str | None:
        """The key that signs now; None before the first is recorded."""
        return self.keys[-1] if self.keys else None

    @property
    def outgoing(self) -> str | None:
        """The key of a rotation that is not finished: replaced, and not retired yet."""
        replaced = [key for key in self.keys[:-1] if key not in self.retired]
        return replaced[-1] if replaced else None

    def generate(self, key: str, *, kept_in: str, at: datetime) -> None:
        """The log's first key."""
        if self.current is not None:
            raise RecordBrokenError(f"the log is signed by {_named(self.current)} already")
        self.happened(KeyGenerated, at=at, verifier_key=key, kept_in=kept_in)

    def rotate(self, new: str, *, kept_in: str, at: datetime) -> None:
        """Another key from here on."""
        if self.current is None or self.outgoing is not None or new in self.keys:
            raise RecordBrokenError(f"the key {_named(new)} cannot follow the keys of this log")
        self.happened(
            KeyRotated,
            at=at,
            old_verifier_key=self.current,
            new_verifier_key=new,
            kept_in=kept_in,
        )

    def retire(self, *, last_size: int, at: datetime) -> None:
        """The private key that was replaced is gone."""
        if self.outgoing is None:
            raise RecordBrokenError("no key of this log is being replaced")
        self.happened(KeyRetired, at=at, verifier_key=self.outgoing, last_size=last_size)

    def evolve(self, event: KeyGenerated | KeyRotated | KeyRetired) -> None:
        """Take in one event."""
        match event:
            case KeyGenerated(verifier_key=key, kept_in=kept_in):
                self._signs(key, kept_in)
            case KeyRotated(new_verifier_key=key, kept_in=kept_in):
                self._signs(key, kept_in)
            case KeyRetired(verifier_key=key, last_size=size):
                self.retired[key] = size
            case _:
                assert_never(event)

    def _signs(self, key: str, kept_in: str) -> None:
        self.keys.append(key)
        self.kept_in[key] = kept_in


def _named(key: str) -> str:
    """A key's name and id, without the key."""
    return "+".join(key.split("+", 2)[:2])
