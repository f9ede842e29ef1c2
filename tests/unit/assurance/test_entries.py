"""The entry's bytes: one form, frozen, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assurance.entries import (
    LARGEST_ENTRY,
    Anchor,
    EntryInvalidError,
    EntryTooLargeError,
    EntryUnreadableError,
    canonical,
    complete,
    read,
)
from domain.assurance.tree import leaf_hash
from tests.unit.assurance.logs import half_an_entry, place_in_the_log

# Format 1, frozen. If this changes, every record that was ever written stops verifying.
GOLDEN_HALF = half_an_entry(
    name="alert.raised",
    stream="0123456789abcdef0123456789abcdef",
    version=3,
    body={
        "camera": "c1",
        "ordinal": 7,
        "threshold": "0.640",
        "note": None,
        "live": True,
        "zone": [[0, 0], [1000, 0]],
        "text": 'é€😀"\\/\x7f\u2028\b\t\x01',
    },
)
GOLDEN_PLACE = place_in_the_log(
    pos=41, scope="d1" * 16, scope_pos=6, scope_prev="ab" * 32, clock="suspect"
)
GOLDEN_BYTES = (
    b'{"actor":"officer-1","anchor":null,"body":{"camera":"c1","live":true,"note":null,'
    b'"ordinal":7,"text":"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\"\\\\/\x7f\xe2\x80\xa8\\b\\t\\u0001",'
    b'"threshold":"0.640","zone":[[0,0],[1000,0]]},"cause":"cccccccccccccccccccccccccccccccc",'
    b'"clock":"suspect","log":"example.org/plumbline/rehearsal","mode":"rehearsal",'
    b'"name":"alert.raised","occurred_at":"2026-11-23T09:30:00.000Z","pos":41,'
    b'"recorded_at":"2026-11-23T09:30:00.250Z","role":"operator",'
    b'"scope":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","scope_pos":6,'
    b'"scope_prev":"abababababababababababababababababababababababababababababababab",'
    b'"shape":1,"stream":"0123456789abcdef0123456789abcdef","v":1,"version":3}'
)
GOLDEN_LEAF = "1a89fa7f7ed65974771ee334f99abf245d002da4995793bf2339b3ea6427dc52"

FIELDS = sorted(json.loads(GOLDEN_BYTES))

plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=5)
    ),
    max_leaves=25,
)


def golden_with(**changed: object) -> dict[str, Any]:
    """The golden entry's fields, some of them changed."""
    return {**json.loads(GOLDEN_BYTES), **changed}


def written(fields: dict[str, Any]) -> bytes:
    """Canonical bytes, written by another program than ours."""
    return rfc8785.dumps(fields)


def test_the_format_is_frozen() -> None:
    """The same content gives the same bytes and the same leaf hash, for ever."""
    blob = complete(GOLDEN_HALF, **GOLDEN_PLACE)
    assert blob == GOLDEN_BYTES
    assert leaf_hash(blob).hex() == GOLDEN_LEAF


def test_another_program_writes_the_same_bytes() -> None:
    """An independent implementation of RFC 8785 agrees with the golden entry."""
    assert written(json.loads(GOLDEN_BYTES)) == GOLDEN_BYTES


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), plain_json, max_size=5))
def test_our_canonical_form_is_that_of_rfc_8785(mapping: dict[str, Any]) -> None:
    """Whatever we accept, an independent implementation writes alike, and it reads back."""
    assert canonical(mapping) == rfc8785.dumps(mapping)
    assert json.loads(canonical(mapping)) == mapping


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ({"a": 0.5}, "$.a", "found a float"),
        ({"a": 1.0}, "$.a", "found a float"),
        ({"a": [1, {"b": float("nan")}]}, "$.a[1].b", "found a float"),
        ({"a": 2**53}, "$.a", "54 bits"),
        ({"a": [-(2**53)]}, "$.a[0]", "54 bits"),
        ({"a": "\ud800"}, "$.a", "surrogate pair at character 0"),
        ({"a": "ab\udfff"}, "$.a", "surrogate pair at character 2"),
        ({"a": {"é": 1}}, "$.a", "keys in ASCII"),
        ({1: "a"}, "$", "keys in ASCII, found 1"),
        ({"a": (1, 2)}, "$.a", "found a tuple"),
        ({"a": b"x"}, "$.a", "found a bytes"),
        ({"a": {1, 2}}, "$.a", "found a set"),
    ],
)
def test_what_has_no_single_form_is_refused_with_its_path(
    body: dict[str, object], path: str, found: str
) -> None:
    """A fraction, a huge number, half a character: other languages would write them otherwise."""
    with pytest.raises(EntryInvalidError) as refused:
        canonical(body)
    assert str(refused.value).startswith(f"{path}: expected ")
    assert found in str(refused.value)


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1, 0])
def test_the_largest_whole_numbers_are_kept_exactly(number: int) -> None:
    """Up to 2**53 - 1 on either side."""
    assert json.loads(canonical({"a": number})) == {"a": number}


