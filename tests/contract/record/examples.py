"""Commands and events to store: at least one example of every class in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from domain.alerts.events import AlertViewed
from domain.custody.events import AdoptedRule, SearchedPlace, Statement
from domain.custody.schedule import BUILT_IN
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal
from domain.kernel.refusals import Refusal
from domain.sightings.events import FaceEnrolledAndDiscarded
from infrastructure.record.event_record import EventRecord
from tests.support.stores import HALF_PAST_NINE

DEPLOYMENT = UUID("d1" * 16)
ANOTHER_DEPLOYMENT = UUID("d2" * 16)
RUN = UUID("a7" * 16)
ENVELOPE = ("originator_id", "originator_version", "timestamp")

_REFERENCES = UUID("5d0c1c2e-7f0b-5f57-9a55-0e3f6f2b8a41")


def stream(number: int) -> UUID:
    """A stream of the tests' own."""
    return uuid5(_REFERENCES, str(number))


def asked(**changed: Any) -> Command:
    """A command of a stand-in in a rehearsal."""
    given: dict[str, Any] = {
        "scope": DEPLOYMENT.hex,
        "mode": Mode.REHEARSAL,
        "actor": "stand-in:operator-1",
        "role": Role.OPERATOR,
        "at": HALF_PAST_NINE,
        "command_id": UUID("c0" * 16),
    }
    return Command(**(given | changed))


def viewed(number: int = 1, *, version: int = 1) -> AlertViewed:
    """An event of an ordinary stream."""
    return AlertViewed(
        originator_id=stream(number),
        originator_version=version,
        timestamp=HALF_PAST_NINE,
        officer="stand-in:operator-1",
    )


def face(ordinal: int = 1, *, camera: str = "camera-1") -> FaceEnrolledAndDiscarded:
    """An event for a journal."""
    return FaceEnrolledAndDiscarded(
        originator_id=journal("faces", f"{RUN.hex}/{camera}"),
        originator_version=NEXT_VERSION,
        timestamp=HALF_PAST_NINE,
        run=RUN,
        camera=camera,
        ordinal=ordinal,
        template_life_ms=38,
    )


def three_entries(record: EventRecord) -> None:
    """One scope, two streams: the log that a store's forbidden statements are about."""
    record.append(viewed(1), viewed(1, version=2), viewed(2), by=asked())


def thirty_entries(record: EventRecord) -> None:
    """Two deployments beside each other, ordinary streams and journals, transactions of 1 and 3."""
    for number in range(5):
        for deployment, camera in ((DEPLOYMENT, "camera-1"), (ANOTHER_DEPLOYMENT, "camera-2")):
            by = asked(scope=deployment.hex)
            events = [
                viewed(deployment.int % 100 + number),
                face(number * 2, camera=camera),
                face(number * 2 + 1, camera=camera),
            ]
            for transaction in [events] if number % 2 else [[event] for event in events]:
                record.append(*transaction, by=by)
    assert record.size() == 30


def usual(event_class: type[Happened]) -> Happened:
    """An example as a rehearsal would record it."""

    def value(name: str, kind: Any) -> Any:
        if kind == list[Refusal]:
            return _REASONS
        for known in (f"{event_class.NAME}.{name}", name):
            if known in _USUAL:
                return _USUAL[known]
        return _usual(kind)

    return _example(event_class, value)


def at_the_edges(event_class: type[Happened]) -> list[Happened]:
    """Examples whose every field holds what is still allowed, and only just."""
    return [
        _example(event_class, lambda _, kind: _smallest(kind)),
        _example(event_class, lambda _, kind: _largest(kind)),
    ]


def changed(event: Happened, **fields: Any) -> Happened:
    """Other values in an event, whatever their types."""
    return replace(event, **fields)


def field_types(event_class: type[Happened]) -> dict[str, Any]:
    """The fields of its own, with the types that the class declares."""
    hints = get_type_hints(event_class)
    return {
        field.name: hints[field.name] for field in fields(event_class) if field.name not in ENVELOPE
    }


def _example(event_class: type[Happened], value: Callable[[str, Any], Any]) -> Happened:
    return event_class(
        originator_id=uuid5(_REFERENCES, event_class.NAME),
        originator_version=1,
        timestamp=HALF_PAST_NINE,
        **{name: value(name, kind) for name, kind in field_types(event_class).items()},
    )


