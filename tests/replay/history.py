"""A small made-up history with fixed ids and times, to be put into any record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.alerts.events import AdjudicationRefused
from domain.deployments.events import StartRefused
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal
from domain.kernel.refusals import Refusal, WasRefused
from domain.kernel.time import Grain
from domain.sightings import events as sighting
from infrastructure.premises import Premises
from infrastructure.record.event_record import EventRecord
from tests.support import builders as a
from tests.support.builders import Fact
from tests.support.memory import MemoryClock, MemoryRecord, Transaction
from tests.support.stores import SetClock

DEPLOYMENT, OTHER_DEPLOYMENT = UUID("d1" * 16), UUID("d2" * 16)
WATCHLIST, ENTRY = UUID("11" * 16), UUID("ee" * 16)
RUN, ALERT = UUID("22" * 16), UUID("aa" * 16)
IMAGE, CROP = UUID("33" * 16), UUID("44" * 16)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Step:
    """One transaction."""

    by: Command
    events: list[Happened]
    grain: Grain


class Teller:
    """Tells a history step by step, a second apart."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._versions: Counter[UUID] = Counter()

    def fact(self, fact: Fact[Any], stream: UUID, actor: str, role: Role) -> None:
        """Something happened to an aggregate."""
        self._versions[stream] += 1
        event = fact.placed(stream, self._versions[stream])
        self._step(event, actor, role)

    def refused(
        self, kind: type[WasRefused], concerning: UUID, actor: str, role: Role, *reasons: Refusal
    ) -> None:
        """Something was asked for and refused."""
        event = kind(
            originator_id=journal("refusals", DEPLOYMENT.hex),
            originator_version=NEXT_VERSION,
            timestamp=self.now,
            concerning=concerning,
            reasons=list(reasons),
        )
        self._step(event, actor, role)

    def saw(self, kind: type[Happened], *, grain: Grain = Grain.MINUTE, **fields: Any) -> None:
        """A camera says something of a face or of its run."""
        placed: dict[str, Any] = {
            "originator_id": journal("sightings", f"{RUN.hex}/{a.CAMERA}"),
            "originator_version": NEXT_VERSION,
            "timestamp": grain.floor(self.now),
            "run": RUN,
        }
        event = kind(**placed, **fields)
        self._step(event, a.RECOGNISER, Role.SYSTEM, grain=grain)

    @property
    def now(self) -> datetime:
        """The time of the step that comes next."""
        return a.AT + len(self.steps) * SECOND

    def _step(
        self, event: Happened, actor: str, role: Role, *, grain: Grain = Grain.MILLISECOND
    ) -> None:
        scope = OTHER_DEPLOYMENT if event.originator_id == OTHER_DEPLOYMENT else DEPLOYMENT
        command = Command(
            scope=scope.hex,
            mode=Mode.REHEARSAL,
            actor=actor,
            role=role,
            at=self.now,
            command_id=UUID(int=len(self.steps)),
        )
        self.steps.append(Step(command, [event], grain))