def test_what_is_nested_too_deeply_is_refused() -> None:
    """32 levels are read by any program; 33 are refused, and so is what contains itself."""
    deepest: list[object] = []
    for _ in range(30):
        deepest = [deepest]
    assert canonical({"a": deepest}) == b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    with pytest.raises(EntryInvalidError, match="at most 32 levels"):
        canonical({"a": [deepest]})
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(EntryInvalidError, match="at most 32 levels"):
        canonical({"a": endless})


def test_an_entry_is_read_back_as_it_was_stored() -> None:
    """Every field, and the bytes themselves."""
    entry = read(GOLDEN_BYTES)
    assert entry.raw == GOLDEN_BYTES
    assert {name: getattr(entry, name) for name in FIELDS} == json.loads(GOLDEN_BYTES)


def test_an_anchor_is_read() -> None:
    """The size and root of a checkpoint that the entry was not made before."""
    blob = written(golden_with(anchor={"size": 12, "root": "0f" * 32}))
    assert read(blob).anchor == Anchor(size=12, root="0f" * 32)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("v", [0, True, "1", None]),
        ("log", ["", "two\nlines", "a b", "\x1b[2Jsound", "\x9b2J", "é", None, 1]),
        ("pos", [-1, "0", None, True]),
        ("mode", ["live", "", None]),
        ("scope", ["", "two\nlines", "a b", "\x1b[2Jsound", "é", None, 1]),
        ("scope_pos", [-1, "0", None, False]),
        ("scope_prev", ["", "AB" * 32, "ab" * 31, "ab" * 33, "ab" * 32 + "\n", 0]),
        ("name", ["", None, 1]),
        ("shape", [0, "1", None, True]),
        ("stream", ["", "ab" * 15, "AB" * 16, "ab" * 17, None]),
        ("version", [0, "1", None, True]),
        (
            "occurred_at",
            [
                "2026-11-23T09:30:00Z",
                "2026-11-23T09:30:00.000+00:00",
                "2026-11-23T24:00:00.000Z",
                "2026-02-30T09:30:00.000Z",
                "2026-11-23T09:60:00.000Z",
                "2026-11-23 09:30:00.000Z",
                "２026-11-23T09:30:00.000Z",
                "",
                None,
                0,
            ],
        ),
        ("recorded_at", ["2026-11-23", "2026-11-23T09:30:00.000000Z", None]),
        ("clock", ["wrong", "", None]),
        ("actor", ["", None, 1]),
        ("role", ["", None, 1]),
        ("cause", ["", None, 1]),
        (
            "anchor",
            [
                {},
                {"size": 1},
                {"size": -1, "root": "ab" * 32},
                {"size": 1, "root": "ab"},
                {"size": 1, "root": "ab" * 32, "more": 1},
                [],
                "",
            ],
        ),
        ("body", [None, [], "", 1]),
    ],
)
def test_a_field_that_is_not_of_its_form_is_refused(field: str, wrong: list[object]) -> None:
    """Each field in turn: neither read, nor stored."""
    for value in wrong:
        with pytest.raises(EntryUnreadableError, match=rf"^\$\.{field}: expected "):
            read(written(golden_with(**{field: value})))
        if field in GOLDEN_HALF:
            half, place = {**GOLDEN_HALF, field: value}, GOLDEN_PLACE
        elif field in GOLDEN_PLACE:
            half, place = GOLDEN_HALF, {**GOLDEN_PLACE, field: value}
        else:
            continue
        with pytest.raises(EntryInvalidError, match=rf"\$\.{field}: expected "):
            complete(half, **place)


