"""What a deployment needs before it may be authorised and started: one object, adopted as data.

A force may ask for more than what ships, never for less: what ships is the reading of statute and
case law that the domain specification gives. An old decision stays judged by the requirements of
its day, whose version it names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from domain.kernel.codes import is_code
from domain.kernel.errors import DomainError

IN_FORCE = "in-force"
PUBLISHED = "published"
_DEGREES = (IN_FORCE, PUBLISHED)
"""How much is asked of a document, from less to more."""
_TABLES = {
    "documents": None,
    "screening": {"questions"},
    "training": None,
    "evidence": {"oldest_days"},
    "at_most": None,
    "at_least": None,
}
"""The tables of a file, and the keys of those that have fixed ones."""
AT_MOST = frozenset(
    {
        "list_entries",
        "list_review_hours",
        "window_hours",
        "urgent_hours",
        "rights_answer_days",
        "breach_notice_hours",
    }
)
AT_LEAST = frozenset({"notice_hours"})
"""The limits that there are. One that a version does not name is the one that ships."""


class RequirementsError(DomainError):
    """Requirements cannot be read as such."""


@dataclass(frozen=True)
class Requirements:
    """One version of what a deployment needs. It cannot be changed, only replaced by another."""

    version: str
    documents: Mapping[str, str]
    """Kind of document to ``in-force`` or ``published``."""
    questions: tuple[str, ...]
    """The DPIA screening questions that must have an answer."""
    training: Mapping[str, str]
    """Role to the course that its holder must have in date."""
    oldest_evidence_days: int
    """Days after a performance test until its figures no longer count; more than 0."""
    at_most: Mapping[str, int]
    at_least: Mapping[str, int]

    def limit(self, name: str) -> int:
        """The limit of this name; the one that ships, where this version does not say."""
        own = {**SHIPPED.at_most, **SHIPPED.at_least, **self.at_most, **self.at_least}
        return own[name]

    @classmethod
    def parse(cls, text: str, where: str) -> Requirements:
        """Read TOML as ``requirements.toml`` shows it.

        Raises:
            RequirementsError: it is not as it must be; says where.
        """
        try:
            return cls.read(tomllib.loads(text), where)
        except tomllib.TOMLDecodeError as error:
            raise RequirementsError(f"{where}: {error}") from error

    @classmethod
    def read(cls, read: Mapping[str, Any], where: str) -> Requirements:
        """The requirements of a file that was parsed.

        Raises:
            RequirementsError: it is not as it must be; says where.
        """
        expected = {"version", "source", *_TABLES}
        if read.keys() != expected:
            raise RequirementsError(
                f"{where}: expected {', '.join(sorted(expected))}, found {', '.join(sorted(read))}"
            )
        for table, keys in _TABLES.items():
            if not isinstance(read[table], dict) or (keys and read[table].keys() != keys):
                raise RequirementsError(
                    f"{where}: expected a table {table}"
                    + (f" with {', '.join(sorted(keys))}" if keys else "")
                )
        return cls.adopted(
            version=read["version"],
            documents=read["documents"],
            questions=read["screening"]["questions"],
            training=read["training"],
            oldest_evidence_days=read["evidence"]["oldest_days"],
            at_most=read["at_most"],
            at_least=read["at_least"],
            where=where,
        )

    @classmethod
    def adopted(
        cls,
        *,
        version: Any,
        documents: Any,
        questions: Any,
        training: Any,
        oldest_evidence_days: Any,
        at_most: Any,
        at_least: Any,
        where: str = "the record",
    ) -> Requirements:
        """The requirements with these fields, as a file or an event tells them.

        Raises:
            RequirementsError: a field is not as it must be; says which.
        """
        if not isinstance(version, str) or not is_code(version):
            raise RequirementsError(f"{where}: expected a version that is a code")
        for name, table in (("documents", documents), ("training", training)):
            if not all(isinstance(one, str) and is_code(one) for one in (*table, *table.values())):
                raise RequirementsError(f"{where}: expected codes under {name}")
        if unknown := set(documents.values()) - set(_DEGREES):
            raise RequirementsError(
                f"{where}: expected {' or '.join(_DEGREES)} for each document, "
                f"found {', '.join(sorted(unknown))}"
            )
        if not isinstance(questions, list) or not all(
            isinstance(one, str) and is_code(one) for one in questions
        ):
            raise RequirementsError(f"{where}: expected a list of codes under questions")
        if type(oldest_evidence_days) is not int or oldest_evidence_days <= 0:
            raise RequirementsError(f"{where}: expected a whole number of days above 0")
        for name, table, known in (
            ("at_most", at_most, AT_MOST),
            ("at_least", at_least, AT_LEAST),
        ):
            _check_limits(name, table, known, where)
        return cls(
            version,
            MappingProxyType(dict(documents)),
            tuple(questions),
            MappingProxyType(dict(training)),
            oldest_evidence_days,
            MappingProxyType(dict(at_most)),
            MappingProxyType(dict(at_least)),
        )

    def as_adopted(self) -> dict[str, Any]:
        """The fields as a command and an event tell them."""
        return {
            "version": self.version,
            "documents": dict(self.documents),
            "questions": list(self.questions),
            "training": dict(self.training),
            "oldest_evidence_days": self.oldest_evidence_days,
            "at_most": dict(self.at_most),
            "at_least": dict(self.at_least),
        }

    def dropped_from(self, floor: Requirements) -> list[str]:
        """What the floor asks for and this does not, in words."""
        gone = [
            f"document {kind} {degree}"
            for kind, degree in floor.documents.items()
            if kind not in self.documents
            or _DEGREES.index(self.documents[kind]) < _DEGREES.index(degree)
        ]
        gone += [f"question {one}" for one in floor.questions if one not in self.questions]
        gone += [f"training of {role}" for role in floor.training if role not in self.training]
        if self.oldest_evidence_days > floor.oldest_evidence_days:
            gone.append(f"evidence of at most {floor.oldest_evidence_days} days")
        gone += [
            f"{name} of at most {most}"
            for name, most in floor.at_most.items()
            if self.limit(name) > most
        ]
        gone += [
            f"{name} of at least {least}"
            for name, least in floor.at_least.items()
            if self.limit(name) < least
        ]
        return gone


def _check_limits(name: str, table: Any, known: frozenset[str], where: str) -> None:
    if unknown := set(table) - known:
        raise RequirementsError(
            f"{where}: expected {', '.join(sorted(known))} under {name}, "
            f"found {', '.join(sorted(unknown))}"
        )
    if not all(type(one) is int and one > 0 for one in table.values()):
        raise RequirementsError(f"{where}: expected whole numbers above 0 under {name}")


SHIPPED = Requirements.parse(
    files("domain.governance").joinpath("requirements.toml").read_text(encoding="utf-8"),
    "the requirements that ship",
)
"""What is asked until a force adopts its own, and the least that any may ask."""
