"""The stored names are what was promised, and events hold only what may stay for ever."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin
from uuid import UUID

import pytest

from domain.alerts.events import AlertAdjudicated, AlertRaised
from domain.catalogue import EVENTS
from domain.custody.events import AdoptedRule, ItemDestroyed, SearchedPlace, Statement
from domain.deployments.events import DeploymentStarted
from domain.kernel.events import Happened
from domain.kernel.refusals import Refusal, WasRefused
from domain.sightings.events import FaceEnrolledAndDiscarded
from domain.watchlists.events import WatchlistApproved
from tests.contract.record.examples import field_types

REPOSITORY = Path(__file__).parents[2]

SIX_STEPS = {
    "watchlist.approved": WatchlistApproved,
    "deployment.started": DeploymentStarted,
    "face.enrolled_and_discarded": FaceEnrolledAndDiscarded,
    "alert.raised": AlertRaised,
    "alert.adjudicated": AlertAdjudicated,
    "item.destroyed": ItemDestroyed,
}


@pytest.mark.parametrize("name", SIX_STEPS)
def test_the_six_steps_have_the_names_that_were_promised(name: str) -> None:
    """Letter for letter, under the class that the architecture's table gives."""
    assert EVENTS[name] is SIX_STEPS[name]
    assert name == EVENTS[name].NAME


def test_the_classes_of_the_six_steps_are_the_names_in_camel_case() -> None:
    """One word for one thing, in code and in the record."""
    assert [event_class.__name__ for event_class in SIX_STEPS.values()] == [
        "WatchlistApproved",
        "DeploymentStarted",
        "FaceEnrolledAndDiscarded",
        "AlertRaised",
        "AlertAdjudicated",
        "ItemDestroyed",
    ]


