"""Closed lists: the codes that a context accepts, as data with a version, read once and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from domain.kernel.codes import is_code
from domain.kernel.errors import DomainError


class ClosedListsError(DomainError):
    """The lists themselves are not as they must be."""


@dataclass(frozen=True)
class ClosedLists:
    """One version of the codes of a context. It cannot be changed, only replaced by another."""

    version: str
    source: str
    codes: Mapping[str, Mapping[str, str]]
    """List to code to what the code means."""
    limits: Mapping[str, int]

    def has(self, name: str, code: str) -> bool:
        """Whether a list has a code."""
        return code in self.codes[name]


@cache
def closed_lists(package: str, file: str) -> ClosedLists:
    """The lists that ship beside a context."""
    return read_closed_lists(files(package).joinpath(file).read_text(encoding="utf-8"))


def read_closed_lists(text: str) -> ClosedLists:
    """Lists from their TOML: ``version``, ``source``, whole numbers under ``[limits]``, and a table
    for each list, from codes to sentences.

    Raises:
        ClosedListsError: says what is missing or of the wrong kind.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClosedListsError(f"expected closed lists in TOML, found: {error}") from error
    heads = {name: found.pop(name, None) for name in ("version", "source")}
    for name, value in heads.items():
        if not isinstance(value, str) or not value.strip():
            raise ClosedListsError(f"expected the text {name} in the closed lists, found none")
    limits = found.pop("limits", {})
    if not all(type(value) is int and value > 0 for value in limits.values()):
        raise ClosedListsError("expected whole numbers above 0 under limits")
    for name, codes in found.items():
        if not isinstance(codes, dict) or not codes:
            raise ClosedListsError(f"expected a table of codes under {name}, found none")
        for code, meaning in codes.items():
            if not is_code(code) or not isinstance(meaning, str) or not meaning.strip():
                raise ClosedListsError(f"expected codes with what they mean under {name}: {code!r}")
    return ClosedLists(
        version=heads["version"],
        source=heads["source"],
        codes=MappingProxyType({name: MappingProxyType(codes) for name, codes in found.items()}),
        limits=MappingProxyType(limits),
    )
