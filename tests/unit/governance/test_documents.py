"""Documents: one of a kind in force on a day, published by an address that anyone can open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from domain.governance.commands import (
    PublishPolicyDocument,
    RegisterPolicyDocument,
    WithdrawPolicyDocument,
)
from domain.governance.documents import KEEPERS, Documents
from domain.governance.events import (
    PolicyDocumentPublished,
    PolicyDocumentRegistered,
    PolicyDocumentWithdrawn,
)
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, Fact
from tests.support.governed import to
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[Documents], Refused | None]

TODAY = AT.date()
VALID: dict[str, Any] = {
    "kind": "policy",
    "version": "1.0",
    "valid_from": "2026-11-01",
    "valid_until": "2027-10-31",
    "digest": "ab" * 32,
}
SEEN = {
    "kind": "policy",
    "version": "1.0",
    "page": "https://force.example/lfr/policy",
    "published_on": "2026-11-02",
}
GONE = {"kind": "policy", "version": "1.0", "reason": "court-order"}


def register(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for the force's policy to be put in force, as changed."""
    command = to(RegisterPolicyDocument, at=AT, mode=Mode.REHEARSAL, role=role, **(VALID | changes))
    return lambda one: one.decide_registration(command, SHIPPED)


def publish(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for its publication to be taken down, as changed."""
    command = to(PublishPolicyDocument, at=AT, mode=Mode.REHEARSAL, role=role, **(SEEN | changes))
    return lambda one: one.decide_publication(command)


def withdraw(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for its withdrawal, as changed."""
    command = to(WithdrawPolicyDocument, at=AT, mode=Mode.REHEARSAL, role=role, **(GONE | changes))
    return lambda one: one.decide_withdrawal(command)


def registered(**changes: Any) -> Fact[Documents]:
    """The policy was put in force."""
    return Fact(Documents, PolicyDocumentRegistered, VALID | changes)


def published(**changes: Any) -> Fact[Documents]:
    """The public can read it."""
    return Fact(Documents, PolicyDocumentPublished, SEEN | changes)


def withdrawn(**changes: Any) -> Fact[Documents]:
    """It is out of force."""
    return Fact(Documents, PolicyDocumentWithdrawn, GONE | changes)


def after(*asked: Ask) -> Documents:
    """The register after what was asked of it."""
    documents = Documents()
    for ask in asked:
        assert ask(documents) is None
    return documents


def policy_lacks(documents: Documents, on: date = TODAY) -> str | None:
    """What the policy lacks on a day."""
    return documents.lacking(SHIPPED, on).get("policy")


# -- what is recorded --------------------------------------------------------------------------


def test_a_document_is_put_in_force_published_and_withdrawn() -> None:
    given_no(Documents).when(register()).then(happened(registered()))
    given(registered()).when(publish()).then(happened(published()))
    given(registered(), published()).when(withdraw()).then(happened(withdrawn()))


# -- what counts -------------------------------------------------------------------------------


def test_a_force_without_documents_lacks_every_kind() -> None:
    assert Documents().lacking(SHIPPED, TODAY) == dict.fromkeys(SHIPPED.documents, "none in force")


def test_what_must_be_published_lacks_that_until_it_is() -> None:
    assert policy_lacks(after(register())) == "version 1.0 is not published"
    assert policy_lacks(after(register(), publish())) is None
    assert policy_lacks(after(register(), publish()), date(2026, 11, 1)) is not None, (
        "the day before"
    )


def test_what_need_not_be_published_does_not_lack_it() -> None:
    assert "eia" not in after(register(kind="eia")).lacking(SHIPPED, TODAY)


@pytest.mark.parametrize(
    ("on", "lacks"),
    [
        (date(2026, 10, 31), "none in force"),
        (date(2026, 11, 2), None),
        (date(2027, 10, 31), None),
        (date(2027, 11, 1), "version 1.0 expired on 2027-10-31"),
    ],
)
def test_first_and_last_day_both_count(on: date, lacks: str | None) -> None:
    assert policy_lacks(after(register(), publish()), on) == lacks


def test_a_later_first_day_supersedes_from_that_day() -> None:
    documents = after(
        register(),
        register(version="1.1", valid_from="2026-12-01"),
        publish(version="1.1"),
    )
    before = documents.in_force("policy", date(2026, 11, 30))
    since = documents.in_force("policy", date(2026, 12, 1))
    assert before is not None and since is not None
    assert (before.version, since.version) == ("1.0", "1.1")
    assert documents.versions_on(SHIPPED, date(2026, 12, 1)) == {"policy": "1.1"}


def test_what_was_superseded_does_not_come_back_by_itself() -> None:
    """Neither when its successor expires, nor when that is withdrawn."""
    short = register(version="1.1", valid_from="2026-11-20", valid_until="2026-11-22")
    assert policy_lacks(after(register(), publish(), short)) == "version 1.1 expired on 2026-11-22"
    later = register(version="1.1", valid_from="2026-11-20")
    gone = after(register(), publish(), later, withdraw(version="1.1"))
    assert policy_lacks(gone) == "version 1.1 was withdrawn"


def test_after_a_withdrawal_another_may_count_from_the_same_day() -> None:
    documents = after(register(), withdraw(), register(version="1.0a"), publish(version="1.0a"))
    assert policy_lacks(documents) is None


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", [one for one in Role if one not in KEEPERS])
@pytest.mark.parametrize("ask", [register, publish, withdraw])
def test_who_keeps_no_documents_changes_none(role: Role, ask: Callable[..., Ask]) -> None:
    given(registered(version="0.9", valid_from="2026-01-01"), registered()).when(
        ask(role, **({"version": "1.1", "valid_from": "2026-12-01"} if ask is register else {}))
    ).then(refused("role_keeps_no_documents", kept_as="policy.change_refused"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "poem"}, "kind_unknown"),
        ({"version": "Version One"}, "version_not_a_code"),
        ({"valid_from": "2027-11-01"}, "validity_not_days"),
        ({"valid_from": "1 November"}, "validity_not_days"),
        ({"valid_until": "20271031"}, "validity_not_days"),
        ({"digest": "ab" * 31}, "digest_missing"),
        ({"digest": "AB" * 32}, "digest_missing"),
    ],
)
def test_a_document_that_is_not_as_it_must_be_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    given_no(Documents).when(register(**changes)).then(refused(code))


