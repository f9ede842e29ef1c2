"""An item: one life, opened for a reason, destroyed with a receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.custody.aggregate import Item
from domain.custody.classes import ClockStart, ItemClass
from domain.custody.deadlines import LimitInForce
from domain.custody.events import ConsultationRefused
from domain.custody.policies import PURPOSES
from domain.custody.schedule import BUILT_IN
from domain.custody.sealing import ItemLabel, commitment
from domain.kernel.commands import Role
from domain.kernel.errors import RecordBrokenError
from domain.kernel.refusals import Refused
from tests.support.builders import (
    ALERT,
    AT,
    BOUNDARY,
    DAY,
    DEPLOYMENT,
    ITEM,
    RECHECKED,
    SEALED_CONTENT,
    TOMBSTONE,
    Fact,
    a_registered_item,
    destruction_started,
    item_consulted,
    item_destroyed,
    item_sealed,
    to_consult,
)
from tests.support.scenarios import given, given_no, happened, nothing_happened, refused

A_MOMENT = timedelta(milliseconds=1)
Ask = Callable[[Item], Refused | None]


def consult(**changes: Any) -> Ask:
    """Ask to open the item."""
    by = LimitInForce(DAY, None)
    return lambda one: one.decide_consultation(to_consult(**changes), by=by)


def register(item_class: ItemClass) -> Callable[[Item], None]:
    """Say that an item of this class may come to exist."""
    return lambda one: one.register(
        item_class,
        content_type="image/jpeg",
        deployment=DEPLOYMENT,
        concerning=ALERT,
        rule=BUILT_IN.rule(item_class),
        schedule="",
        anchor_at=AT,
        due_at=AT + DAY,
        commitment="a" * 64,
        at=AT,
    )


# -- registration and seal ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item_class", "rule", "clock_starts"),
    [
        (ItemClass.PROBE_TEMPLATE, "RT-03", "alert"),
        (ItemClass.FACE_CROP, "RT-03", "alert"),
        (ItemClass.WIDE_FRAME, "RT-04", "alert"),
        (ItemClass.ALERT_DETAIL, "RT-05", "alert"),
        (ItemClass.FREE_TEXT, "RT-17", "alert"),
        (ItemClass.REFERENCE_IMAGE, "RT-06", "deployment_end"),
        (ItemClass.REFERENCE_TEMPLATE, "RT-07", "deployment_end"),
        (ItemClass.CALLERS_REFERENCE, "RT-08", "deployment_end"),
    ],
)
def test_an_item_is_registered_with_the_rule_that_ends_it(
    item_class: ItemClass, rule: str, clock_starts: str
) -> None:
    """A possible match counts from the alert, a watchlist from the end of its deployment."""
    (
        given_no(Item)
        .when(lambda one: register(item_class)(one))
        .then(
            happened(
                a_registered_item(item_class=item_class.value, rule=rule, clock_starts=clock_starts)
            )
        )
    )


def test_every_class_of_item_has_a_rule_and_none_but_footage_is_kept_longer_than_a_day() -> None:
    """No item without a clock: 24 hours is the ceiling of all that is biometric."""
    rules = BUILT_IN.rules
    assert set(rules) == set(ItemClass)
    biometric = [rule for kept, rule in rules.items() if kept is not ItemClass.FOOTAGE_SEGMENT]
    assert {rule.limit for rule in biometric} == {timedelta(hours=24)}
    assert not any(rule.hold_may_extend for rule in biometric)
    assert {rule.starts for rule in rules.values()} == set(ClockStart)


def test_a_sealed_item_is_recorded_by_its_ciphertext_only() -> None:
    """Digest and length of what is of no use without the key."""
    given(a_registered_item()).when(lambda one: one.seal(SEALED_CONTENT, at=AT)).then(
        happened(item_sealed())
    )


def test_an_item_is_bound_to_what_it_was_registered_as() -> None:
    """A swapped ciphertext does not open under this label."""
    item = given(a_registered_item()).when(lambda one: None).aggregate
    assert item.label == ItemLabel(ITEM, "face_crop", DEPLOYMENT, "image/jpeg", AT.date())


def test_an_item_without_a_registration_is_a_broken_record() -> None:
    """Nothing may exist that was not registered first."""
    with pytest.raises(RecordBrokenError, match=f"{ITEM.hex}: has no registration"):
        _ = Item(ITEM).label


# -- consultation ------------------------------------------------------------------------------


def sealed_item(item_class: str = "face_crop") -> tuple[Fact[Item], ...]:
    """Registered and sealed."""
    return (a_registered_item(item_class=item_class), item_sealed())


@pytest.mark.parametrize(
    ("purpose", "role", "item_class"),
    [
        (purpose, role, item_class)
        for purpose, known in PURPOSES.items()
        for role in sorted(known.roles)
        for item_class in sorted(known.classes)
    ],
)
def test_an_item_is_opened_for_a_purpose_that_fits_role_and_class(
    purpose: str, role: Role, item_class: str
) -> None:
    """And the purpose is on the record."""
    given(*sealed_item(item_class)).when(consult(purpose=purpose, role=role)).then(
        happened(item_consulted(purpose=purpose))
    )


@pytest.mark.parametrize(
    ("purpose", "role"),
    [
        (purpose, role)
        for purpose in (*PURPOSES, "curiosity", "")
        for role in Role
        if purpose not in PURPOSES or role not in PURPOSES[purpose].roles
    ],
)
def test_an_item_is_not_opened_for_any_other_purpose(purpose: str, role: Role) -> None:
    """Every read has a purpose that its reader may have (DPA 2018 s.62)."""
    needed = sorted(PURPOSES[purpose].classes)[0] if purpose in PURPOSES else "face_crop"
    given(*sealed_item(needed)).when(consult(purpose=purpose, role=role)).then(
        refused(
            "purpose_not_allowed",
            kept_as="item.consultation_refused",
            # a word that is no purpose may be anything, and is not repeated
            compared={"role": role.value, "purpose": purpose if purpose in PURPOSES else "unknown"},
        )
    )


def test_who_may_read_what_for_is_a_list_that_a_lawyer_can_check() -> None:
    """No other purpose, and no other role for it, without this line changing."""
    alert = {"face_crop", "wide_frame", "alert_detail", "free_text"}
    alert |= {"reference_image", "callers_reference"}
    assert {
        name: (set(known.roles), {one.value for one in known.classes})
        for name, known in PURPOSES.items()
    } == {
        "adjudication": ({Role.ENGAGEMENT_OFFICER, Role.OPERATOR}, alert),
        "rehearsal-summary": ({Role.SYSTEM}, {"callers_reference"}),
        "import-resumed": ({Role.WATCHLIST_MANAGER}, {"callers_reference"}),
        "gallery": ({Role.SYSTEM}, {"reference_template"}),
        "footage-review": (
            {Role.AUTHORISING_OFFICER, Role.DPO, Role.AUDITOR},
            {"footage_segment"},
        ),
    }


@pytest.mark.parametrize(
    ("purpose", "item_class"),
    [
        (purpose, item_class.value)
        for purpose, known in PURPOSES.items()
        for item_class in ItemClass
        if item_class not in known.classes
    ],
)
def test_a_purpose_opens_only_what_it_needs(purpose: str, item_class: str) -> None:
    """Footage is not opened to decide an alert, nor a template to review footage."""
    role = sorted(PURPOSES[purpose].roles)[0]
    given(*sealed_item(item_class)).when(consult(purpose=purpose, role=role)).then(
        refused("not_for_this_purpose", compared={"item_class": item_class, "purpose": purpose})
    )


def test_an_item_that_was_never_sealed_is_not_opened() -> None:
    """There is nothing to open yet."""
    given(a_registered_item()).when(consult()).then(refused("item_not_sealed"))


@pytest.mark.parametrize(
    "gone", [(destruction_started(),), (destruction_started(), item_destroyed())]
)
def test_an_item_is_not_opened_once_its_destruction_began(gone: tuple[Fact[Item], ...]) -> None:
    """Level L0: reads are refused from the first step on."""
    given(*sealed_item(), *gone).when(consult()).then(refused("item_destroyed"))


def test_a_refused_consultation_tells_every_reason_at_once_and_keeps_the_purpose() -> None:
    """All three rules speak."""
    outcome = given(a_registered_item(), destruction_started()).when(consult(purpose="curiosity"))
    outcome.then(refused("purpose_not_allowed", "item_not_sealed", "item_destroyed"))
    assert outcome.answer is not None
    kept = outcome.answer.recorded()
    assert isinstance(kept, ConsultationRefused)
    assert kept.purpose == "unknown"


@pytest.mark.parametrize(
    ("after", "answered"),
    [
        (DAY, happened(item_consulted(at=AT + DAY))),
        (DAY + A_MOMENT, refused("past_its_limit")),
    ],
)
def test_what_had_to_be_gone_is_not_opened(after: timedelta, answered: Any) -> None:
    """Though nobody has destroyed it yet."""
    item = given(a_registered_item(), item_sealed())
    item.when(consult(at=AT + after)).then(answered)


# -- destruction -------------------------------------------------------------------------------


def finish(one: Item) -> None:
    """Write the receipt."""
    one.finish_destruction(TOMBSTONE, RECHECKED, boundary=BOUNDARY, at=AT)


@pytest.mark.parametrize("past", [(a_registered_item(),), sealed_item()])
def test_the_start_of_a_destruction_says_why(past: tuple[Fact[Item], ...]) -> None:
    """For items that were sealed, and for those that never were."""
    given(*past).when(lambda one: one.start_destruction(cause="due", at=AT)).then(
        happened(destruction_started())
    )


def test_a_destruction_is_started_once() -> None:
    """Its first cause stands."""
    (
        given(*sealed_item(), destruction_started(cause="deployment_ended"))
        .when(lambda one: one.start_destruction(cause="recovery", at=AT))
        .then(nothing_happened())
    )


def test_a_receipt_repeats_what_was_promised_and_says_what_was_done() -> None:
    """From registration to tombstone, and no claim beyond this data directory."""
    given(*sealed_item(), destruction_started()).when(lambda one: finish(one)).then(
        happened(item_destroyed())
    )


def test_the_receipt_of_an_item_that_was_never_sealed_names_no_ciphertext() -> None:
    """It was registered, and never came to exist as far as the record knows."""
    given(a_registered_item(), destruction_started()).when(lambda one: finish(one)).then(
        happened(item_destroyed(ciphertext_digest=None, ciphertext_length=None))
    )


def test_a_receipt_tells_its_times_apart() -> None:
    """Registered, started and finished each at its own time."""
    later, last = AT + DAY, AT + DAY + timedelta(seconds=1)
    (
        given(a_registered_item(), item_sealed(), destruction_started(at=later))
        .when(lambda one: one.finish_destruction(TOMBSTONE, RECHECKED, boundary=BOUNDARY, at=last))
        .then(happened(item_destroyed(started_at=later, finished_at=last, at=last)))
    )


def test_a_receipt_is_written_once() -> None:
    """Destroying again finds nothing left to do."""
    given(*sealed_item(), destruction_started(), item_destroyed()).when(
        lambda one: finish(one)
    ).then(nothing_happened())


def test_a_receipt_without_a_started_destruction_is_a_broken_record() -> None:
    """Nothing is destroyed before the record says that it is to be."""
    with pytest.raises(RecordBrokenError, match="before its destruction began"):
        given(*sealed_item()).when(lambda one: finish(one))


# -- what is said of a sealed content ----------------------------------------------------------


def test_a_commitment_is_the_digest_of_salt_and_content_under_a_name_of_its_own() -> None:
    """Worked out by hand, so that a verifier in another language can."""
    salt, content = bytes(range(32)), b"a face"
    expected = hashlib.sha256(b"plumbline-item/v1\x00" + salt + content).hexdigest()
    assert commitment(salt, content) == expected
    assert commitment(salt, memoryview(content)) == expected


@pytest.mark.parametrize(
    ("salt", "content"), [(b"\1" * 32, b"a face"), (b"\0" * 32, b"another face")]
)
def test_another_salt_or_another_content_has_another_commitment(
    salt: bytes, content: bytes
) -> None:
    """Without the salt, nobody confirms that a photograph was here."""
    assert commitment(salt, content) != commitment(b"\0" * 32, b"a face")
