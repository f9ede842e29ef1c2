"""Many rows at once: what verification needs of them, if nothing at all is wrong with them.

Reading an entry as :func:`domain.assurance.entries.read` does costs some forty microseconds, and a
log has millions. Nearly all of them have one of a few shapes: the same keys in the same order with
other values. Here the shape of an entry is learned once, from one that was read the long way, as a
regular expression for the whole line; entries that it matches differ from that one in plain values
only, and are canonical because that one is.

A summary is given only where **everything** holds that verification asks of these rows among
themselves. Whatever cannot be shown here, be it wrong or only unusual, is None: the rows are then
followed one by one, and that decides.

**Why a match is enough.** Only texts of printable ASCII without a backslash are looked at, so that
every quotation mark begins or ends a text and no character has two forms. The expression holds the
keys, the brackets and the literals of the entry that was read; in the place of a text it allows any
text, in the place of an integer any of up to 15 digits in its one form. So a match has the same
keys in the same order, and every value in its one form: it is canonical JSON. The fields outside
``body`` are compared or checked on their own, each as strictly as the long way does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from domain.assurance import entries
from domain.assurance.entries import LARGEST_ENTRY, EntryUnreadableError

BLOCK = 256
"""Rows under one subtree root."""
CHUNK = 16 * BLOCK
"""Rows that are summed up at once."""

_MOST_SHAPES = 1000
"""Learned at most, so that no log fills the memory."""
_MOST_OF_A_NAME = 32
"""Learned for one name, so that none is looked for too long."""
_MOST_DAYS = 100_000


@dataclass(frozen=True, slots=True)
class ScopePart:
    """A scope's entries within a chunk, which follow each other."""

    mode: str
    first_pos: int
    first_prev: str | None
    size: int
    """The scope's size after them."""
    leaf_hex: str
    """The last one's."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows that follow each other and with which nothing is wrong."""

    origin: str
    blocks: list[bytes]
    """The roots over each full block of 256, in order."""
    rest: list[bytes]
    """The leaf hashes behind the last full block."""
    leaves: list[bytes] | None
    """All leaf hashes, where they were asked for."""
    scopes: dict[str, ScopePart]
    streams: dict[str, tuple[int, int]]
    """The first and the last version of each stream."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The fields of some entries that say where they belong, field by field."""

    log: Sequence[str]
    mode: Sequence[str]
    name: Sequence[str]
    occurred_at: Sequence[str]
    pos: list[int]
    recorded_at: Sequence[str]
    scope: Sequence[str]
    scope_pos: list[int]
    scope_prev: Sequence[str | None]
    stream: Sequence[str]
    version: list[int]


