"""Policies and refusals: a rule that says no gives a value, and the value becomes an event.

Promise 2: what was asked for and refused is recorded with all its reasons and what was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar
from uuid import UUID

from domain.kernel.commands import Command
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal

F = TypeVar("F")


@dataclass(frozen=True)
class Refusal:
    """One rule that said no."""

    code: str
    """What a program reads: stable, lower case, underscores."""
    sentence: str
    """What a person reads: what would have to be different. Never a name or free text."""
    compared: dict[str, str] = field(default_factory=dict)
    """The values that the rule compared, as text."""

    @property
    def in_words(self) -> str:
        """Code, sentence and what was compared, for a person."""
        compared = ", ".join(f"{name} {value}" for name, value in self.compared.items())
        return f"{self.code}: {self.sentence}" + (f" ({compared})" if compared else "")


Policy = Callable[[F], Refusal | None]

P = TypeVar("P", bound=Callable[..., Refusal | None])


@dataclass(frozen=True)
class Declared:
    """What a policy says of its own refusals, for whoever asks later which rule it was."""

    codes: tuple[str, ...]
    saying: str | None
    """Its sentence, where another rule about the same kind of request has the same code."""


_DECLARED: dict[Callable[..., Refusal | None], Declared] = {}


def refuses(*codes: str, saying: str | None = None) -> Callable[[P], P]:
    """Declare the codes with which a policy says no. The policy itself stays as it is."""

    def declare(policy: P) -> P:
        _DECLARED[policy] = Declared(codes, saying)
        return policy

    return declare


def declared_by(policy: Callable[..., Refusal | None]) -> Declared:
    """What a policy declared.

    Raises:
        KeyError: nothing; the test of the rulebook prevents it.
    """
    return _DECLARED[policy]


def refusals(policies: Iterable[Policy[F]], facts: F) -> list[Refusal]:
    """Every refusal, not only the first: nobody should learn the rules one error at a time."""
    return [refusal for policy in policies if (refusal := policy(facts)) is not None]


@dataclass(frozen=True, kw_only=True)
class WasRefused(Happened):
    """Base of the refusal events. They stand in their scope's own journal (decision 13)."""

    concerning: UUID | None
    """The stream that the command was aimed at, if it named one."""
    reasons: list[Refusal]


@dataclass(frozen=True)
class Refused:
    """The answer to a command that the rules refused."""

    event: type[WasRefused]
    reasons: list[Refusal]
    command: Command
    concerning: UUID | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the refusal event beyond those that every one has."""

    def __bool__(self) -> bool:
        return True

    @property
    def codes(self) -> list[str]:
        """The codes of the reasons, in the order of the policies."""
        return [reason.code for reason in self.reasons]

    @classmethod
    def again(cls, event: WasRefused, command: Command) -> Refused:
        """The answer that this event keeps, to the same command come again."""
        common = {field.name for field in fields(WasRefused)}
        return cls(
            event=type(event),
            reasons=event.reasons,
            command=command,
            concerning=event.concerning,
            extra={
                field.name: getattr(event, field.name)
                for field in fields(event)
                if field.name not in common
            },
        )

    def recorded(self) -> WasRefused:
        """The event that keeps the attempt."""
        return self.event(
            originator_id=journal("refusals", self.command.scope),
            originator_version=NEXT_VERSION,
            timestamp=self.command.at,
            concerning=self.concerning,
            reasons=[_recordable(one) for one in self.reasons],
            **self.extra,
        )


LONGEST_COMPARED = 200
"""Characters of a compared value that a refusal keeps: whoever is refused must not thereby make
an event too large to be recorded."""


def _recordable(reason: Refusal) -> Refusal:
    """The reason with every value short enough, and writable as UTF-8, so that it is recorded."""
    compared = {name: _short(value) for name, value in reason.compared.items()}
    return replace(reason, compared=compared)


def _short(value: str) -> str:
    writable = value.encode("utf-8", "replace").decode()
    if len(writable) <= LONGEST_COMPARED:
        return writable
    return f"{writable[:LONGEST_COMPARED]}... ({len(writable)} characters)"