def _smallest(kind: Any) -> Any:
    """Nothing, nobody, never: the least that a type can hold."""
    match _taken_apart(kind):
        case (origin, _) if origin in (list, dict):
            return origin()
        case (optional, _) if optional is UnionType:
            return None
    return {
        str: "",
        int: -(2**53 - 1),
        bool: False,
        UUID: UUID(int=0),
        Decimal: Decimal("-0.000"),
        datetime: datetime(1, 1, 1, tzinfo=UTC),
        Refusal: Refusal("", ""),
        AdoptedRule: AdoptedRule("", "", "", 0, False, ""),
        Statement: Statement("", "", -(2**53 - 1), False),
        SearchedPlace: SearchedPlace("", "", 0, 0, 0, 0, -(2**53 - 1)),
    }[kind]


def _largest(kind: Any) -> Any:
    """The most, the furthest, and every kind of character."""
    match _taken_apart(kind):
        case (origin, (one,)) if origin is list:
            return [_largest(one), _smallest(one), _largest(one)]
        case (origin, (_, one)) if origin is dict:
            # in the order of canonical JSON, which is the order that a dict comes back in
            return {"": _smallest(one), 'A "key"\\': _largest(one), "z": _largest(one)}
        case (optional, (one, *_)) if optional is UnionType:
            return _largest(one)
    return {
        str: 'Zo\u00eb \u202e\u2028\x00\r\n\t"\\/ \U0001f469\u200d\U0001f4bb \ufeff',
        int: 2**53 - 1,
        bool: True,
        UUID: UUID(int=2**128 - 1),
        Decimal: Decimal("12345678901234567890.12345678901234567890"),
        datetime: datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        Refusal: Refusal("late", "come \u2264 5 min earlier", {"": "", "limit": "0.40"}),
        AdoptedRule: AdoptedRule("free_text", "RT-17", "alert", 2**53 - 1, True, "\u2264 24 h"),
        Statement: Statement("free_text", "alert", 2**53 - 1, True),
        SearchedPlace: SearchedPlace("media", "clean", 2**53 - 1, 2**53 - 1, 10, 10, 0),
    }[kind]


def _usual(kind: Any) -> Any:
    """A value for a field that says no more than its type."""
    match _taken_apart(kind):
        case (optional, (one, *_)) if optional is UnionType:
            return _usual(one)
        case (origin, (one,)) if origin is list:
            return [_usual(one)]
    return {
        int: 3,
        bool: True,
        UUID: UUID("e4" * 16),
        datetime: datetime(2026, 11, 23, 21, 30, 0, 250_000, tzinfo=UTC),
    }[kind]


