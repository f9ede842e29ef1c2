"""Which retention schedule may be adopted, what documents say of it, what the public is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.custody.adoption import SCHEDULES, Schedules
from domain.custody.classes import ClockStart, ItemClass
from domain.custody.commands import AdoptSchedule, RegisterDocument
from domain.custody.contradictions import contradictions
from domain.custody.deadlines import ACT, HeldFrom, deadline
from domain.custody.events import AdoptedRule, ScheduleAdopted, Statement
from domain.custody.public_text import public_statement
from domain.custody.schedule import BUILT_IN, RetentionSchedule, ScheduleError
from domain.kernel.commands import Mode, Role
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.services import schedules
from domain.services.retention import Retention
from tests.support.builders import AT, DAY
from tests.support.scenarios import Scene

Change = Callable[[AdoptedRule], AdoptedRule]


def to_adopt(
    version: str = "2026-2",
    role: Role = Role.DPO,
    *,
    change: Change = lambda one: one,
    of: ItemClass = ItemClass.FACE_CROP,
    at: datetime = AT,
) -> AdoptSchedule:
    """The data protection officer adopts what ships, changed for one class."""
    rules = [change(one) if one.item_class == of else one for one in BUILT_IN.as_adopted()]
    return AdoptSchedule(
        scope=FORCE,
        mode=Mode.REHEARSAL,
        actor="staff:dpo",
        role=role,
        at=at,
        version=version,
        owner="information-asset-owner",
        rules=rules,
    )


def codes(answer: Schedules | Refused) -> list[str]:
    """Why it was refused."""
    return answer.codes if isinstance(answer, Refused) else []


def shorter(seconds: int) -> Change:
    """Another limit."""
    return lambda one: replace(one, limit_s=seconds)


# -- adoption --------------------------------------------------------------------------------------


def test_what_ships_is_adopted_by_the_system_once() -> None:
    """Also where it is asked for at every start."""
    scene = Scene()
    for _ in range(3):
        schedules.adopt_what_ships(scene.outside)
    (adopted,) = scene.events(ScheduleAdopted)
    assert RetentionSchedule.adopted(adopted.version, adopted.owner, adopted.rules) == BUILT_IN
    assert scene.record.load(Schedules, SCHEDULES).version_in_force == BUILT_IN.version


def test_a_shorter_schedule_is_adopted_and_items_are_kept_by_it() -> None:
    """From then on, and no longer than by it."""
    scene = Scene()
    assert codes(schedules.adopt(scene.outside, to_adopt(change=shorter(3600)))) == []
    scene.running().alerted()
    crop = next(one for one in scene.survey().items.values() if one.item_class == "face_crop")
    assert crop.due_at == scene.clock.now() + timedelta(hours=1)


def test_what_exists_already_is_kept_by_a_shorter_schedule_too() -> None:
    """As soon as it could be followed, never from before it was adopted."""
    scene = Scene().running().alerted().later(timedelta(hours=2))
    schedules.adopt(scene.outside, to_adopt(change=shorter(3600), at=scene.clock.now()))
    (crop,) = (one for one in Retention(scene.outside).plan() if one.item_class == "face_crop")
    assert crop.deadline == scene.clock.now() + ACT
    assert not crop.overdue
    assert Retention(scene.outside).sweep(every_s=60).destroyed == 1


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (to_adopt(role=Role.OPERATOR), ["not_the_dpo"]),
        (to_adopt(role=Role.SYSTEM), ["not_the_dpo"]),
        (to_adopt("A title, with a name"), ["version_not_new"]),
        (to_adopt(change=shorter(86_401)), ["kept_longer"]),
        (
            to_adopt(change=lambda one: replace(one, starts="first_frame")),
            ["clock_started_otherwise"],
        ),
        (
            to_adopt(change=lambda one: replace(one, hold_may_extend=True)),
            ["hold_on_more_than_footage"],
        ),
        (
            replace(to_adopt(), rules=BUILT_IN.as_adopted()[1:]),
            ["class_without_a_rule"],
        ),
        (
            to_adopt("A title", Role.AUDITOR, change=shorter(10**7)),
            ["not_the_dpo", "version_not_new", "kept_longer"],
        ),
    ],
)
def test_a_schedule_that_may_not_be_is_refused_with_every_reason(
    command: AdoptSchedule, expected: list[str]
) -> None:
    """And the one in force stays; the refusal is on the record."""
    scene = Scene()
    assert codes(schedules.adopt(scene.outside, command)) == expected
    assert scene.refusals() == [expected]
    assert schedules.schedules(scene.outside).in_force == BUILT_IN


def test_what_was_shortened_once_is_never_lengthened_again() -> None:
    """Not even to what ships."""
    scene = Scene()
    schedules.adopt(scene.outside, to_adopt(change=shorter(3600)))
    back = to_adopt("2026-3")
    assert codes(schedules.adopt(scene.outside, back)) == ["kept_longer"]
    again = to_adopt(change=shorter(1800))
    assert codes(schedules.adopt(scene.outside, again)) == ["version_not_new"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 1", "expected version, owner and classes"),
        ("version = [", "the file"),
        ('version = "1"\nowner = "o"\nclasses = 3', "a table for each class"),
        ('version = "1"\nowner = "o"\n[classes.faces]', "faces is no class"),
        ('version = "1"\nowner = "o"\n[classes.face_crop]\nrule = "x"', "expected hold_may_extend"),
        (
            'version = "1"\nowner = "o"\n[classes.face_crop]\nrule = "x"\nstarts = "alert"\n'
            'limit_s = 0\nhold_may_extend = false\nsource = "y"',
            "expected limit_s from 1",
        ),
        (
            'version = "1"\nowner = "o"\n[classes.face_crop]\nrule = "x"\nstarts = "dawn"\n'
            'limit_s = 10\nhold_may_extend = false\nsource = "y"',
            "expected starts to be one of alert",
        ),
    ],
)
def test_a_schedule_that_cannot_be_read_says_where(text: str, words: str) -> None:
    """What was expected and what was found."""
    with pytest.raises(ScheduleError, match=words):
        RetentionSchedule.parse(text, "the file")


# -- documents -------------------------------------------------------------------------------------

TRUE = [
    Statement(one.item_class, one.starts, one.limit_s, one.hold_may_extend)
    for one in BUILT_IN.as_adopted()
]


def to_register(
    *statements: Statement, role: Role = Role.DPO, document: str = "policy", version: str = "4"
) -> RegisterDocument:
    """What a policy says."""
    return RegisterDocument(
        scope=FORCE,
        mode=Mode.REHEARSAL,
        actor="staff:dpo",
        role=role,
        at=AT,
        document=document,
        version=version,
        published_on="2026-11-01",
        digest="d" * 64,
        statements=list(statements),
    )


def disagreeing(*commands: RegisterDocument) -> list[tuple[str, str, str]]:
    """Document, class and what about, after these were registered."""
    scene = Scene()
    for command in commands:
        assert codes(schedules.register(scene.outside, command)) == []
    found = contradictions(schedules.schedules(scene.outside))
    return [(one.document, one.item_class, one.about) for one in found]


def test_documents_that_say_what_the_schedule_says_do_not_disagree() -> None:
    """And without documents nothing can."""
    assert disagreeing() == []
    assert disagreeing(to_register(*TRUE)) == []


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"limit_s": 7 * 86_400}, "limit"),
        ({"starts": "deployment_end"}, "start"),
        ({"hold_may_extend": True}, "hold"),
    ],
)
def test_a_document_that_says_something_else_is_found(
    change: dict[str, object], about: str
) -> None:
    """Each thing that it may say."""
    first, *others = TRUE
    said = [replace(first, **change), *others]  # type: ignore[arg-type]
    assert disagreeing(to_register(*said)) == [("policy", first.item_class, about)]


def test_a_class_that_nobody_knows_and_one_that_nobody_speaks_of_are_found() -> None:
    """The same fact under two names is how documents drift apart."""
    said = [replace(TRUE[0], item_class="biometric-images"), *TRUE[1:]]
    assert disagreeing(to_register(*said)) == [
        ("policy", "biometric-images", "class"),
        ("", TRUE[0].item_class, "silence"),
    ]


def test_only_the_newest_version_of_a_document_counts() -> None:
    """Of two documents both do."""
    wrong = [replace(TRUE[0], limit_s=1), *TRUE[1:]]
    assert disagreeing(to_register(*wrong), to_register(*TRUE, version="5")) == []
    assert len(disagreeing(to_register(*wrong), to_register(*TRUE, document="dpia"))) == 1


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (to_register(*TRUE, role=Role.OPERATOR), ["not_the_dpo"]),
        (to_register(*TRUE, document="The Policy of J. Smith"), ["document_not_a_code"]),
        (to_register(), ["statement_not_usable"]),
        (to_register(replace(TRUE[0], limit_s=0)), ["statement_not_usable"]),
    ],
)
def test_a_document_that_may_not_be_registered_is_refused(
    command: RegisterDocument, expected: list[str]
) -> None:
    """Its title is not repeated in the refusal."""
    scene = Scene()
    assert codes(schedules.register(scene.outside, command)) == expected
    assert "Smith" not in repr(list(scene.record.history()))


def test_a_version_of_a_document_is_registered_once() -> None:
    """It says one thing for ever."""
    scene = Scene()
    schedules.register(scene.outside, to_register(*TRUE))
    assert codes(schedules.register(scene.outside, to_register(TRUE[0]))) == ["document_known"]


# -- what the public is told -----------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [True, False])
def test_the_public_is_never_told_of_deletion_without_the_sentence_about_footage(
    recorded: bool,
) -> None:
    """C-01: the template goes at once; the picture stays in the footage for 31 days."""
    told = public_statement(BUILT_IN, footage_recorded=recorded)
    assert "deleted at once" in told
    assert ("31 days" in told) is recorded
    assert ("do not record" in told) is not recorded
    for claim in ("not stored", "never kept", "no image"):
        assert claim not in told


def test_the_public_is_told_what_the_schedule_says() -> None:
    """A shorter one changes the text."""
    rules = dict(BUILT_IN.rules)
    footage = rules[ItemClass.FOOTAGE_SEGMENT]
    rules[ItemClass.FOOTAGE_SEGMENT] = replace(footage, limit=7 * DAY)
    told = public_statement(replace(BUILT_IN, rules=rules, version="7"), footage_recorded=True)
    assert "7 days" in told
    assert "31 days" not in told


# -- deadlines -------------------------------------------------------------------------------------

LONDON = ZoneInfo("Europe/London")
MONTH = 31 * DAY


@pytest.mark.parametrize(
    "first_frame",
    [
        datetime(2026, 3, 10, 12, 0, tzinfo=LONDON),
        datetime(2026, 10, 10, 12, 0, tzinfo=LONDON),
        datetime(2026, 12, 15, 12, 0, tzinfo=LONDON),
        datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=LONDON),
    ],
    ids=["into summer time", "out of summer time", "over new year", "in the doubled hour"],
)
def test_a_month_is_31_times_24_hours_whatever_clocks_on_walls_do(first_frame: datetime) -> None:
    """Elapsed time in UTC; local dates would give or take an hour."""
    at = first_frame.astimezone(UTC)
    latest = deadline(
        clock_starts=ClockStart.FIRST_FRAME,
        due_at=at + MONTH,
        limit=MONTH,
        anchor_at=at,
        adopted_at=None,
        over_at=at + DAY,
    )
    assert latest - at == timedelta(seconds=2_678_400)


def footage_held(*holds: HeldFrom) -> datetime:
    """When footage of AT must be gone."""
    return deadline(
        clock_starts=ClockStart.FIRST_FRAME,
        due_at=AT + MONTH,
        limit=MONTH,
        anchor_at=AT,
        adopted_at=None,
        over_at=None,
        holds=holds,
    )


def test_a_hold_extends_until_it_ends_and_brings_nothing_back() -> None:
    """One that came after the deadline, or ended before it, changes nothing."""
    assert footage_held(HeldFrom(AT, AT + 40 * DAY)) == AT + 40 * DAY + ACT
    assert footage_held(HeldFrom(AT, AT + DAY)) == AT + MONTH
    assert footage_held(HeldFrom(AT + MONTH + ACT, AT + 90 * DAY)) == AT + MONTH
    two = (HeldFrom(AT, AT + 40 * DAY), HeldFrom(AT + 39 * DAY, AT + 50 * DAY))
    assert footage_held(*two) == AT + 50 * DAY + ACT