def a_history() -> list[Step]:
    """A deployment from application to receipt, with two refusals, and another one's first entry.

    Position 3 is the other deployment's. A start before the authorisation is refused at 11, a
    second decision at 22.
    """
    told = Teller()
    operator = (a.OPERATOR, Role.OPERATOR)
    manager = (a.FIRST_MANAGER, Role.WATCHLIST_MANAGER)
    officer = (a.AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER)
    engagement = (a.ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER)
    system = ("system:listing", Role.SYSTEM)
    recogniser = (a.RECOGNISER, Role.SYSTEM)
    custodian = ("system:custodian", Role.SYSTEM)
    applicant = (a.APPLICANT, Role.APPLICANT)
    of_list: dict[str, Any] = {"deployment": DEPLOYMENT}

    told.fact(a.an_applied_deployment(at=told.now, watchlist=WATCHLIST), DEPLOYMENT, *applicant)
    told.fact(a.camera_configured(at=told.now), DEPLOYMENT, *operator)
    told.fact(a.criteria_proposed(at=told.now, **of_list), WATCHLIST, *manager)
    told.fact(a.an_applied_deployment(at=told.now), OTHER_DEPLOYMENT, *applicant)
    told.fact(a.criteria_approved(at=told.now), WATCHLIST, *officer)
    image = a.a_registered_item(
        at=told.now,
        item_class="reference_image",
        rule="RT-06",
        clock_starts="deployment_end",
        due_at=a.AT + a.WINDOW + a.DAY,
        concerning=ENTRY,
        **of_list,
    )
    told.fact(image, IMAGE, *manager)
    told.fact(a.entry_proposed(at=told.now, entry=ENTRY, image_item=IMAGE), WATCHLIST, *manager)
    told.fact(a.entry_accepted(at=told.now, entry=ENTRY), WATCHLIST, *system)
    told.fact(a.seal_requested(at=told.now), WATCHLIST, *manager)
    told.fact(a.list_sealed(at=told.now), WATCHLIST, a.SECOND_MANAGER, Role.WATCHLIST_MANAGER)
    told.fact(a.list_approved(at=told.now), WATCHLIST, *officer)
    told.refused(
        StartRefused,
        DEPLOYMENT,
        *operator,
        Refusal("not_authorised", "an Authorising Officer must authorise the deployment"),
        Refusal(
            "gallery_differs_from_the_list",
            "load the approved watchlist",
            {"gallery": "2", "list": "1"},
        ),
    )
    told.fact(a.authorised(at=told.now, watchlist=WATCHLIST), DEPLOYMENT, *officer)
    told.fact(a.started(at=told.now, run=RUN, watchlist=WATCHLIST), DEPLOYMENT, *operator)
    face: dict[str, Any] = {"camera": a.CAMERA, "template_life_ms": 30}
    told.saw(sighting.FaceEnrolledAndDiscarded, ordinal=1, **face)
    told.saw(sighting.RunProgressed, camera=a.CAMERA, frames=250, seen=3)
    crop = a.a_registered_item(at=told.now, concerning=ALERT, due_at=told.now + a.DAY, **of_list)
    told.fact(crop, CROP, *recogniser)
    raised = a.an_alert(
        at=told.now,
        run=RUN,
        ordinal=2,
        watchlist=WATCHLIST,
        entry=ENTRY,
        items={"face_crop": CROP},
    )
    told.fact(raised, ALERT, *recogniser)
    told.saw(sighting.SightingSuppressed, ordinal=3, alert=ALERT, **face)
    told.fact(a.viewed(at=told.now), ALERT, *engagement)
    told.fact(a.decided(at=told.now), ALERT, *engagement)
    told.fact(a.stopped(at=told.now, run=RUN), DEPLOYMENT, *operator)
    told.refused(
        AdjudicationRefused,
        ALERT,
        *engagement,
        Refusal("already_decided", "the alert was decided"),
    )
    told.fact(a.ended(at=told.now), DEPLOYMENT, *operator)
    told.fact(a.destruction_started(at=told.now, cause="ended"), CROP, *custodian)
    told.fact(a.item_destroyed(at=told.now, concerning=ALERT, **of_list), CROP, *custodian)
    return told.steps


def in_memory(steps: list[Step]) -> MemoryRecord:
    """The history in a record in memory."""
    clock = MemoryClock(a.AT)
    record = MemoryRecord(clock)
    for step in steps:
        clock.stands_at(step.by.at)
        record.append(*step.events, by=step.by, grain=step.grain)
    return record


def on_disk(path: Path, steps: Sequence[Step | Transaction]) -> Path:
    """The history in the SQLite record of a new data directory.

    Args:
        path: the directory.
        steps: of this module, or the transactions of a record in memory.
    """
    premises = Premises(path)
    premises.found(Mode.REHEARSAL)
    clock = SetClock()
    record = premises.open_record(Mode.REHEARSAL, clock)
    put(record, clock, steps)
    record.close()
    return path


def put(record: EventRecord, clock: SetClock, steps: Sequence[Step | Transaction]) -> None:
    """The history in a record, by this clock."""
    for step in steps:
        clock.at = max(clock.at, step.by.at)
        record.append(*step.events, by=step.by, grain=step.grain)