def test_a_version_says_one_thing_for_ever() -> None:
    given(registered()).when(register(valid_from="2026-12-01")).then(refused("version_not_new"))


def test_two_of_a_kind_do_not_count_from_the_same_day() -> None:
    given(registered()).when(register(version="1.1")).then(refused("another_from_that_day"))


@pytest.mark.parametrize(
    "page",
    [
        "http://force.example/policy",
        "https://user:secret@force.example/policy",
        "https://force.example/policy?token=secret",
        "https://force.example/a policy",
        "https:///policy",
        "https://[force",
        "https://force.example/" + "p" * 200,
        "file:///etc/policy",
        "in the library",
    ],
)
def test_an_address_that_not_everyone_can_open_is_no_publication(page: str) -> None:
    """What was given may hold a secret, so it is not repeated."""
    (
        given(registered())
        .when(publish(page=page))
        .then(refused("publication_not_readable", compared={}))
    )


@pytest.mark.parametrize("on", [(TODAY + timedelta(days=1)).isoformat(), "soon"])
def test_what_is_planned_is_not_published(on: str) -> None:
    given(registered()).when(publish(published_on=on)).then(refused("publication_in_the_future"))


def test_a_publication_has_one_day() -> None:
    given(registered(), published()).when(publish()).then(refused("already_published"))


@pytest.mark.parametrize("ask", [publish, withdraw])
def test_only_what_counts_is_published_or_withdrawn(ask: Callable[..., Ask]) -> None:
    given_no(Documents).when(ask()).then(refused("document_unknown"))
    given(registered(), withdrawn()).when(ask()).then(refused("document_unknown"))


def test_a_withdrawal_has_a_reason_in_a_code() -> None:
    given(registered()).when(withdraw(reason="The court said so.")).then(
        refused("reason_not_a_code")
    )