class Shapes:
    """The shapes of entries that were learned so far."""

    def __init__(self) -> None:
        """Nothing is learned yet."""
        self._of_name: dict[str, list[re.Pattern[str]]] = {}
        self._count = 0
        self._days: set[str] = set()

    def summary(
        self, start: int, stored: Sequence[Sequence[Any]], *, with_leaves: bool
    ) -> Summary | None:
        """What rows come to, or None where they have to be followed one by one.

        Args:
            start: the position of the first one, a multiple of :data:`BLOCK`.
            stored: the columns of stored rows (8) or of tiled rows (3), each with at least one
                value and as many as the others.
            with_leaves: give every leaf hash too.
        """
        positions, told, blobs = stored[0], stored[-2], stored[-1]
        if not (_all_are(int, positions) and _all_are(bytes, told) and _all_are(bytes, blobs)):
            return None
        leaves = [sha256(b"\0" + blob).digest() for blob in blobs]
        expected = list(range(start, start + len(blobs)))
        if list(told) != leaves or list(positions) != expected:
            return None
        names = stored[3] if len(stored) == _INDEXED else None
        if names is not None and not _all_are(str, names):
            return None
        columns = self._columns(blobs, names)
        if columns is None or columns.pos != expected or len(set(columns.log)) != 1:
            return None
        if len(stored) == _INDEXED and not _index_fits(stored, columns):
            return None
        hexes = [leaf.hex() for leaf in leaves]
        scopes, streams = _scopes(columns, hexes), _streams(columns)
        if scopes is None or streams is None:
            return None
        full = len(leaves) // BLOCK * BLOCK
        return Summary(
            origin=columns.log[0],
            blocks=[root_over(leaves[at : at + BLOCK]) for at in range(0, full, BLOCK)],
            rest=leaves[full:],
            leaves=leaves if with_leaves else None,
            scopes=scopes,
            streams=streams,
        )

    def _columns(self, blobs: Sequence[bytes], names: Sequence[str] | None) -> _Columns | None:
        """The fields of every entry; None where one cannot be read."""
        found: list[tuple[Any, ...]] = []
        shapes = self._of_name
        names = names if names is not None else [name_in(blob) for blob in blobs]
        for name, blob in zip(names, blobs, strict=True):
            text, match = None, None
            if len(blob) <= LARGEST_ENTRY and not blob.translate(None, _PLAIN):
                text = blob.decode("ascii")
                for shape in shapes.get(name, ()):
                    if match := shape.fullmatch(text):
                        break
                if match is not None:
                    found.append(match.groups())
                    continue
            fields = self._read(blob, name, text)
            if fields is None:
                return None
            found.append(fields)
        log, mode, occurred, pos, recorded, scope, scope_pos, prev, stream, version = zip(
            *found, strict=True
        )
        if not all(map(self._is_time, {*occurred, *recorded})):
            return None
        return _Columns(
            log=log,
            mode=mode,
            name=names,
            occurred_at=occurred,
            pos=list(map(int, pos)),
            recorded_at=recorded,
            scope=scope,
            scope_pos=list(map(int, scope_pos)),
            scope_prev=prev,
            stream=stream,
            version=list(map(int, version)),
        )

    def _read(self, blob: bytes, name: str, text: str | None) -> tuple[Any, ...] | None:
        """The fields of an entry the long way, learning from it where the text is plain."""
        try:
            entry = entries.read(blob)
        except EntryUnreadableError:
            return None
        if entry.name != name:
            return None
        if text is not None and entry.anchor is None:
            self._learn(name, text)
        return (
            entry.log,
            entry.mode,
            entry.occurred_at,
            entry.pos,
            entry.recorded_at,
            entry.scope,
            entry.scope_pos,
            entry.scope_prev,
            entry.stream,
            entry.version,
        )

    def _learn(self, name: str, text: str) -> None:
        known = self._of_name.setdefault(name, [])
        if self._count >= _MOST_SHAPES or len(known) >= _MOST_OF_A_NAME:
            return
        body = text[text.index(_BODY) + len(_BODY) : text.rindex(_CAUSE)]
        known.append(re.compile(_around(_any_like(body), name)))
        self._count += 1

    def _is_time(self, text: str) -> bool:
        day = text[:_DAY]
        if day not in self._days:
            if not _is_day(day):
                return False
            if len(self._days) < _MOST_DAYS:
                self._days.add(day)
        return _TIME_OF_DAY.fullmatch(text, _DAY) is not None


def _is_day(text: str) -> bool:
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:  # the form of a day, but no such one
        return False
    return True


def _all_are(kind: type, column: Sequence[object]) -> bool:
    return set(map(type, column)) == {kind}


def _index_fits(stored: Sequence[Sequence[object]], columns: _Columns) -> bool:
    """Whether every index column says what the entries say, and is of its type."""
    said = (columns.stream, columns.version, columns.name, columns.scope, columns.scope_pos)
    return all(
        list(stored[place]) == list(column) and _all_are(type(column[0]), stored[place])
        for place, column in enumerate(said, start=1)
    )


