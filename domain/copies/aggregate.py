"""The copies of one watchlist: what is out there, and what is known to be gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.copies import events as happened
from domain.copies.commands import DestroyCopy, RegisterCopy, VerifyCopy
from domain.copies.policies import (
    DESTRUCTION_POLICIES,
    REGISTRATION_POLICIES,
    VERIFICATION_POLICIES,
    EndFacts,
    RegistrationFacts,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.errors import RecordBrokenError
from domain.kernel.references import journal
from domain.kernel.refusals import Refused, refusals


def kinds() -> ClosedLists:
    """The closed lists of kinds, places, holders, methods, probes and exposures."""
    return closed_lists("domain.copies", "kinds.toml")


def copies_of(watchlist: UUID) -> UUID:
    """The one stream of a list's copies."""
    return journal("copies", watchlist.hex)


@dataclass
class CopySeen:
    """One copy, as far as its rules need it."""

    registered: happened.CopyRegistered
    destroyed_by: str | None = None
    verified: bool = False


class Copies(Aggregate):
    """Every copy of one list."""

    KIND = "copies of a watchlist"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.copies: dict[UUID, CopySeen] = {}
        self._first: happened.CopyRegistered | None = None
        self.declared = 0
        """How many copies there were when the list was last said to be destroyed."""

    @property
    def deployment(self) -> UUID:
        """Whose list it is."""
        return self._registered().deployment

    @property
    def watchlist(self) -> UUID:
        """Which list."""
        return self._registered().watchlist

    @property
    def to_be_declared(self) -> bool:
        """Whether every copy is gone, and since the last of them nobody has said so of the list."""
        return bool(self.copies) and not self.open and len(self.copies) > self.declared

    @property
    def open(self) -> list[CopySeen]:
        """The copies that nobody has verified to be gone, in the order of registration."""
        return [one for one in self.copies.values() if not one.verified]

    # -- decide --------------------------------------------------------------------------------

    def decide_registration(
        self, command: RegisterCopy, *, lists_deployment: bool
    ) -> Refused | None:
        """Take a new copy down.

        Args:
            command: what is said.
            lists_deployment: whether the list is that deployment's.
        """
        closed = kinds()
        facts = RegistrationFacts(
            role=command.role,
            mode=command.mode,
            registered=command.copy in self.copies,
            lists_deployment=lists_deployment,
            kind=command.kind,
            location=command.location,
            holder=command.holder,
            exposure=command.exposure,
            closed=closed.codes,
        )
        if reasons := refusals(REGISTRATION_POLICIES, facts):
            return Refused(happened.RegistrationRefused, reasons, command, self.id)
        self.happened(
            happened.CopyRegistered,
            at=command.at,
            copy=command.copy,
            deployment=command.deployment,
            watchlist=command.watchlist,
            kind=command.kind,
            location=command.location,
            holder=command.holder,
            exposure=command.exposure,
            kinds=closed.version,
        )
        return None

    def decide_destruction(self, command: DestroyCopy) -> Refused | None:
        """Take down that a copy was destroyed."""
        facts = self._end_facts(command, method=command.method)
        if reasons := refusals(DESTRUCTION_POLICIES, facts):
            return Refused(happened.DestructionRefused, reasons, command, self.id)
        self.happened(
            happened.CopyDestroyed,
            at=command.at,
            copy=command.copy,
            destroyer=command.actor,
            method=command.method,
        )
        return None

    def decide_verification(self, command: VerifyCopy) -> Refused | None:
        """Take down what another person found."""
        facts = self._end_facts(command, probe=command.probe)
        if reasons := refusals(VERIFICATION_POLICIES, facts):
            return Refused(happened.VerificationRefused, reasons, command, self.id)
        looked = {"copy": command.copy, "probe": command.probe}
        if command.still_there:
            self.happened(happened.StillThere, at=command.at, finder=command.actor, **looked)
        else:
            self.happened(happened.AbsenceVerified, at=command.at, verifier=command.actor, **looked)
        return None

    def declare_destroyed(self, *, items: int, at: datetime) -> None:
        """Say that nothing is left of the list, once for each time that this came to be so.

        Args:
            items: how many items of it were destroyed; none is left.
            at: when.
        """
        if self.to_be_declared:
            self.happened(
                happened.WatchlistDestroyed,
                at=at,
                deployment=self.deployment,
                watchlist=self.watchlist,
                copies=len(self.copies),
                items=items,
            )

    def _registered(self) -> happened.CopyRegistered:
        if self._first is None:
            raise RecordBrokenError(f"copies {self.id.hex}: none was ever registered")
        return self._first

    def _end_facts(
        self, command: DestroyCopy | VerifyCopy, *, method: str = "", probe: str = ""
    ) -> EndFacts:
        seen = self.copies.get(command.copy)
        return EndFacts(
            role=command.role,
            actor=command.actor,
            kind=seen.registered.kind if seen else None,
            destroyed_by=seen.destroyed_by if seen else None,
            verified=seen.verified if seen else False,
            method=method,
            probe=probe,
            closed=kinds().codes,
        )

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.CopiesEvent) -> None:
        """Take in one event."""
        match event:
            case happened.CopyRegistered():
                self.copies[event.copy] = CopySeen(event)
                self._first = self._first or event
            case happened.CopyDestroyed():
                self.copies[event.copy].destroyed_by = event.destroyer
            case happened.AbsenceVerified():
                self.copies[event.copy].verified = True
            case happened.StillThere():
                self.copies[event.copy].destroyed_by = None
            case happened.WatchlistDestroyed():
                self.declared = event.copies
            case _:
                assert_never(event)
