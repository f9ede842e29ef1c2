"""Bags: a directory in which every file is listed with its digest.

::

    bagit.txt                what this is
    bag-info.txt             about whom and when
    manifest-sha256.txt      each file below data/ with its digest
    tagmanifest-sha256.txt   each of the three above with its digest
    data/                    the content

The digests show damage. They show no forgery: whoever changes a file can write its digest anew.

Stricter than the standard, so that one content has one form: digests in lower case, names in
visible ASCII that lead nowhere else, each once and in order, nothing that is not listed.

Source: RFC 8493 (BagIt).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from domain.assurance.files import content, names_below, open_plain
from domain.assurance.verification import FaultFoundError, Kind

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

DECLARATION_NAME = "bagit.txt"
ABOUT = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAYLOAD = "data/"

_TAGS = (ABOUT, DECLARATION_NAME, MANIFEST)
_MOST_MANIFEST_BYTES = 16 * 1024 * 1024
_AT_ONCE = 1024 * 1024
_LINE = re.compile(
    r"([0-9a-f]{64})  ((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*)"
)


def manifest(digests: Mapping[str, str]) -> bytes:
    """A manifest: names with their digests in hex, in the order of the names."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def check_bag(directory: Path) -> set[str]:
    """Compare every file with its digest.

    Returns:
        The names of the payload files, ``data/`` included.

    Raises:
        FaultFoundError: a file is missing, altered, not listed, a link, or the lists are damaged.
    """
    found = set(names_below(directory))
    tags = _read(directory, TAG_MANIFEST)
    if tags.keys() != set(_TAGS):
        raise FaultFoundError(
            Kind.ALTERED, f"{TAG_MANIFEST}: expected the digests of {', '.join(_TAGS)} only"
        )
    _compare(directory, tags)
    if content(directory / DECLARATION_NAME, DECLARATION_NAME, most=1024) != DECLARATION:
        raise FaultFoundError(Kind.UNREADABLE, f"{DECLARATION_NAME}: expected a bag of version 1.0")
    payload = _read(directory, MANIFEST)
    if strays := [name for name in payload if not name.startswith(PAYLOAD)]:
        raise FaultFoundError(Kind.ALTERED, f"{MANIFEST} lists {strays[0]}, which is not in data/")
    _compare(directory, payload)
    _require_nothing_else(found, {TAG_MANIFEST, *_TAGS, *payload})
    return set(payload)


def digest_of(path: Path, name: str) -> str:
    """SHA-256 of a file, hex, with flat memory.

    Raises:
        FaultFoundError: as :func:`domain.assurance.files.open_plain`.
    """
    digest = hashlib.sha256()
    with open(open_plain(path, name), "rb") as file:
        while chunk := file.read(_AT_ONCE):
            digest.update(chunk)
    return digest.hexdigest()


def _read(directory: Path, name: str) -> dict[str, str]:
    raw = content(directory / name, name, most=_MOST_MANIFEST_BYTES)
    digests: dict[str, str] = {}
    for number, line in enumerate(raw.decode("ascii", "replace").split("\n")[:-1], start=1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise FaultFoundError(
                Kind.UNREADABLE, f"{name}, line {number}: expected a digest and a plain name"
            )
        digests[parts[2]] = parts[1]
    if manifest(digests) != raw:
        raise FaultFoundError(
            Kind.UNREADABLE, f"{name}: expected each name once, in order, each on a whole line"
        )
    return digests


def _compare(directory: Path, digests: Mapping[str, str]) -> None:
    for name, digest in digests.items():
        found = digest_of(directory / name, name)
        if found != digest:
            raise FaultFoundError(
                Kind.ALTERED, f"{name}: expected the digest {digest}, found {found}"
            )


def _require_nothing_else(found: Iterable[str], listed: set[str]) -> None:
    if strays := sorted(set(found) - listed):
        raise FaultFoundError(Kind.ALTERED, f"{strays[0]} is in the bag and in no list of it")