def _scopes(columns: _Columns, hexes: Sequence[str]) -> dict[str, ScopePart] | None:
    """Each scope's part, if its entries follow each other."""
    parts: dict[str, list[Any]] = {}
    for scope, mode, pos, prev, leaf_hex in zip(
        columns.scope, columns.mode, columns.scope_pos, columns.scope_prev, hexes, strict=True
    ):
        part = parts.get(scope)
        if part is None:
            if prev is not None and _LINK.fullmatch(prev) is None:
                return None
            parts[scope] = [mode, pos, prev, pos + 1, leaf_hex]
        elif part[3] == pos and part[4] == prev and part[0] == mode:
            part[3], part[4] = pos + 1, leaf_hex
        else:
            return None
    return {scope: ScopePart(*part) for scope, part in parts.items()}


def _streams(columns: _Columns) -> dict[str, tuple[int, int]] | None:
    """The first and the last version of each stream, if they follow each other."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for stream, version in zip(columns.stream, columns.version, strict=True):
        before = last.get(stream)
        if before is None:
            if _STREAM.fullmatch(stream) is None:
                return None
            first[stream] = version
        elif before + 1 != version:
            return None
        last[stream] = version
    return {stream: (version, last[stream]) for stream, version in first.items()}


def name_in(blob: bytes) -> str:
    """The stored name of a plain entry: no field behind the body holds a quotation mark.

    Of any other it is just some text, which then is not found to be its name.
    """
    at = blob.rfind(_NAME) + len(_NAME)
    return blob[at : blob.find(b'"', at)].decode("utf-8", "replace")


def root_over(leaves: Sequence[bytes]) -> bytes:
    """The root over a power of two of leaf hashes."""
    row = leaves
    while len(row) > 1:
        row = [sha256(b"\1" + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]


_INDEXED = 8
"""Values in a row that has index columns."""

_PLAIN = bytes(one for one in range(0x20, 0x7F) if one != 0x5C)
"""Printable ASCII without the backslash."""

_DAY = len("2026-11-23")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME_OF_DAY = re.compile(r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
_LINK, _STREAM = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}")

_BODY, _CAUSE, _NAME = '"body":', ',"cause":"', b'","name":"'

_INTEGER = "(?:0|-?[1-9][0-9]{0,14})"
_FROM_0, _FROM_1 = "(0|[1-9][0-9]{0,14})", "([1-9][0-9]{0,14})"
_VALUE = re.compile(f'(?P<key>"[^"]*":)|"[^"]*"|{_INTEGER}')


def _any_like(body: str) -> str:
    """An expression for every body with these keys, brackets and literals."""
    pieces, at, after_value = [], 0, False
    for found in _VALUE.finditer(body):
        between = body[at : found.start()]
        # two values side by side are one integer of more digits: that one is taken as it is
        if after_value and not between:
            return re.escape(body)
        pieces.append(re.escape(between))
        if found["key"]:
            pieces.append(re.escape(found["key"]))
        else:
            pieces.append('"[^"]*"' if found[0].startswith('"') else _INTEGER)
        at, after_value = found.end(), not found["key"]
    return "".join([*pieces, re.escape(body[at:])])


def _around(body: str, name: str) -> str:
    """The expression for a whole entry: every field in its form, in the order of the keys."""
    return (
        r'\{"actor":"[^"]+","anchor":null,"body":'
        + body
        + ',"cause":"[^"]+","clock":"(?:trusted|suspect)","log":"([^" ]+)",'
        + f'"mode":"(operational|rehearsal)","name":"{re.escape(name)}",'
        + f'"occurred_at":"([^"]*)","pos":{_FROM_0},"recorded_at":"([^"]*)","role":"[^"]+",'
        + f'"scope":"([^" ]+)","scope_pos":{_FROM_0},"scope_prev":(?:null|"([^"]*)"),'
        + f'"shape":[1-9][0-9]{{0,14}},"stream":"([^"]*)","v":1,"version":{_FROM_1}\\}}'
    )
