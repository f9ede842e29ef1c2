"""The entry: the one BLOB that is stored for each event, and the frozen rules for its bytes.

An entry is canonical JSON: the same content has one form only, in every language, so that a
verifier can rebuild the bytes and compare them. The leaf hash is over the stored bytes, never
over bytes that were made again. Format 1 has exactly these fields, and never any other:

=============== ==================================================================================
``v``           1, the version of this format
``log``         the log's origin: the first line of its checkpoints; visible ASCII, no spaces
``pos``         the place in the log, from 0, without gaps
``mode``        ``operational`` or ``rehearsal``
``scope``       what it concerns: a deployment's id, or ``force``; visible ASCII, no spaces
``scope_pos``   the place among the entries of the scope, from 0, without gaps
``scope_prev``  the leaf hash of the scope's entry before, lower-case hex; null for its first
``name``        the stored name of the event
``shape``       the version of the event's fields, from 1
``stream``      the stream, 32 lower-case hex digits
``version``     the place in the stream, from 1
``occurred_at`` when it happened: RFC 3339, UTC, milliseconds, ``Z``
``recorded_at`` when it was recorded: the same form
``clock``       ``trusted`` or ``suspect``: whether the recording clock could be believed
``actor``       who asked for it: a reference, never a name
``role``        in which role
``cause``       the id of the command that led to it
``anchor``      null, or ``size`` and ``root`` (hex) of a checkpoint not made before that
``body``        the event's own fields
=============== ==================================================================================

RFC 8785 leaves two things hard to do alike everywhere: the text of a number with a fraction, and
the order of keys outside ASCII. Neither may occur here. What is left, Python's own ``json`` writes
exactly as RFC 8785 demands.

Source: RFC 8785 (JSON Canonicalization Scheme).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeGuard

from domain.assurance.tree import leaf_hash

FORMAT = 1
"""The version of the entry format that this module writes and reads."""

FORCE_SCOPE = "force"
"""The scope of what concerns no single deployment."""
LARGEST_ENTRY = 65_535
"""Bytes: what the two length bytes of an entry bundle can tell (C2SP tlog-tiles)."""

LARGEST_INTEGER = 2**53 - 1
"""Up to here every JSON reader, also one that only knows doubles, keeps an integer exact."""

DEEPEST = 32
"""Levels of objects and lists within each other that any reader can be expected to follow."""


class EntryError(Exception):
    """Base of the errors about entries."""


class EntryInvalidError(EntryError):
    """What was handed in cannot become an entry. The caller can mend it."""


class EntryTooLargeError(EntryInvalidError):
    """The entry would be longer than 65,535 bytes."""


class EntryUnreadableError(EntryError):
    """The stored bytes are not an entry of the format that this version reads."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint that an entry points to: the entry was not made before it."""

    size: int
    root: str
    """Lower-case hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, read back. The fields are those of the table above."""

    v: int
    log: str
    pos: int
    mode: str
    scope: str
    scope_pos: int
    scope_prev: str | None
    name: str
    shape: int
    stream: str
    version: int
    occurred_at: str
    recorded_at: str
    clock: str
    actor: str
    role: str
    cause: str
    anchor: Anchor | None
    body: dict[str, Any]
    raw: bytes
    """The stored bytes."""


def canonical(mapping: Mapping[str, object]) -> bytes:
    """The one form in bytes of a JSON object, as RFC 8785 gives it.

    Args:
        mapping: null, bool, int within +-(2**53 - 1), str without lone surrogates, lists and
            objects with ASCII keys, at most 32 levels deep.

    Raises:
        EntryInvalidError: anything else, with the JSON path where it was found.
    """
    plain = dict(mapping)
    _require_plain(plain, "$", DEEPEST)
    return _ENCODER.encode(plain).encode()


def half_of(fields: Mapping[str, object]) -> bytes:
    """What an event knows of itself, ready to be completed by the log: canonical JSON.

    Args:
        fields: ``v``, ``name``, ``shape``, ``stream``, ``occurred_at`` and ``body``.

    Raises:
        EntryInvalidError: a field is missing, unknown, or not of its form.
    """
    if fields.keys() != _HALF:
        raise EntryInvalidError(
            f"half an entry: {_difference(expected=_HALF, found=fields.keys())}"
        )
    half = canonical(fields)
    _require_forms(fields)
    return half