@pytest.mark.parametrize("field", FIELDS)
def test_an_entry_without_one_of_its_fields_is_not_read(field: str) -> None:
    """Each field in turn is left out, or has another name."""
    fields = golden_with()
    value = fields.pop(field)
    with pytest.raises(EntryUnreadableError, match=rf"'{field}'\] missing"):
        read(written(fields))
    with pytest.raises(EntryUnreadableError, match=rf"'{field}'\] missing.*'{field}_2'\] unknown"):
        read(written({**fields, f"{field}_2": value}))


def test_an_entry_with_one_field_more_is_not_read() -> None:
    """What this version does not know, it does not pass over."""
    with pytest.raises(EntryUnreadableError, match=r"\['extra'\] unknown"):
        read(written(golden_with(extra=1)))


def test_a_newer_format_is_called_a_newer_format() -> None:
    """Even if it has other fields as well."""
    with pytest.raises(EntryUnreadableError, match="expected entry format 1, found 2"):
        read(written(golden_with(v=2, extra=1)))


@pytest.mark.parametrize("field", sorted(GOLDEN_HALF))
def test_half_an_entry_must_be_the_right_half(field: str) -> None:
    """The recorder is not to guess what an event left out, nor to let it set its own place."""
    with pytest.raises(EntryInvalidError, match=rf"\['{field}'\] missing"):
        complete({k: v for k, v in GOLDEN_HALF.items() if k != field}, **GOLDEN_PLACE)
    with pytest.raises(EntryInvalidError, match=r"\['pos'\] unknown"):
        complete({**GOLDEN_HALF, "pos": 0}, **GOLDEN_PLACE)


@pytest.mark.parametrize(
    "blob",
    [
        b" " + GOLDEN_BYTES,
        GOLDEN_BYTES + b"\n",
        GOLDEN_BYTES.replace(b":41,", b": 41,"),
        GOLDEN_BYTES.replace(b":41,", b":4.1e1,"),
        GOLDEN_BYTES.replace(b":41,", b":41.0,"),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":-0'),
        GOLDEN_BYTES.replace(b'"c1"', b'"\\u00631"'),
        GOLDEN_BYTES.replace(b"\\u0001", b"\\U0001"),
        GOLDEN_BYTES.replace("é".encode(), b"\\u00e9"),
        GOLDEN_BYTES.replace(b'"\\\\/', b'"\\\\\\/'),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":7,"ordinal":7'),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":6,"ordinal":7'),
        GOLDEN_BYTES.replace(b'"pos":41,', b'"pos":40,"pos":41,'),
        GOLDEN_BYTES.replace(b'"live":true,"note":null', b'"note":null,"live":true'),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":NaN'),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":9007199254740992'),
        GOLDEN_BYTES.replace(b'"ordinal":7', b'"ordinal":' + b"7" * 5000),
        GOLDEN_BYTES.replace("é".encode(), b"\\ud800"),
        GOLDEN_BYTES.replace("é".encode(), b"\xe9"),
        GOLDEN_BYTES.replace("é".encode(), b"\xed\xa0\x80"),
        b"\xef\xbb\xbf" + GOLDEN_BYTES,
        GOLDEN_BYTES.decode().encode("utf-16"),
        GOLDEN_BYTES.decode().encode("utf-32"),
        GOLDEN_BYTES[:-1],
        GOLDEN_BYTES + GOLDEN_BYTES,
        b"[" + GOLDEN_BYTES + b"]",
        b"[" * 60_000,
        b'{"v":' * 10_000,
        b"null",
        b"",
    ],
)
def test_the_same_content_in_another_form_is_not_read(blob: bytes) -> None:
    """Space, order, escapes, a key twice, another encoding: one content, one form."""
    with pytest.raises(EntryUnreadableError):
        read(blob)


def test_an_entry_of_65535_bytes_is_the_largest() -> None:
    """One byte more is refused, before it is stored and when it is read."""
    room = LARGEST_ENTRY - len(complete(half_an_entry(body={"x": ""}), **place_in_the_log()))
    largest = complete(half_an_entry(body={"x": "a" * room}), **place_in_the_log())
    assert len(largest) == LARGEST_ENTRY == 65_535
    assert read(largest).raw == largest
    with pytest.raises(EntryTooLargeError, match=r"alert\.viewed.*at most 65535.*found 65536"):
        complete(half_an_entry(body={"x": "a" * (room + 1)}), **place_in_the_log())
    with pytest.raises(EntryUnreadableError, match="at most 65535 bytes, found 65536"):
        read(largest.replace(b'"x":"', b'"x":"a'))