def test_every_stored_name_is_a_context_and_a_fact() -> None:
    """Lower case, underscores, one dot."""
    assert {name for name in EVENTS if not re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", name)} == set()
    assert {name for name, event_class in EVENTS.items() if name != event_class.NAME} == set()


def every_subclass(of: type[Happened]) -> Iterator[type[Happened]]:
    """The classes below, at any depth."""
    for one in of.__subclasses__():
        yield one
        yield from every_subclass(one)


def test_every_event_class_has_a_stored_name_of_its_own() -> None:
    """One that inherits a name would be read back as its parent; a base has none."""
    ours = [one for one in every_subclass(Happened) if one.__module__.startswith("domain.")]
    nameless = {one.__name__ for one in ours if "NAME" not in vars(one)}
    assert nameless == {WasRefused.__name__}
    assert sorted(one.NAME for one in ours if "NAME" in vars(one)) == sorted(EVENTS)


def test_the_catalogue_alone_knows_every_event() -> None:
    """In a fresh process that has imported nothing else: so any record can be read."""
    program = "import domain.catalogue as c; print(*sorted(c.EVENTS), sep='\\n')"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    contexts = sorted(REPOSITORY.glob("domain/*/*.py"))
    declared = set().union(
        *(re.findall(r'@recorded_as\("(.+)"\)', path.read_text("utf-8")) for path in contexts)
    )
    assert len(contexts) > 5
    assert set(told.stdout.split()) == declared == set(EVENTS)


NESTED = {Refusal, AdoptedRule, Statement, SearchedPlace}
SINGLE = {str, int, bool, NoneType, UUID, Decimal, datetime, *NESTED}
"""What a field may hold. A refusal's reason is made of text only; rules, statements and places of
text, whole numbers and yes or no."""


def forbidden_in(kind: Any) -> set[Any]:
    """What an event may not hold, at any depth of a field's type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is None:
        return set() if kind in SINGLE else {kind}
    if origin is dict and arguments[0] is not str:
        return {kind}
    if origin in (list, UnionType, dict):
        return set().union(*(forbidden_in(one) for one in arguments))
    return {kind}


def test_fields_hold_only_what_comes_back_unchanged() -> None:
    """No float, no bytes, no tuple, no set, no enum, no keys but text."""
    found = {
        f"{name}.{field}: {kind}": forbidden
        for name, event_class in EVENTS.items()
        for field, kind in field_types(event_class).items()
        if (forbidden := forbidden_in(kind))
    }
    assert found == {}
    assert {field.type for field in dataclasses.fields(Refusal)} == {"str", "dict[str, str]"}
    for told in (AdoptedRule, Statement, SearchedPlace):
        assert {field.type for field in dataclasses.fields(told)} <= {"str", "int", "bool"}


@pytest.mark.parametrize(
    "kind",
    [float, bytes, tuple[str, ...], set[str], dict[int, str], list[float], dict[str, list[bytes]]],
)
def test_a_type_that_does_not_come_back_is_found(kind: Any) -> None:
    """At any depth; so the search above can fail."""
    assert forbidden_in(kind)
    assert forbidden_in(kind | None)


def test_no_field_has_a_default_value() -> None:
    """What was not known must be said, not filled in."""
    filled_in = {
        f"{name}.{field.name}"
        for name, event_class in EVENTS.items()
        for field in dataclasses.fields(event_class)
        if field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
    }
    assert filled_in == set()


def test_no_event_can_be_changed() -> None:
    """A fact is for ever, in memory too."""
    assert all(one.__dataclass_params__.frozen for one in EVENTS.values())  # type: ignore[attr-defined]
    assert all(one.SHAPE >= 1 for one in EVENTS.values())


NEVER = re.compile(
    "names?|forename|surname|alias|dob|birth|born|address|phone|email|scores?|similarity|"
    "similarities|confidence|distance|embedding|descriptor|landmarks?|pixels|bytes|photo|"
    "photograph|crop|thumbnail|text|comment|remarks?|sex|gender|ethnicity|race|nationality|"
    "religion|emotion"
)
"""Words of what must one day be erased, or must never be kept at all."""

ONLY_BY_REFERENCE = frozenset({"image", "template", "note", "face", "frame", "footage"})
"""Words of what lives in the vault: an event may hold a reference to it."""

SAYS_SOMETHING_ABOUT_IT = {
    "image_basis": "a code: by which power the image is held",
    "template_life_ms": "how long a template existed",
    "max_template_life_ms": "how long any template existed",
    "footage_recorded": "whether footage is recorded",
    "first_frame_at": "when it came in",
    "starts_with_key_frame": "whether it can be played alone",
    "wide_frame_omitted": "a code: why no wide frame was kept",
}
"""Fields that hold none of it, and what they hold instead."""


def personal(field: str, kind: Any) -> bool:
    """Whether a field would hold what must be erased."""
    words = field.split("_")
    by_reference = field.endswith("_item") and kind in (UUID, UUID | None)
    return any(NEVER.fullmatch(word) for word in words) or (
        not ONLY_BY_REFERENCE.isdisjoint(words)
        and not by_reference
        and field not in SAYS_SOMETHING_ABOUT_IT
    )


def test_no_field_is_named_after_what_must_be_erased() -> None:
    """Faces, templates, names, free text and scores of persons live in the vault and die there."""
    found = {
        f"{name}.{field}"
        for name, event_class in EVENTS.items()
        for field, kind in field_types(event_class).items()
        if personal(field, kind)
    }
    assert found == set()
    fields = {field for event_class in EVENTS.values() for field in field_types(event_class)}
    assert fields > SAYS_SOMETHING_ABOUT_IT.keys(), "an explanation of a field that is gone"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("name", str),
        ("similarity", Decimal),
        ("best_score", Decimal),
        ("date_of_birth", str),
        ("note_text", str),
        ("note", str),
        ("face_image", str),
        ("image_item", str),
        ("template", list[int]),
    ],
)
def test_a_field_of_what_must_be_erased_is_found(field: str, kind: Any) -> None:
    """So the search above can fail; a reference into the vault is let through."""
    assert personal(field, kind)
    assert not personal("note_item", UUID | None)