class Completer:
    """Makes whole entries of halves: what all entries of one command share is written once.

    In the sorted order of the keys, what the log adds stands in three places between what the
    event knows. A half is therefore cut where ``name`` and ``shape`` begin, and never parsed: no
    text within it can look like these cuts, because a quotation mark within a text is escaped.

    Raises:
        EntryInvalidError: a field is not of its form.
    """

    __slots__ = ("_after_body", "_after_pos", "_before")

    def __init__(
        self,
        *,
        log: str,
        mode: str,
        scope: str,
        recorded_at: str,
        clock: str,
        actor: str,
        role: str,
        cause: str,
    ) -> None:
        shared: dict[str, object] = {
            "log": log,
            "mode": mode,
            "scope": scope,
            "recorded_at": recorded_at,
            "clock": clock,
            "actor": actor,
            "role": role,
            "cause": cause,
        }
        canonical(shared)
        _require_forms(shared)
        self._before = _members(shared, "actor")[:-1] + b',"anchor":null,'
        self._after_body = b"," + _members(shared, "cause", "clock", "log", "mode")[1:-1]
        self._after_pos = b"," + _members(shared, "recorded_at", "role", "scope")[1:-1]

    def entry(
        self, half: bytes, *, version: int, pos: int, scope_pos: int, scope_prev: str | None
    ) -> bytes:
        """The entry to store: a half that :func:`half_of` made, at its place in the log.

        Raises:
            EntryTooLargeError: it would be longer than 65,535 bytes.
            EntryInvalidError: a place is not of its form.
        """
        ((blob, _),) = self.linked(
            [(half, version)], pos=pos, scope_pos=scope_pos, scope_prev=scope_prev
        )
        return blob

    def linked(
        self,
        halves: Iterable[tuple[bytes, int]],
        *,
        pos: int,
        scope_pos: int,
        scope_prev: str | None,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries behind one another in the log and in the scope, each linked to the one before.

        Args:
            halves: what :func:`half_of` made, each with the version of its stream.
            pos, scope_pos, scope_prev: the place of the first.

        Returns:
            Each entry with its leaf hash.

        Raises:
            EntryTooLargeError: one would be longer than 65,535 bytes.
            EntryInvalidError: a place is not of its form.
        """
        _require_forms({"pos": pos, "scope_pos": scope_pos, "scope_prev": scope_prev})
        before, after_body, after_pos = self._before, self._after_body, self._after_pos
        link = b"null" if scope_prev is None else b'"%b"' % scope_prev.encode()
        for half, version in halves:
            if type(version) is not int or version < 1:
                _require_forms({"version": version})
            name, shape = half.rfind(b',"name":"'), half.rfind(b',"shape":')
            blob = b'%b%b%b%b,"pos":%d%b,"scope_pos":%d,"scope_prev":%b%b,"version":%d}' % (
                before,
                half[1:name],
                after_body,
                half[name:shape],
                pos,
                after_pos,
                scope_pos,
                link,
                half[shape:-1],
                version,
            )
            if len(blob) > LARGEST_ENTRY:
                told = json.loads(half)["name"]
                raise EntryTooLargeError(
                    f"entry {pos} ({told}): expected at most {LARGEST_ENTRY} bytes, "
                    f"found {len(blob)}"
                )
            leaf = leaf_hash(blob)
            yield blob, leaf
            pos, scope_pos, link = pos + 1, scope_pos + 1, b'"%b"' % leaf.hex().encode()


def complete(
    half: Mapping[str, object], *, pos: int, scope_pos: int, scope_prev: str | None, **shared: str
) -> bytes:
    """One entry at once (see :func:`half_of` and :class:`Completer`).

    Args:
        half: what the event knows of itself, its ``version`` included.
        pos: the place in the log.
        scope_pos: the place in the scope.
        scope_prev: the leaf hash of the scope's entry before, hex; None for its first.
        shared: what a :class:`Completer` takes.
    """
    expected = _HALF | {"version"}
    if half.keys() != expected:
        raise EntryInvalidError(
            f"half an entry: {_difference(expected=expected, found=half.keys())}"
        )
    fields = dict(half)
    version: Any = fields.pop("version")
    ready = half_of(fields)
    return Completer(**shared).entry(
        ready, version=version, pos=pos, scope_pos=scope_pos, scope_prev=scope_prev
    )


def _members(fields: Mapping[str, object], *names: str) -> bytes:
    return _ENCODER.encode({name: fields[name] for name in names}).encode()


def _require_forms(fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        fits, form = _FORMS[name]
        if not fits(value):
            found = repr(value)[:20] if name == "v" else f"another {type(value).__name__}"
            raise EntryInvalidError(f"$.{name}: expected {form}, found {found}")


def read(blob: bytes) -> Entry:
    """The entry that was stored as these bytes, and that could have been stored as no others.

    Raises:
        EntryUnreadableError: not UTF-8, not JSON, of another format, with a field too many or
            too few or not of its form, longer than 65,535 bytes, or not in canonical form
            (which also refuses a key that occurs twice).
    """
    if len(blob) > LARGEST_ENTRY:
        raise EntryUnreadableError(f"expected at most {LARGEST_ENTRY} bytes, found {len(blob)}")
    fields = _parsed(blob)
    if (fault := _fault(fields)) is not None:
        raise EntryUnreadableError(fault)
    try:
        rebuilt = canonical(fields)
    except EntryInvalidError as error:
        raise EntryUnreadableError(str(error)) from error
    if rebuilt != blob:
        raise EntryUnreadableError(
            "expected canonical JSON (RFC 8785), found another form of the same content"
        )
    anchor = fields.pop("anchor")
    return Entry(**fields, anchor=None if anchor is None else Anchor(**anchor), raw=blob)


def _parsed(blob: bytes) -> dict[str, Any]:
    try:
        # Decoded here: given bytes, json would guess at UTF-16 and UTF-32 too.
        value = json.loads(blob.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # ValueError: not UTF-8, not JSON, or a number of thousands of digits.
        raise EntryUnreadableError(f"expected JSON in UTF-8, found: {error}") from error
    if not isinstance(value, dict):
        raise EntryUnreadableError(f"expected a JSON object, found a {type(value).__name__}")
    return value


# check_circular: what contains itself is already refused for being too deep.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def _require_plain(value: object, path: str, levels: int) -> None:
    """Refuse what has no single form in canonical JSON."""
    if isinstance(value, str):
        _require_characters(value, path)
    elif value is None or isinstance(value, bool):
        pass
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            _refuse(
                path, f"an integer within +-(2**53 - 1), found one of {value.bit_length()} bits"
            )
    elif not isinstance(value, dict | list):
        _refuse(
            path,
            "null, bool, int, str, list or object (a number with a fraction is written as a "
            f"decimal string), found a {type(value).__name__}",
        )
    elif levels == 0:
        _refuse(path, f"at most {DEEPEST} levels, found more")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _require_plain(one, f"{path}[{index}]", levels - 1)
    else:
        for key, one in value.items():
            if not isinstance(key, str) or not key.isascii():
                _refuse(path, f"keys in ASCII, found {key!a}")
            _require_plain(one, f"{path}.{key}", levels - 1)


def _require_characters(text: str, path: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse(path, f"Unicode text, found half of a surrogate pair at character {error.start}")


def _refuse(path: str, expected_and_found: str) -> NoReturn:
    raise EntryInvalidError(f"{path}: expected {expected_and_found}")


# The hour is bounded here: whether 24:00 is a time depends on the version of Python.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")

_WORD = re.compile(r"[!-~]+")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_word(value: object) -> bool:
    """Visible ASCII: it names things in checkpoints, in file names and on screens."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_from(least: int) -> Callable[[object], bool]:
    return lambda value: _is_integer(value) and value >= least


def _is_one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_hex(digits: int) -> Callable[[object], bool]:
    form = re.compile(f"[0-9a-f]{{{digits}}}")
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:  # the form of a time, but no such day or minute
        return False
    return True


_is_hash = _is_hex(64)


def _is_link(value: object) -> bool:
    return value is None or _is_hash(value)


def _is_anchor(value: object) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, dict)
        and value.keys() == {"size", "root"}
        and _is_from(0)(value["size"])
        and _is_hash(value["root"])
    )


