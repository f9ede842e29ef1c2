"""Given what happened, when something is asked, then this happened or was refused.

Two kinds. ``given(...).when(...).then(...)`` is about one aggregate and compares events. A
:class:`Scene` is a whole force of stand-ins around our ports in memory, for what several
aggregates and the vault do together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.deployments.aggregate import Deployment
from domain.governance.evidence import EVIDENCE as EVIDENCE_STREAM
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal
from domain.kernel.refusals import Refused, WasRefused
from domain.ports import Outside, Rechecker, Vault
from domain.services import alerts, deployments, notice, sightings, watchlists
from domain.services.rechecking import LookAgain
from domain.services.survey import Survey
from domain.sightings.commands import FaceEnded
from domain.watchlists.aggregate import Watchlist
from tests.support import builders as a
from tests.support import governed
from tests.support.builders import Fact
from tests.support.memory import Fuse, MemoryClock, MemoryIdentities, MemoryRecord, MemoryVault
from tests.support.stores import Store

A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")
E = TypeVar("E", bound=Happened)


# -- one aggregate -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Given(Generic[A]):
    """An aggregate with its past."""

    kind: type[A]
    facts: Sequence[Fact[A]] = ()

    def when(self, ask: Callable[[A], Refused | None]) -> Outcome[A]:
        """Ask something of it."""
        stream = a.STREAMS[self.kind]
        past = [fact.placed(stream, version) for version, fact in enumerate(self.facts, start=1)]
        aggregate = self.kind.replayed(stream, past)
        answer = ask(aggregate)
        return Outcome(self, aggregate, answer, list(aggregate.collect_events()))


@dataclass(frozen=True)
class Outcome(Generic[A]):
    """What came of asking."""

    given: Given[A]
    aggregate: A
    answer: Refused | None
    new: list[Happened]

    def then(self, expected: Expectation) -> None:
        """Compare with what was expected."""
        expected.compare(self)


class Expectation(ABC):
    """What should have come of asking."""

    @abstractmethod
    def compare(self, outcome: Outcome[Any]) -> None:
        """Fail unless it did."""


@dataclass(frozen=True)
class _Happens(Expectation):
    facts: Sequence[Fact[Any]]

    def compare(self, outcome: Outcome[Any]) -> None:
        """Exactly these events, at their places in the stream, and no refusal."""
        first = len(outcome.given.facts) + 1
        stream = a.STREAMS[outcome.given.kind]
        assert outcome.answer is None
        assert outcome.new == [
            fact.placed(stream, version) for version, fact in enumerate(self.facts, start=first)
        ]


@dataclass(frozen=True)
class _IsRefused(Expectation):
    codes: Sequence[str]
    name: str | None
    compared: dict[str, str] | None

    def compare(self, outcome: Outcome[Any]) -> None:
        """Exactly these reasons, kept in the refusals of the scope, and the stream unmoved."""
        refused = outcome.answer
        assert isinstance(refused, Refused), f"expected a refusal, found {outcome.new}"
        assert refused.codes == list(self.codes)
        assert outcome.new == []
        assert outcome.aggregate.version == len(outcome.given.facts)
        kept = refused.recorded()
        assert kept.originator_id == journal("refusals", refused.command.scope)
        assert kept.originator_version == NEXT_VERSION
        assert kept.timestamp == refused.command.at
        assert kept.concerning == a.CONCERNED[outcome.given.kind]
        assert [one.code for one in kept.reasons] == list(self.codes)
        assert all(one.sentence for one in kept.reasons)
        assert self.name in (None, kept.NAME)
        if self.compared is not None:
            assert [one.compared for one in kept.reasons] == [self.compared]


def given(*facts: Fact[A]) -> Given[A]:
    """What happened before, in order."""
    return Given(facts[0].kind, facts)


def given_no(kind: type[A]) -> Given[A]:
    """Nothing happened before."""
    return Given(kind)


def happened(*facts: Fact[Any]) -> Expectation:
    """Exactly this happened."""
    return _Happens(facts)


def nothing_happened() -> Expectation:
    """Nothing happened, and nothing was refused."""
    return _Happens(())


def refused(
    *codes: str, kept_as: str | None = None, compared: dict[str, str] | None = None
) -> Expectation:
    """It was refused for exactly these reasons, in the order of the policies."""
    return _IsRefused(codes, kept_as, compared)


# -- a force around the ports ------------------------------------------------------------------


@dataclass
class Scene:
    """A deployment played through the services, over ports in memory.

    Each method is a command by one who may give it, at the present time of the clock, and fails
    the test if it is refused. The commands that a test is about it gives itself.
    """

    mode: Mode = Mode.REHEARSAL
    fuse: Fuse = field(default_factory=Fuse)
    vault: MemoryVault = field(default_factory=MemoryVault)

    def __post_init__(self) -> None:
        self.clock = MemoryClock(a.AT)
        self.record = MemoryRecord(self.clock, mode=self.mode, fuse=self.fuse)
        self.vault.fuse = self.fuse
        operational = self.mode is Mode.OPERATIONAL
        self.identities = MemoryIdentities(*((a.APPLICANT,) if operational else ()))
        self.outside = Outside(
            self.record, self.vault, self.clock, self.identities, LookAgain(self.vault)
        )

    def on(self, store: Store) -> Scene:
        """The same, over a real record from here on."""
        record = store.open(clock=self.clock)
        # The steps below ask no more of a record than every one gives.
        self.record = cast(MemoryRecord, record)
        self.outside = replace(self.outside, record=record)
        return self

    def over(self, vault: Vault, rechecker: Rechecker) -> Scene:
        """The same, over real stores from here on."""
        self.outside = replace(self.outside, vault=vault, rechecker=rechecker)
        return self

    # -- what is said with every command

    @property
    def by(self) -> dict[str, Any]:
        """The present time, and the mode of the record."""
        return {"at": self.clock.now(), "mode": self.mode}

    @property
    def basis(self) -> str:
        """What a true adjudication says of who decides."""
        return "own-judgement" if self.mode is Mode.OPERATIONAL else "scripted-rule"

    @property
    def source(self) -> str:
        """A kind of source that fits the mode."""
        return "rtsp" if self.mode is Mode.OPERATIONAL else "file"

    # -- steps

    def applied(self, **changes: Any) -> Scene:
        """A deployment is applied for, with one camera."""
        agreed(deployments.apply_for(self.outside, a.to_apply(**(self.by | changes))))
        self.camera()
        return self

    def camera(self, **changes: Any) -> Scene:
        """A camera gets its zone."""
        command = a.to_configure_a_camera(**({"source_kind": self.source} | self.by | changes))
        agreed(deployments.configure_camera(self.outside, command))
        return self

    def list_opened(self) -> Scene:
        """Criteria are proposed and approved."""
        agreed(watchlists.propose_criteria(self.outside, a.to_propose_criteria(**self.by)))
        agreed(watchlists.approve_criteria(self.outside, a.to_approve_criteria(**self.by)))
        return self

    def entry_proposed(self, entry: UUID = a.ENTRY, **changes: Any) -> Scene:
        """A person is proposed, with image and reference."""
        command = a.to_propose_an_entry(**({"entry": entry} | self.by | changes))
        agreed(
            watchlists.propose_entry(
                self.outside, command, image=b"an image", callers_reference="row-1"
            )
        )
        return self

    def entry_accepted(self, entry: UUID = a.ENTRY) -> Scene:
        """A proposed person is taken, with a template."""
        agreed(
            watchlists.accept_entry(
                self.outside,
                a.to_accept(entry=entry, **self.by),
                template=memoryview(bytearray(b"a reference template")),
            )
        )
        return self

    def entry_rejected(self, entry: UUID) -> Scene:
        """A proposed person is turned away."""
        agreed(watchlists.reject_entry(self.outside, a.to_reject(entry=entry, **self.by)))
        return self

    def list_approved(self) -> Scene:
        """Two managers seal the list, an officer approves it, and each entry is looked at."""
        for sealer in (a.FIRST_MANAGER, a.SECOND_MANAGER):
            agreed(watchlists.seal(self.outside, a.to_seal(actor=sealer, **self.by)))
        agreed(watchlists.approve(self.outside, a.to_approve(**self.by)))
        return self.reviewed()

    def reviewed(self) -> Scene:
        """A manager looks at every entry again."""
        entries = self.watchlist().accepted
        agreed(watchlists.review(self.outside, a.to_review(entries=entries, **self.by)))
        return self

    def listed(self) -> Scene:
        """A list of one entry, approved."""
        return self.list_opened().entry_proposed().entry_accepted().list_approved()

    def in_force(self) -> Scene:
        """Everything that a deployment needs of the force, once."""
        record = self.outside.record
        if EVIDENCE_STREAM in {one.event.originator_id for one in record.history("force")}:
            return self
        registers = governed.everything_in_force(
            **self.by,
            model=a.MODEL,
            threshold=a.THRESHOLD,
            settings=a.SETTINGS,
            trained=a.TRAINED,
        )
        record.append(*registers, by=governed.to(Command, **self.by))
        return self

    def reported(self, **changes: Any) -> Scene:
        """The applicant reports to the Authorising Officer."""
        agreed(deployments.submit_report(self.outside, a.to_report(**(self.by | changes))))
        return self

    def authorised(self, **changes: Any) -> Scene:
        """The deployment is reported on and authorised for the whole requested window."""
        self.in_force()
        if self.deployment().report is None:
            self.reported()
        command = a.to_authorise(**(self.by | changes))
        agreed(deployments.authorise(self.outside, command))
        return self.announced(command.cameras)

    def announced(self, cameras: Sequence[str] = (a.CAMERA,)) -> Scene:
        """The public was told, signs stand, and people can stay out."""
        about = {"deployment": self.deployment().id, "scope": self.deployment().id.hex, **self.by}
        before = {"published_at": self.clock.now() - 2 * a.DAY}
        agreed(notice.publish(self.outside, a.to_publish_the_notice(**about, **before)))
        here = about | {"cameras": list(cameras)}
        agreed(notice.verify_signage(self.outside, a.to_verify_the_signs(**here)))
        agreed(notice.record_route(self.outside, a.to_record_the_way(**here)))
        return self

    def started(self, **changes: Any) -> Scene:
        """Recognition is on."""
        agreed(deployments.start(self.outside, a.to_start(**(self.by | changes))))
        return self

    def running(self) -> Scene:
        """From the application to recognition."""
        return self.applied().listed().authorised().started()

    def alerted(self, alert: UUID = a.ALERT, *, ordinal: int = 1) -> Scene:
        """A possible match is raised."""
        command = a.to_raise(alert=alert, ordinal=ordinal, **self.by)
        agreed(alerts.raise_alert(self.outside, command))
        return self

    def viewed(self, alert: UUID = a.ALERT) -> Scene:
        """The engagement officer looks."""
        agreed(alerts.view(self.outside, a.to_view(alert=alert, **self.by)))
        return self

    def decided(self, alert: UUID = a.ALERT, *, note: str = "") -> Scene:
        """The engagement officer decides."""
        command = a.to_decide(alert=alert, note=note, basis=self.basis, **self.by)
        agreed(alerts.adjudicate(self.outside, command))
        return self

    def saw(
        self, *faces: FaceEnded, progress: tuple[int, int] | None = None, camera: str = a.CAMERA
    ) -> Scene:
        """The recogniser says what became of faces."""
        command = a.to_record_faces(faces=list(faces), progress=progress, camera=camera, **self.by)
        sightings.record_faces(self.outside, command)
        return self

    def stopped(self) -> Scene:
        """Recognition is off."""
        agreed(deployments.stop(self.outside, a.to_stop(**self.by)))
        return self

    def ended(self) -> Scene:
        """The deployment is over."""
        agreed(deployments.end(self.outside, a.to_end(**self.by)))
        return self

    def later(self, by: timedelta) -> Scene:
        """Time passes."""
        self.clock.moves(by)
        return self

    # -- what came of it

    def events(self, kind: type[E]) -> list[E]:
        """The recorded events of a class, in the order of the log."""
        return [one.event for one in self.record.history() if isinstance(one.event, kind)]

    def names(self, *, since: int = 0) -> list[str]:
        """The stored names of the entries from a position on."""
        return [one.event.NAME for one in self.record.history() if one.position >= since]

    def refusals(self) -> list[list[str]]:
        """The codes of every recorded refusal, in the order of the log."""
        return [[why.code for why in one.reasons] for one in self.events(WasRefused)]

    def survey(self) -> Survey:
        """What stands in the record."""
        return Survey().take(self.record.history())

    def live_items(self) -> set[UUID]:
        """The items that the record says exist, or are about to."""
        return {one.item for one in self.survey().items.values() if not one.destroyed}

    def deployment(self) -> Deployment:
        """The deployment as it stands."""
        return self.outside.record.load(Deployment, a.DEPLOYMENT)

    def watchlist(self) -> Watchlist:
        """The watchlist as it stands."""
        return self.outside.record.load(Watchlist, a.WATCHLIST)

    def alert(self, alert: UUID = a.ALERT) -> Alert:
        """An alert as it stands."""
        return self.outside.record.load(Alert, alert)

    def items_of(self, concerning: UUID) -> Iterator[UUID]:
        """The items that belong to an alert or an entry, in the order of registration."""
        return (one.item for one in self.survey().items.values() if one.concerning == concerning)


def agreed(answer: T | Refused) -> T:
    """The answer, which must not be a refusal."""
    assert not isinstance(answer, Refused), f"refused: {answer.codes}"
    return answer
