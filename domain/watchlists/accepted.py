"""The codes that a watchlist file may use: a catalogue in data, read once and checked.

A force may give its own in place of the one that ships; one that is not as it must be stops with
an error that says where.

Source: domain specification, sections 1 and 3.4; architecture, decision 8 (policies are data
where the force decides them).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
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

_KEYS = frozenset({"version", "source", "defaults", "forbidden_columns", *CODE_COLUMNS})
_CODE = re.compile(r"[A-Za-z0-9<>+-]{1,24}")
"""Codes go into events: none may be long enough, or have the signs, to be free text."""
_YES_OR_NO = frozenset({"yes", "no"})
_WORD_ENDS = re.compile(r"[\W_]+")


class AcceptedValuesError(DomainError):
    """The catalogue itself is not as it must be."""


@dataclass(frozen=True)
class AcceptedValues:
    """One version of the catalogue. It cannot be changed, only replaced by another version."""

    version: str
    source: str
    codes: Mapping[str, Mapping[str, str]]
    """Column to code to what the code means."""
    off_categories: frozenset[str]
    """Known, but in no criteria unless someone puts them there."""
    wanted_categories: frozenset[str]
    """Of people who are wanted or suspected; any other is on the list for another reason."""
    seeded_categories: frozenset[str]
    """Of volunteers who are listed to measure recognition with."""
    adult_age_bands: frozenset[str]
    """An entry of any other age band is a child's."""
    forbidden: Mapping[str, str]
    """Column name (lower case, letters and digits only) to what it would hold."""

    @property
    def default_categories(self) -> list[str]:
        """The categories that are on by default."""
        return [one for one in self.codes["category"] if one not in self.off_categories]

    @property
    def contested_categories(self) -> frozenset[str]:
        """Off by default, and not of volunteers: each entry needs extra authority."""
        return self.off_categories - self.seeded_categories

    def forbidden_word(self, column: str) -> str | None:
        """The name in ``forbidden`` that a column has as its own or as one word of it."""
        names = (plain(column), *(plain(word) for word in _WORD_ENDS.split(column)))
        return next((name for name in names if name in self.forbidden), None)


@cache
def accepted_values() -> AcceptedValues:
    """The catalogue that ships with Plumbline."""
    return read_accepted_values(
        files("domain.watchlists").joinpath("accepted_values.toml").read_text(encoding="utf-8")
    )


def read_accepted_values(text: str) -> AcceptedValues:
    """A catalogue from its TOML.

    Raises:
        AcceptedValuesError: says what is missing, unknown or of the wrong kind.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AcceptedValuesError(f"expected a catalogue in TOML, found: {error}") from error
    if unknown := found.keys() - _KEYS:
        raise AcceptedValuesError(
            f"expected only known keys in the catalogue, found {', '.join(sorted(unknown))}"
        )
    codes = {column: _codes(found, column) for column in CODE_COLUMNS}
    if codes["vulnerable"].keys() != _YES_OR_NO:
        raise AcceptedValuesError(
            "expected the codes yes and no under vulnerable, found "
            f"{', '.join(sorted(codes['vulnerable']))}"
        )
    return AcceptedValues(
        version=_text(found, "version"),
        source=_text(found, "source"),
        codes=MappingProxyType(codes),
        off_categories=_among(found, "off_categories", "category", codes),
        wanted_categories=_among(found, "wanted_categories", "category", codes),
        seeded_categories=_among(found, "seeded_categories", "category", codes),
        adult_age_bands=_among(found, "adult_age_bands", "age_band", codes),
        forbidden=_forbidden(found),
    )


def plain(column: str) -> str:
    """A column's name without case, spaces and signs, so that ``Date-of Birth`` is found out."""
    return "".join(one for one in column.casefold() if one.isalnum())


def _codes(found: Mapping[str, Any], column: str) -> Mapping[str, str]:
    table = _table(found, column)
    if not table:
        raise AcceptedValuesError(f"expected codes under {column}, found none")
    for code, meaning in table.items():
        if not _CODE.fullmatch(code):
            raise AcceptedValuesError(
                f"expected codes of 1 to 24 letters, digits and <>+- under {column}, found {code!r}"
            )
        if not _is_text(meaning):
            raise AcceptedValuesError(
                f"expected a sentence that says what {code} means under {column}"
            )
    return MappingProxyType(table)


def _among(
    found: Mapping[str, Any], name: str, column: str, codes: Mapping[str, Mapping[str, str]]
) -> frozenset[str]:
    """A list of a column's codes under ``defaults``."""
    listed = _texts(_table(found, "defaults").get(name), f"{name} under defaults")
    if unknown := [one for one in listed if one not in codes[column]]:
        raise AcceptedValuesError(f"{name} names no {column}: {', '.join(unknown)}")
    return frozenset(listed)


def _forbidden(found: Mapping[str, Any]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            plain(name): kind
            for kind, names in _table(found, "forbidden_columns").items()
            for name in _texts(names, f"{kind!r} under forbidden_columns")
        }
    )


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name)
    if not isinstance(table, dict):
        raise AcceptedValuesError(f"expected a table {name} in the catalogue, found none")
    return table


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise AcceptedValuesError(f"expected the text {name} in the catalogue, found none")
    return value


def _texts(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not all(_is_text(one) for one in value):
        raise AcceptedValuesError(f"expected a list of texts as {where}, found something else")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