_FORMS: dict[str, tuple[Callable[[object], bool], str]] = {
    "v": (lambda value: _is_integer(value) and value == FORMAT, f"entry format {FORMAT}"),
    "log": (_is_word, "visible ASCII without spaces"),
    "pos": (_is_from(0), "an integer from 0"),
    "mode": (_is_one_of("operational", "rehearsal"), "operational or rehearsal"),
    "scope": (_is_word, "visible ASCII without spaces"),
    "scope_pos": (_is_from(0), "an integer from 0"),
    "scope_prev": (_is_link, "null or 64 hex digits"),
    "name": (_is_text, "text"),
    "shape": (_is_from(1), "an integer from 1"),
    "stream": (_is_hex(32), "32 hex digits"),
    "version": (_is_from(1), "an integer from 1"),
    "occurred_at": (_is_time, "a time like 2026-11-23T09:30:00.000Z"),
    "recorded_at": (_is_time, "a time like 2026-11-23T09:30:00.000Z"),
    "clock": (_is_one_of("trusted", "suspect"), "trusted or suspect"),
    "actor": (_is_text, "text"),
    "role": (_is_text, "text"),
    "cause": (_is_text, "text"),
    "anchor": (_is_anchor, "null, or size and root"),
    "body": (lambda value: isinstance(value, dict), "an object"),
}
"""Each field with its form, in code and in words."""

_HALF = frozenset({"v", "name", "shape", "stream", "occurred_at", "body"})
"""What an event knows of itself; its version is given under the log's lock."""


def _fault(fields: Mapping[str, object]) -> str | None:
    """What keeps these fields from being an entry of this format, or None."""
    # The version first: a newer format may have other fields, and is then named as newer.
    if "v" in fields and not _FORMS["v"][0](fields["v"]):
        return f"$.v: expected entry format {FORMAT}, found {fields['v']!a:.20}"
    if fields.keys() != _FORMS.keys():
        return _difference(expected=_FORMS.keys(), found=fields.keys())
    for name, (fits, form) in _FORMS.items():
        if not fits(fields[name]):
            return f"$.{name}: expected {form}, found another {type(fields[name]).__name__}"
    return None


def _difference(*, expected: Set[str], found: Set[str]) -> str:
    missing, unknown = sorted(expected - found), sorted(found - expected)
    return f"expected its fields and no other, found {missing} missing and {unknown} unknown"