def _taken_apart(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """A generic type's origin and arguments; of a union the arguments without None."""
    arguments = tuple(one for one in get_args(kind) if one is not NoneType)
    return get_origin(kind), arguments


_USUAL: Mapping[str, Any] = {
    "canary.residue_found.place": "temporary",
    "canary.searched.forms": ["float32", "base64", "jpeg"],
    "canary.searched.places": [
        SearchedPlace("record", "clean", 3, 1_234_567, 11, 11, 0),
        SearchedPlace("memory", "clean", 512, 401_234_567, 10, 10, 0),
        SearchedPlace("swap", "absent", 0, 0, 0, 0, 0),
    ],
    "contested_categories": [],
    "content": "template",
    "form": "float32",
    "outcome": "clean",
    "played_in": "node",
    "codec": "h264",
    "duration_ms": 59_800,
    "footage.segment_lost.cause": "media_store",
    "frames": 1_495,
    "document": "privacy-notice",
    "document.registered.digest": "d7" * 32,
    "published_on": "2026-11-01",
    "owner": "information-asset-owner",
    "rules": BUILT_IN.as_adopted(),
    "statements": [Statement("footage_segment", "first_frame", 2_678_400, True)],
    "version": "2026-1",
    "destruction.rechecked.items": [UUID("f1" * 16), UUID("f2" * 16)],
    "destruction.rechecked.kind": "separate-process",
    "destruction.rechecked.recheck": UUID("e5" * 16),
    "destruction.rechecked.still_there": [],
    "inventory.attested.epochs": ["e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4/footage_segment/2026-11-23"],
    "inventory.attested.missing": 0,
    "orphan.found.kind": "ciphertext",
    "day": "2026-11-23",
    "epoch": f"{'d1' * 16}/face_crop/2026-11-23",
    "epoch_root": "a1" * 32,
    "holds": [],
    "keystore_root": "a2" * 32,
    "known_from": "witness",
    "root_known": "ab" * 32,
    "media_root": "a3" * 32,
    "methods": {"L0": "reads-refused", "L1": "key-deleted", "L2": "unlinked"},
    "public_key": "19" * 32,
    "rechecker": "5d0c1c2e7f0bdf57",
    "schedule": "2026-1",
    "signature": "c7" * 64,
    "source": "person",
    "store": "media",
    "copy.registered.location": "import-folder",
    "hold.requested.items": [UUID("f1" * 16), UUID("f2" * 16)],
    "item.copied_outside.destination": "evidence-store",
    "retention.decided_for_arrest.basis": "cpia-1996",
    "retention.decided_for_arrest.decision": "moved_to_case_file",
    "retention.decided_for_arrest.items": {"face_crop": UUID("f1" * 16)},
    "algorithm.evidence_attached.basis": "stand-in",
    "deployment.authorised.valid_from": HALF_PAST_NINE,
    "deployment.authorised.valid_until": HALF_PAST_NINE,
    "policy.published.kind": "policy",
    "policy.registered.digest": "d9" * 32,
    "policy.registered.kind": "policy",
    "policy.withdrawn.kind": "policy",
    "policy.withdrawn.reason": "court-order",
    "deployment.authorisation_ratified.reason": "threat-made-out",
    "deployment.authorisation_varied.reason": "crowd-moved-on",
    "deployment.authorisation_withdrawn.reason": "threat-has-passed",
    "deployment.authorisation_varied.valid_from": HALF_PAST_NINE,
    "deployment.authorisation_varied.valid_until": HALF_PAST_NINE,
    "deployment.authorised.ratify_by": None,
    "deployment.place_decided.reason": "no-service-is-held-then",
    "deployment.ratification_declined.reason": "no-imminent-threat",
    "by_nexus": {"event-attendance": 1, "intelligence-location": 2},
    "catalogue": "2026-11-1",
    "rank": "superintendent",
    "rank_evidence": "substantive",
    "sections": {"operation": ["operation-7"], "sensitive-place": ["none"]},
    "urgency": "",
    "programme.paused.reason": "disparity-under-review",
    "programme.resumed.reason": "retested",
    "training.withdrawn.reason": "failed-refresher",
    "algorithm.evidence_withdrawn.reason": "test-set-was-biased",
    "dpia.approved.reason": "",
    "dpia.approved.version": "stand-in-1",
    "alert.dissent_recorded.decision": "not_viable",
    "actions": ["threshold-review"],
    "causes": ["look-alike", "pose-or-light"],
    "codes": "2026-11-1",
    "duration": "5-to-15",
    "engagement.identity_established.method": "documents",
    "engagement.outcome_corrected.reason": "charge-dropped",
    "force_used": False,
    "handcuffed": True,
    "identity": "same",
    "information": "given",
    "engagement.started.officers": ["stand-in:engagement-officer-1", "stand-in:officer-2"],
    "outcomes": ["de-arrested", "no-further-action"],
    "power": "stop-and-account",
    "reviewer": "stand-in:auditor-1",
    "was": ["arrest-offence"],
    "programme.resumed.evidence": ["stand-in-2"],
    "requirements.adopted.at_least": {"notice_hours": 48},
    "requirements.adopted.at_most": {"list_entries": 2000},
    "requirements.adopted.documents": {"apd": "published", "eia": "in-force"},
    "watchlist.entry_removed.reason": "arrested",
    "watchlist.extra_authority_decided.reason": "missing-and-at-risk",
    "watchlist.reopened.reason": "new-intelligence",
    "watchlist.destroyed.copies": 2,
    "watchlist.destroyed.items": 6,
    "accepted_values": "rehearsal-1",
    "about": "mistaken",
    "answer": "replied",
    "asker": "passer-by",
    "breach.reported.kind": "list-lost",
    "closing": "upheld",
    "how": "time-and-place",
    "reason_for_delay": "",
    "reporter": "stand-in:dpo-1",
    "rights.answer_restricted.ground": "crime-prevention",
    "rights.identity_verified.method": "documents",
    "right": "access",
    "risk": "high",
    "digest": "d5" * 32,
    "publication.record_corrected.reason": "an-alert-was-reviewed",
    "publication.record_corrected.was": "d4" * 32,
    "channel": "force-website",
    "notice.omitted.ground": "terrorism",
    "notice.published.published_at": HALF_PAST_NINE,
    "publisher": "stand-in:operator-1",
    "recorder": "stand-in:operator-1",
    "signage.removed.remover": "stand-in:operator-1",
    "route": "north-entrance",
    "page": "https://rehearsal.invalid/policy",
    "advice": "proceed",
    "answers": {"5.1": True, "5.2": False},
    "adult_age_bands": ["adult"],
    "age_band": "adult",
    "applicant": "stand-in:applicant-1",
    "approver": "stand-in:asset-owner-1",
    "bases": "2026-11-1",
    "attempted_means": "visit-to-last-known-place",
    "attempted_on": "2026-11-20",
    "attempted_result": "not-found",
    "basis": "scripted-rule",
    "boundary": "keystore and media store of these premises",
    "by_age_band": {"adult": 3},
    "by_category": {"missing-at-risk": 1, "wanted-by-courts": 2},
    "by_source_system": {"rehearsal-list": 3},
    "camera": "camera-1",
    "cameras": ["camera-1", "camera-2"],
    "categories": ["wanted-by-courts", "missing-at-risk"],
    "category": "wanted-by-courts",
    "case_reference": "psd-2026-118",
    "cause": "deployment_ended",
    "ciphertext_digest": "5f" * 32,
    "clock_starts": "alert_raised",
    "commitment": "c4" * 32,
    "content_type": "image/png",
    "decider": "stand-in:engagement-officer-1",
    "decision": "insufficient",
    "decliner": "stand-in:asset-owner-1",
    "destination": "evidence-store",
    "destroyer": "stand-in:watchlist-manager-1",
    "commences_on": "2026-11-01",
    "course": "lfr-operator",
    "documents": {"apd": "stand-in-1", "policy": "stand-in-1"},
    "doubled": ["camera-1/4"],
    "environmental_factors": ["lighting"],
    "evidence": "stand-in-1",
    "exposure": "owner-only",
    "finder": "stand-in:watchlist-manager-2",
    "ground": "cpia-1996",
    "grounds": "2026-11-1",
    "holder": "watchlist-manager",
    "image_basis": "custody",
    "intelligence_led": "seen-here-before",
    "item_class": "face_crop",
    "items": {"face_crop": UUID("f1" * 16), "probe_template": UUID("f2" * 16)},
    "kept_in": "file",
    "kind": "csv",
    "kinds": "2026-11-1",
    "known_copies_outside": [],
    "levels": ["L0", "L1", "L2"],
    "location": "rehearsal-street",
    "missing": ["camera-1/7", "camera-2/1"],
    "method": "unlinked",
    "mode": "rehearsal",
    "model_digest": "3d" * 32,
    "necessity": "failed-to-appear",
    "nexus": "lives-nearby",
    "note_item": None,
    "new_verifier_key": "example.org/plumbline/rehearsal+31b7747a+"
    "ASmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X",
    "objective": "locate-wanted-persons",
    "officer": "stand-in:engagement-officer-1",
    "officers": "stand-in",
    "old_verifier_key": "example.org/plumbline/rehearsal+497c6bed+"
    "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    "passed_on": "2026-11-01",
    "person": "stand-in:operator-1",
    "precautions": {"core_dumps": "off", "memory": "locked"},
    "probe": "looked-by-name",
    "proposer": "stand-in:watchlist-manager-1",
    "purpose": "adjudication",
    "reason": "blur",
    "reasons": ["too_small", "two_faces"],
    "questions": ["5.1", "5.2"],
    "recheck": "in-process",
    "recogniser_settings": {"cool_down_s": "30", "frames_for_a_decision": "3"},
    "remover": "stand-in:watchlist-manager-1",
    "releaser": "stand-in:disclosure-officer-1",
    "requester": "stand-in:disclosure-officer-1",
    "requirements": "2026-11-1",
    "response_code": "stop-and-verify",
    "hold.reviewed.reviewer": "stand-in:asset-owner-1",
    "root": "b7" * 32,
    "rule": "alert-31-days",
    "sealer": "stand-in:watchlist-manager-1",
    "settings": {"fewest_frames": "3", "gate_sharpness": "12"},
    "sealers": ["stand-in:watchlist-manager-1", "stand-in:watchlist-manager-2"],
    "source_kind": "file",
    "source_system": "rehearsal-list",
    "subject_factors": ["pose", "occlusion"],
    "system_factors": ["one-frame-only"],
    "targeted": "named-persons-wanted",
    "threshold": Decimal("0.400"),
    "threshold_justification": "rehearsal-default",
    "tested_on": "2026-10-01",
    "tester": "nobody",
    "tombstone_digest": "7e" * 32,
    "training": {"operator": "lfr-operator"},
    "use_case": "watchlist-alert",
    "valid_from": "2026-11-01",
    "valid_until": "2027-10-31",
    "verifier": "stand-in:watchlist-manager-2",
    "verifier_key": "example.org/plumbline/rehearsal+497c6bed+"
    "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    "wide_frame_omitted": "bystanders_not_masked",
    "witness": "stand-in:operator-1",
    "zone": [[0, 0], [1000, 0], [1000, 1000], [0, 1000]],
}
"""What a rehearsal would put into a field of this name."""

_REASONS = [
    Refusal("already_decided", "decide each alert once", {"decision": "viable"}),
    Refusal("reason_missing", "give at least one factor"),
]
