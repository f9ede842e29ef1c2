"""Any order of commands, by anyone, in any role, with any clock: the promises hold.

One machine over the ports in memory. Most commands come from the one who may give them, so that
deployments get somewhere; the others come from anybody. Two deployments share one record, so that
what belongs to the one cannot be mistaken for what belongs to the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.alerts.events import AlertAdjudicated, AlertRaised, AlertViewed
from domain.custody.commands import ConsultItem
from domain.custody.events import DestructionStarted, ItemConsulted, ItemDestroyed
from domain.deployments.events import (
    AuthorisationRatified,
    DeploymentAppliedFor,
    DeploymentAuthorised,
    DeploymentStarted,
    DeploymentStopped,
    PlaceDecided,
    ReportSubmitted,
)
from domain.engagements import commands as engaging
from domain.engagements.events import (
    EngagementEnded,
    EngagementStarted,
    OutcomeRecorded,
    PersonNotLocated,
)
from domain.figures.deployment_record import counted
from domain.governance import commands as governing
from domain.governance import events as facts
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.events import Happened
from domain.kernel.references import journal, new_reference
from domain.kernel.refusals import Refused, WasRefused
from domain.notice.aggregate import notice_of
from domain.notice.events import NoticeOmitted, NoticePublished, SignageRemoved, SignageVerified
from domain.ports import Outside
from domain.services import (
    alerts,
    custody,
    deployments,
    engagements,
    governance,
    notice,
    sightings,
    watchlists,
)
from domain.services.lateness import retention_now
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import sweep
from domain.watchlists.events import (
    EntriesReviewed,
    EntryAccepted,
    EntryProposed,
    EntryRemoved,
    WatchlistApproved,
    WatchlistSealed,
)
from tests.support import builders as a
from tests.support import governed
from tests.support.scenarios import Scene, agreed


@dataclass(frozen=True)
class Place:
    """One deployment with its list."""

    deployment: UUID
    watchlist: UUID

    @property
    def scope(self) -> str:
        """The scope of its commands."""
        return self.deployment.hex


HERE = Place(a.DEPLOYMENT, a.WATCHLIST)
THERE = Place(UUID(int=0xD2), UUID(int=0x112))
PEOPLE = (
    a.APPLICANT,
    a.FIRST_MANAGER,
    a.SECOND_MANAGER,
    a.AUTHORISING_OFFICER,
    a.OPERATOR,
    a.ENGAGEMENT_OFFICER,
)

Who = dict[str, Any]
people = st.sampled_from(PEOPLE)
roles = st.sampled_from(Role)
whoever: st.SearchStrategy[Who] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"actor": people}),
    st.fixed_dictionaries({"role": roles}),
    st.fixed_dictionaries({"actor": people, "role": roles}),
)
"""Nothing is the one who may; or somebody else in that role, or they in another, or anyone."""
places = st.sampled_from([HERE, HERE, HERE, THERE])
entries = st.sampled_from([a.ENTRY, a.ENTRY, a.OTHER_ENTRY, UUID(int=0xEEE)])
ordinals = st.integers(1, 6)
mostly = st.sampled_from([True, True, False])
some = st.integers(0, 7)
"""Which of those there are, counted round."""


outcomes = st.sampled_from(["no-further-action", "not-same-person", "arrest-warrant", "told-off"])
FollowUp = tuple[Callable[..., object], type[Command], dict[str, Any]]
TOLD: dict[str, tuple[Callable[..., object], Callable[..., Command]]] = {
    "notice": (notice.publish, a.to_publish_the_notice),
    "no notice": (notice.omit, a.to_omit_the_notice),
    "signs": (notice.verify_signage, a.to_verify_the_signs),
    "signs gone": (notice.remove_signage, a.to_remove_the_signs),
    "way": (notice.record_route, a.to_record_the_way),
}
FOLLOW_UPS: dict[str, FollowUp] = {
    "start": (
        engagements.start,
        engaging.StartEngagement,
        {"officers": [a.ENGAGEMENT_OFFICER], "power": "conversation"},
    ),
    "identity": (
        engagements.establish_identity,
        engaging.EstablishIdentity,
        {"identity": "same", "method": "documents"},
    ),
    "information": (
        engagements.give_information,
        engaging.GiveInformation,
        {"information": "given"},
    ),
    "end": (
        engagements.end,
        engaging.EndEngagement,
        {"duration": "under-5", "force_used": False, "handcuffed": False},
    ),
    "outcome": (engagements.record_outcome, engaging.RecordOutcome, {}),
    "correction": (engagements.correct_outcome, engaging.CorrectOutcome, {"reason": "misheard"}),
    "not located": (engagements.not_located, engaging.ReportNotLocated, {}),
    "review": (
        engagements.review_false_alert,
        engaging.ReviewFalseAlert,
        {
            "actor": "staff:auditor",
            "role": Role.AUDITOR,
            "causes": ["look-alike"],
            "actions": ["none-needed"],
        },
    ),
}
_DOCUMENT = {"kind": "apd", "version": governed.VERSION}
_COURSE = {"person": a.OPERATOR, "course": "lfr-operator"}
_DAYS = {"passed_on": "2026-11-01", "valid_until": "2027-12-31"}
CHANGES: dict[str, FollowUp] = {
    "document withdrawn": (
        governance.withdraw_document,
        governing.WithdrawPolicyDocument,
        _DOCUMENT,
    ),
    "programme paused": (governance.pause_programme, governing.PauseProgramme, {}),
    "programme resumed": (
        governance.resume_programme,
        governing.ResumeProgramme,
        {"evidence": ["test-2"]},
    ),
    "course withdrawn": (governance.withdraw_training, governing.WithdrawTraining, _COURSE),
    "course passed": (governance.record_training, governing.RecordTraining, _COURSE | _DAYS),
}


def in_force_and_applied(scene: Scene) -> Scene:
    """Everything in force, an approved list, and nothing authorised yet."""
    return scene.in_force().applied().listed()


def urgently(scene: Scene) -> Scene:
    """An inspector allowed it; nobody has ratified it yet."""
    scene.in_force().applied().listed()
    agreed(deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by)))
    return scene


def at_a_school(scene: Scene) -> Scene:
    """Reported, and in need of a second authority."""
    return scene.reported(sections=a.the_sections(sensitive_place=["school"]))


def a_long_run(scene: Scene) -> Scene:
    """A run with an alert that is due long before the window is over."""
    until = a.AT + timedelta(days=3)
    scene.applied(requested_until=until).listed().authorised(valid_until=until)
    return scene.started().alerted()


STAGES: tuple[Callable[[Scene], object], ...] = (
    lambda scene: scene,
    lambda scene: scene.applied().list_opened().entry_proposed().entry_accepted(),
    lambda scene: scene.applied().listed(),
    lambda scene: scene.applied().camera(camera="camera-2").listed(),
    in_force_and_applied,
    lambda scene: scene.running(),
    a_long_run,
    lambda scene: scene.running().alerted().viewed().stopped(),
    lambda scene: scene.running().alerted().viewed().decided(),
    lambda scene: scene.in_force().applied().listed().reported(),
    lambda scene: urgently(scene).announced(),
    lambda scene: urgently(scene).announced().started(),
    lambda scene: at_a_school(scene.in_force().applied().listed()),
)


class AnyOrder(RuleBasedStateMachine):
    """A force in which anyone tries anything at any time."""

    scene: Scene

    @initialize(mode=st.sampled_from(Mode), stage=st.sampled_from(STAGES))
    def begin(self, mode: Mode, stage: Callable[[Scene], object]) -> None:
        """Somewhere in the life of the first deployment."""
        self.scene = Scene(mode=mode)
        stage(self.scene)

    # -- how anything is tried

    def said(self, place: Place, who: Who, **fields: Any) -> dict[str, Any]:
        """What is said with a command; the builder adds who may give it."""
        return {"scope": place.scope, **self.scene.by, **who, **fields}

    def attempt(self, command: Command, carry_out: Callable[[Outside], object]) -> None:
        """Try it: it leaves its event, or its refusal and nothing else, or names nothing."""
        record, vault = self.scene.record, self.scene.vault
        size, held = record.size(), vault.keys()
        versions = Counter(one.event.originator_id for one in record.history())
        try:
            answer = carry_out(self.scene.outside)
        except DomainError:
            assert (record.size(), vault.keys()) == (size, held)
            return
        left = [one for one in record.history() if one.position >= size]
        caused = [one.event for one in left if one.cause == command.command_id.hex]
        refusals = [one for one in caused if isinstance(one, WasRefused)]
        if isinstance(answer, Refused):
            assert [one.reasons for one in refusals] == [answer.reasons]
            assert answer.concerning is not None
            assert record.version(answer.concerning) == versions[answer.concerning]
            assert vault.keys() == held
        else:
            assert caused
            assert refusals == []

    # -- deployments

    @rule(place=places, who=whoever, hours=st.sampled_from([-1, 1, 8, 72]))
    def apply(self, place: Place, who: Who, hours: int) -> None:
        """Apply for a deployment, perhaps one without an end."""
        now = self.scene.clock.now()
        window = {"requested_from": now, "requested_until": now + timedelta(hours=hours)}
        ids = {"deployment": place.deployment, "watchlist": place.watchlist}
        command = a.to_apply(**self.said(place, who, **ids, **window))
        self.attempt(command, lambda outside: deployments.apply_for(outside, command))

    @rule(place=places, who=whoever, kind=st.sampled_from([None, None, "file", "rtsp"]))
    def camera(self, place: Place, who: Who, kind: str | None) -> None:
        """Set a camera up, perhaps one that does not fit the mode."""
        asked = {"deployment": place.deployment, "source_kind": kind or self.scene.source}
        command = a.to_configure_a_camera(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.configure_camera(outside, command))

    @rule(place=places, who=whoever, hours=st.sampled_from([1, 8]))
    def authorise(self, place: Place, who: Who, hours: int) -> None:
        """Allow the deployment from now on."""
        now = self.scene.clock.now()
        window = {"valid_from": now, "valid_until": now + timedelta(hours=hours)}
        command = a.to_authorise(**self.said(place, who, deployment=place.deployment, **window))
        self.attempt(command, lambda outside: deployments.authorise(outside, command))

    @rule(place=places, who=whoever, sensitive=st.sampled_from(["none", "none", "school"]))
    def report(self, place: Place, who: Who, sensitive: str) -> None:
        """Report to the Authorising Officer."""
        told = a.the_sections(sensitive_place=[sensitive])
        asked = {"deployment": place.deployment, "sections": told}
        command = a.to_report(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.submit_report(outside, command))

    @rule(place=places, who=whoever, granted=mostly)
    def decide_on_place(self, place: Place, who: Who, granted: bool) -> None:
        """Decide on a sensitive place."""
        asked = {"deployment": place.deployment, "granted": granted}
        command = a.to_decide_on_the_place(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.decide_on_place(outside, command))

    @rule(place=places, who=whoever)
    def authorise_urgently(self, place: Place, who: Who) -> None:
        """An inspector allows what there is no time to ask a superintendent for."""
        now = self.scene.clock.now()
        window = {"valid_from": now, "valid_until": now + timedelta(hours=1)}
        asked = {"deployment": place.deployment, **window}
        command = a.to_authorise_urgently(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.authorise(outside, command))

    @rule(place=places, who=whoever, ratified=mostly)
    def ratify(self, place: Place, who: Who, ratified: bool) -> None:
        """Take an urgent authorisation over, or not."""
        asked = {"deployment": place.deployment, "ratified": ratified}
        command = a.to_ratify(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.ratify(outside, command))

    @rule(place=places, who=whoever, hours=st.sampled_from([-1, 1, 7, 9]))
    def vary(self, place: Place, who: Who, hours: int) -> None:
        """Change the window."""
        window = {"valid_from": a.AT, "valid_until": a.AT + timedelta(hours=hours)}
        command = a.to_vary(**self.said(place, who, deployment=place.deployment, **window))
        self.attempt(command, lambda outside: deployments.vary(outside, command))

    @rule(place=places, who=whoever, told=st.sampled_from(sorted(TOLD)))
    def tell(self, place: Place, who: Who, told: str) -> None:
        """Say how the public is told."""
        serve, build = TOLD[told]
        command = build(**self.said(place, who, deployment=place.deployment))
        self.attempt(command, lambda outside: serve(outside, command))

    @rule(place=places, who=whoever, size=st.sampled_from([1, 1, 1, 2]), again=st.booleans())
    def start(self, place: Place, who: Who, size: int, again: bool) -> None:
        """Switch recognition on, perhaps under a reference that was used before."""
        run = a.RUN if again else new_reference()
        asked = {"deployment": place.deployment, "run": run, "gallery_size": size}
        command = a.to_start(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: deployments.start(outside, command))

    @rule(place=places, who=whoever)
    def stop(self, place: Place, who: Who) -> None:
        """Switch recognition off."""
        command = a.to_stop(**self.said(place, who, deployment=place.deployment))
        self.attempt(command, lambda outside: deployments.stop(outside, command))

    @rule(place=places, who=whoever)
    def end(self, place: Place, who: Who) -> None:
        """End the deployment."""
        command = a.to_end(**self.said(place, who, deployment=place.deployment))
        self.attempt(command, lambda outside: deployments.end(outside, command))

    @rule(place=places, who=whoever)
    def cancel(self, place: Place, who: Who) -> None:
        """Call the deployment off."""
        command = a.to_cancel(**self.said(place, who, deployment=place.deployment))
        self.attempt(command, lambda outside: deployments.cancel(outside, command))

    # -- watchlists

    @rule(place=places, who=whoever)
    def propose_criteria(self, place: Place, who: Who) -> None:
        """Propose who may be on the list."""
        ids = {"deployment": place.deployment, "watchlist": place.watchlist}
        command = a.to_propose_criteria(**self.said(place, who, **ids))
        self.attempt(command, lambda outside: watchlists.propose_criteria(outside, command))

    @rule(place=places, who=whoever)
    def approve_criteria(self, place: Place, who: Who) -> None:
        """Approve who may be on the list."""
        command = a.to_approve_criteria(**self.said(place, who, watchlist=place.watchlist))
        self.attempt(command, lambda outside: watchlists.approve_criteria(outside, command))

    @rule(place=places, who=whoever, entry=entries)
    def review(self, place: Place, who: Who, entry: UUID) -> None:
        """Look at an entry again."""
        asked = {"watchlist": place.watchlist, "entries": [entry]}
        command = a.to_review(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: watchlists.review(outside, command))

    @rule(place=places, who=whoever, entry=entries)
    def remove(self, place: Place, who: Who, entry: UUID) -> None:
        """Take an entry off, whatever state the list is in."""
        asked = {"watchlist": place.watchlist, "entry": entry}
        command = a.to_remove(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: watchlists.remove_entry(outside, command))

    @rule(place=places, who=whoever)
    def reopen(self, place: Place, who: Who) -> None:
        """Let a sealed list take entries."""
        command = a.to_reopen(**self.said(place, who, watchlist=place.watchlist))
        self.attempt(command, lambda outside: watchlists.reopen(outside, command))

    @rule(place=places, who=whoever, entry=entries, category=st.sampled_from([a.CATEGORY, "other"]))
    def propose(self, place: Place, who: Who, entry: UUID, category: str) -> None:
        """Propose a person, perhaps outside the criteria."""
        asked = {
            "watchlist": place.watchlist,
            "entry": entry,
            "necessity": a.why(category=category),
        }
        command = a.to_propose_an_entry(**self.said(place, who, **asked))
        self.attempt(
            command,
            lambda outside: watchlists.propose_entry(
                outside, command, image=b"an image", callers_reference="row-1"
            ),
        )

    @rule(place=places, who=whoever, entry=entries)
    def accept(self, place: Place, who: Who, entry: UUID) -> None:
        """Take a person."""
        command = a.to_accept(**self.said(place, who, watchlist=place.watchlist, entry=entry))
        template = memoryview(bytearray(b"a template"))
        self.attempt(
            command,
            lambda outside: watchlists.accept_entry(outside, command, template=template),
        )

    @rule(place=places, who=whoever, entry=entries)
    def reject(self, place: Place, who: Who, entry: UUID) -> None:
        """Turn a person away."""
        command = a.to_reject(**self.said(place, who, watchlist=place.watchlist, entry=entry))
        self.attempt(command, lambda outside: watchlists.reject_entry(outside, command))

    @rule(place=places, who=whoever, second=st.booleans())
    def seal(self, place: Place, who: Who, second: bool) -> None:
        """Close the list."""
        sealer = {"actor": a.SECOND_MANAGER if second else a.FIRST_MANAGER, **who}
        command = a.to_seal(**self.said(place, sealer, watchlist=place.watchlist))
        self.attempt(command, lambda outside: watchlists.seal(outside, command))

    @rule(place=places, who=whoever)
    def approve(self, place: Place, who: Who) -> None:
        """Approve the list."""
        command = a.to_approve(**self.said(place, who, watchlist=place.watchlist))
        self.attempt(command, lambda outside: watchlists.approve(outside, command))

    @rule(place=places)
    def load_the_gallery(self, place: Place) -> None:
        """Take the templates into memory."""
        ids = {"deployment": place.deployment, "watchlist": place.watchlist}
        command = a.to_load_the_gallery(**self.said(place, {}, **ids))
        self.attempt(command, lambda outside: watchlists.load_gallery(outside, command))

    # -- recognition

    @rule(
        place=places, ordinal=ordinals, entry=entries, inside=st.sampled_from([True, True, False])
    )
    def raise_an_alert(self, place: Place, ordinal: int, entry: UUID, inside: bool) -> None:
        """Raise a possible match, perhaps outside the zone or of nobody on the list."""
        asked = {
            "deployment": place.deployment,
            "alert": new_reference(),
            "run": self.run_of(place),
            "ordinal": ordinal,
            "entry": entry,
            "inside_zone": inside,
        }
        command = a.to_raise(**self.said(place, {}, **asked))
        self.attempt(command, lambda outside: alerts.raise_alert(outside, command))

    @rule(place=places, ordinal=ordinals, faces=st.sampled_from([0, 9, 10, 40]))
    def faces(self, place: Place, ordinal: int, faces: int) -> None:
        """Say what became of faces, whether or not recognition is on."""
        asked = {
            "deployment": place.deployment,
            "run": self.run_of(place),
            "faces": [a.enrolled(ordinal), a.not_enrolled(ordinal + 1)],
            "faces_in_the_last_minute": faces,
            "progress": (10 * ordinal, ordinal + 1),
        }
        command = a.to_record_faces(**self.said(place, {}, **asked))
        self.attempt(command, lambda outside: sightings.record_faces(outside, command))

    @rule(place=places)
    def reconcile(self, place: Place) -> None:
        """Compare what was seen with what became of it."""
        asked = {"deployment": place.deployment, "run": self.run_of(place)}
        command = a.to_reconcile(**self.said(place, {}, **asked))
        self.attempt(command, lambda outside: sightings.reconcile(outside, command))

    def run_of(self, place: Place) -> UUID:
        """The run that is on, or the one that the builders name."""
        seen = self.scene.survey().deployments.get(place.deployment)
        return (seen.run if seen else None) or a.RUN

    # -- officers

    @rule(which=some, who=whoever)
    def view(self, which: int, who: Who) -> None:
        """Look at an alert, or at one that never was."""
        place, alert = self.an_alert(which)
        command = a.to_view(**self.said(place, who, alert=alert))
        self.attempt(command, lambda outside: alerts.view(outside, command))

    @rule(
        which=some,
        who=whoever,
        note=st.sampled_from(["", "he looked familiar"]),
        decision=st.sampled_from(["viable", "not_viable", "identified"]),
        true=mostly,
    )
    def adjudicate(self, which: int, who: Who, note: str, decision: str, true: bool) -> None:
        """Decide an alert, perhaps claiming what is not one of the three, or not truly."""
        place, alert = self.an_alert(which)
        asked = {
            "deployment": place.deployment,
            "alert": alert,
            "note": note,
            "decision": decision,
            "basis": self.scene.basis if true else "",
        }
        command = a.to_decide(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: alerts.adjudicate(outside, command))

    @rule(which=some, who=whoever, step=st.sampled_from(sorted(FOLLOW_UPS)), outcome=outcomes)
    def follow_up(self, which: int, who: Who, step: str, outcome: str) -> None:
        """Engage somebody because of an alert, or say what came of it, in whatever order."""
        place, alert = self.an_alert(which)
        serve, kind, fields = FOLLOW_UPS[step]
        by = {"actor": a.ENGAGEMENT_OFFICER, "role": Role.ENGAGEMENT_OFFICER}
        told = {"deployment": place.deployment, "alert": alert, **fields}
        if "outcomes" in kind.__annotations__:
            told["outcomes"] = [outcome]
        command = kind(**(by | self.said(place, who, **told)))
        self.attempt(command, lambda outside: serve(outside, command))

    # -- what is in force

    @rule(who=whoever, change=st.sampled_from(sorted(CHANGES)))
    def something_changes_in_force(self, who: Who, change: str) -> None:
        """A document is withdrawn or put back, a course ends, the programme pauses, by anyone."""
        serve, kind, fields = CHANGES[change]
        fields = {"reason": "stop-it", **fields} if "reason" in kind.__annotations__ else fields
        command = governed.to(kind, **(self.scene.by | who | fields))
        self.attempt(command, lambda outside: serve(outside, command))

    def an_alert(self, which: int) -> tuple[Place, UUID]:
        """One of those that were raised, with where; or one that never was."""
        raised = [
            (HERE if one.scope == HERE.scope else THERE, one.event.originator_id)
            for one in self.scene.record.history()
            if isinstance(one.event, AlertRaised)
        ]
        return raised[which % len(raised)] if raised else (HERE, UUID(int=0xA9))

    @rule(
        which=some, who=whoever, purpose=st.sampled_from(["adjudication", "gallery", "curiosity"])
    )
    def consult(self, which: int, who: Who, purpose: str) -> None:
        """Open an item, whatever it is and whatever for."""
        items = list(self.scene.survey().items.values())
        item = items[which % len(items)] if items else None
        place = HERE if item is None or item.deployment == HERE.deployment else THERE
        asked = {"item": item.item if item else a.ITEM, "purpose": purpose}
        command: ConsultItem = a.to_consult(**self.said(place, who, **asked))
        self.attempt(command, lambda outside: custody.consult(outside, command))

    @rule(
        place=places,
        order=st.permutations(PEOPLE),
        what=st.sampled_from(["criteria", "seal", "list", "deployment", "deployment", "alert"]),
    )
    def everybody_tries(self, place: Place, order: list[str], what: str) -> None:
        """One after the other, each twice, to do what takes somebody else or a second person."""
        for actor in (one for person in order for one in (person, person)):
            who = {"actor": actor}
            match what:
                case "criteria":
                    self.approve_criteria(place=place, who=who)
                case "seal":
                    self.seal(place=place, who=who, second=False)
                case "list":
                    self.approve(place=place, who=who)
                case "deployment":
                    self.authorise(place=place, who=who, hours=1)
                case _:
                    self.adjudicate(which=0, who=who, note="", decision="viable", true=True)

    # -- time, and what the system does by itself

    @rule(
        minutes=st.sampled_from([-90, -1, 1, 30, 90, 24 * 60]),
        believed=mostly,
    )
    def time_passes(self, minutes: int, believed: bool) -> None:
        """Or is set, forward or back, on a clock that may not be believed."""
        self.scene.clock.moves(timedelta(minutes=minutes))
        self.scene.clock.believed = believed

    @rule(hours=st.sampled_from([0, 0, 8, 24]))
    def sweep(self, hours: int) -> None:
        """After some time; then nothing is due, and no window that is over is open."""
        self.scene.clock.moves(timedelta(hours=hours))
        sweep(self.scene.outside)
        survey = self.scene.survey()
        now = retention_now(self.scene.outside, survey)
        assert not [one for one in survey.items.values() if not one.destroyed and one.due_at <= now]
        assert not [one for one in survey.deployments.values() if not one.over and one.until <= now]

    @rule()
    def start_again(self) -> None:
        """The process ends in good order, and another takes its place."""
        finish_what_was_begun(self.scene.outside)
        size = self.scene.record.size()
        assert finish_what_was_begun(self.scene.outside) == []
        assert self.scene.record.size() == size

    # -- what always holds

    def events(self) -> list[Happened]:
        """Every event, in the order of the log."""
        return [one.event for one in self.scene.record.history()]

    @invariant()
    def the_vault_holds_what_the_record_says(self) -> None:
        """Keys, ciphertexts and live items are the same set."""
        assert self.scene.vault.keys() == self.scene.vault.ciphertexts() == self.scene.live_items()

    @invariant()
    def every_receipt_is_the_only_one(self) -> None:
        """One for each tombstone."""
        receipts = Counter(one.originator_id for one in self.scene.events(ItemDestroyed))
        assert set(receipts.values()) <= {1}
        assert set(self.scene.vault.tombstones) == set(receipts)

    @invariant()
    def nothing_is_left_of_what_is_over(self) -> None:
        """Neither an item nor an open alert."""
        survey = self.scene.survey()
        for one in survey.deployments.values():
            if one.over:
                assert survey.items_left(one.deployment) == []
                assert one.deployment not in survey.open_alerts.values()

    @invariant()
    def nobody_is_both_applicant_and_authorising_officer(self) -> None:
        """Nor did the officer put anyone on the list, seal it, or approve what they made."""
        applicants: dict[UUID, str] = {}
        makers: dict[UUID, set[str]] = {}
        for event in self.events():
            match event:
                case DeploymentAppliedFor():
                    applicants[event.originator_id] = event.applicant
                case EntryProposed():
                    makers.setdefault(event.originator_id, set()).add(event.proposer)
                case WatchlistSealed():
                    assert len(set(event.sealers)) == 2
                    makers.setdefault(event.originator_id, set()).update(event.sealers)
                case WatchlistApproved():
                    assert event.officer not in makers[event.originator_id]
                case DeploymentAuthorised():
                    assert event.officer != applicants[event.originator_id]
                    assert event.officer not in makers[event.watchlist]

    @invariant()
    def every_alert_belongs_to_a_run_that_was_on(self) -> None:
        """By the order of the log, whatever the clocks said."""
        on: set[UUID] = set()
        for event in self.events():
            match event:
                case DeploymentStarted():
                    on.add(event.run)
                case DeploymentStopped():
                    on.remove(event.run)
                case AlertRaised():
                    assert event.run in on

    @invariant()
    def who_decided_had_looked_and_who_read_could(self) -> None:
        """A look before each decision; no read once a destruction began."""
        looked: set[tuple[UUID, str]] = set()
        going: set[UUID] = set()
        for event in self.events():
            match event:
                case AlertViewed():
                    looked.add((event.originator_id, event.officer))
                case AlertAdjudicated():
                    assert (event.originator_id, event.officer) in looked
                case DestructionStarted():
                    going.add(event.originator_id)
                case ItemConsulted():
                    assert event.originator_id not in going

    @invariant()
    def nothing_started_that_a_gate_should_have_stopped(self) -> None:
        """Told from the order of the log alone: no pause, no lacking document, a trained operator;
        and nobody was spoken to before a viable adjudication, or after it was closed."""
        paused, trained, there = False, False, set[str]()
        viable: set[UUID] = set()
        reported: dict[UUID, list[str]] = {}
        allowed: dict[UUID, bool] = {}
        lapses: dict[UUID, datetime | None] = {}
        announced, signed = set[UUID](), set[UUID]()
        reviewed: dict[UUID, datetime] = {}
        listed: dict[UUID, set[UUID]] = {}
        for event in self.events():
            match event:
                case facts.ProgrammePaused():
                    paused = True
                case facts.ProgrammeResumed():
                    paused = False
                case facts.TrainingRecorded() if event.person == a.OPERATOR:
                    trained = True
                case facts.TrainingWithdrawn() if event.person == a.OPERATOR:
                    trained = False
                case facts.PolicyDocumentRegistered():
                    there.add(event.kind)
                case facts.PolicyDocumentWithdrawn():
                    there.remove(event.kind)
                case ReportSubmitted():
                    reported[event.originator_id] = event.sections["sensitive-place"]
                case PlaceDecided():
                    allowed[event.originator_id] = event.granted
                case DeploymentAuthorised():
                    assert there >= SHIPPED.documents.keys()
                    of = event.originator_id
                    assert of in reported or event.urgency
                    assert reported.get(of, ["none"]) == ["none"] or allowed.get(of)
                    lapses[of] = event.ratify_by
                case AuthorisationRatified():
                    lapses[event.originator_id] = None
                case NoticePublished() | NoticeOmitted():
                    announced.add(event.originator_id)
                case SignageVerified():
                    signed.add(event.originator_id)
                case SignageRemoved():
                    signed.discard(event.originator_id)
                case EntriesReviewed():
                    reviewed |= dict.fromkeys(event.entries, event.timestamp)
                case EntryAccepted():
                    listed.setdefault(event.originator_id, set()).add(event.entry)
                case EntryRemoved():
                    listed[event.originator_id].discard(event.entry)
                case AlertRaised():
                    assert event.entry in listed[event.watchlist]
                case DeploymentStarted():
                    assert not paused and trained
                    assert there >= SHIPPED.documents.keys()
                    told = notice_of(event.originator_id)
                    assert told in announced and told in signed
                    now, lapse = event.timestamp, lapses[event.originator_id]
                    assert lapse is None or now < lapse
                    looked = [reviewed[one] for one in listed[event.watchlist]]
                    assert all(now - one <= timedelta(days=1) for one in looked)
                case AlertAdjudicated() if event.decision == "viable":
                    viable.add(event.originator_id)
                case EngagementStarted() | PersonNotLocated():
                    assert event.alert in viable

    @invariant()
    def an_alert_was_followed_up_once(self) -> None:
        """Somebody was spoken to or nobody was found; an outcome was said once, after the end."""
        followed = Counter[UUID]()
        ended: set[UUID] = set()
        said = Counter[UUID]()
        for event in self.events():
            match event:
                case EngagementStarted() | PersonNotLocated():
                    followed[event.alert] += 1
                case EngagementEnded():
                    ended.add(event.originator_id)
                case OutcomeRecorded():
                    assert event.originator_id in ended
                    said[event.originator_id] += 1
        assert set(followed.values()) <= {1} and set(said.values()) <= {1}

    @invariant()
    def the_figures_add_up(self) -> None:
        """Whatever was done, an alert is true, false or undecided, and no other sum is wrong."""
        for place in (HERE, THERE):
            record = counted(place.deployment, self.scene.record.history(place.scope), {})
            wrong = [one.says for one in record.sums if not one.holds]
            # Faces are said here whether or not anyone saw them, so that their sum is nobody's.
            assert all(says.startswith("faces_seen =") for says in wrong)

    @invariant()
    def refusals_stand_in_journals_of_their_own(self) -> None:
        """So they never moved a target, and nothing else stands there."""
        for one in self.scene.record.history():
            is_refusal = isinstance(one.event, WasRefused)
            in_the_journal = one.event.originator_id == journal("refusals", one.scope)
            assert is_refusal == in_the_journal

    def teardown(self) -> None:
        """Whatever was done, in the end nothing is left of anyone."""
        if not hasattr(self, "scene"):
            return
        self.scene.clock.moves(timedelta(days=400))
        self.scene.clock.believed = True
        sweep(self.scene.outside)
        assert self.scene.live_items() == self.scene.vault.keys() == set()
        assert all(one.over for one in self.scene.survey().deployments.values())


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
