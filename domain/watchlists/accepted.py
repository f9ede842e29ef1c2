"""The codes that a watchlist file may use: a catalogue in data, read once and checked.

Source: domain specification, sections 1 and 3.4; architecture, decision 8 (policies are data
where the force decides them).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.kernel.errors import DomainError

CODE_COLUMNS = (
    "category",
    "source_system",
    "image_basis",
    "necessity",
    "attempted_means",
    "attempted_result",
    "nexus",
    "age_band",
    "vulnerable",
    "response_code",
)


class AcceptedValuesError(DomainError):
    """The catalogue itself is not as it must be."""


@dataclass(frozen=True)
class AcceptedValues:
    """One version of the catalogue."""

    version: str
    source: str
    codes: dict[str, dict[str, str]]
    """Column to code to what the code means."""
    off_categories: frozenset[str]
    """Known, but in no criteria unless someone puts them there."""
    forbidden: dict[str, str]
    """Column name (lower case, letters and digits only) to what it would hold."""

    @property
    def default_categories(self) -> list[str]:
        """The categories that are on by default."""
        return [one for one in self.codes["category"] if one not in self.off_categories]


@cache
def accepted_values() -> AcceptedValues:
    """The catalogue that ships with Plumbline."""
    return read_accepted_values(
        files("domain.watchlists").joinpath("accepted_values.toml").read_text(encoding="utf-8")
    )


def read_accepted_values(text: str) -> AcceptedValues:
    """A catalogue from its TOML.

    Raises:
        AcceptedValuesError: says what is missing or of the wrong kind.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AcceptedValuesError(f"expected a catalogue in TOML, found: {error}") from error
    codes = {column: _codes(found, column) for column in CODE_COLUMNS}
    off = frozenset(_table(found, "defaults").get("off_categories", []))
    if unknown := off - codes["category"].keys():
        raise AcceptedValuesError(f"off_categories names no category: {', '.join(sorted(unknown))}")
    forbidden = {
        plain(name): kind
        for kind, names in _table(found, "forbidden_columns").items()
        for name in names
    }
    return AcceptedValues(
        version=_text(found, "version"),
        source=_text(found, "source"),
        codes=codes,
        off_categories=off,
        forbidden=forbidden,
    )


def plain(column: str) -> str:
    """A column's name without case, spaces and signs, so that ``Date-of Birth`` is found out."""
    return "".join(one for one in column.casefold() if one.isalnum())


def _codes(found: dict[str, Any], column: str) -> dict[str, str]:
    table = _table(found, column)
    if not table or not all(isinstance(meaning, str) for meaning in table.values()):
        raise AcceptedValuesError(f"expected codes with their meaning under {column}")
    return table


def _table(found: dict[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name)
    if not isinstance(table, dict):
        raise AcceptedValuesError(f"expected a table {name} in the catalogue, found none")
    return table


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise AcceptedValuesError(f"expected the text {name} in the catalogue, found none")
    return value
