"""Policies, refusals, and the journals in which they are kept."""

from __future__ import annotations

import pytest

from domain.custody.events import ConsultationRefused
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal, new_reference
from domain.kernel.refusals import Policy, Refusal, Refused, refusals
from tests.support.builders import AT, DEPLOYMENT, ITEM, a_command

REASON = Refusal("too_late", "come earlier", {"at": "10:00"})


def small(number: int) -> Refusal | None:
    """Numbers are small."""
    return Refusal("not_small", "take less") if number > 9 else None


def even(number: int) -> Refusal | None:
    """Numbers are even."""
    return Refusal("not_even", "take one more") if number % 2 else None


@pytest.mark.parametrize(
    ("number", "codes"), [(2, []), (12, ["not_small"]), (3, ["not_even"]), (13, None)]
)
def test_every_policy_is_asked_and_every_refusal_is_told(
    number: int, codes: list[str] | None
) -> None:
    """In the order of the policies, and not only the first."""
    policies: tuple[Policy[int], ...] = (small, even)
    expected = ["not_small", "not_even"] if codes is None else codes
    assert [one.code for one in refusals(policies, number)] == expected


def test_a_refusal_is_kept_in_the_journal_of_its_scope() -> None:
    """With what it concerned and why; the record gives it its place."""
    command = a_command()
    refused = Refused(ConsultationRefused, [REASON], command, ITEM, {"purpose": "curiosity"})
    assert refused.recorded() == ConsultationRefused(
        originator_id=journal("refusals", DEPLOYMENT.hex),
        originator_version=NEXT_VERSION,
        timestamp=AT,
        concerning=ITEM,
        reasons=[REASON],
        purpose="curiosity",
    )


def test_a_refusal_counts_as_an_answer() -> None:
    """``if refused := decide(...)`` holds even where no reason was given."""
    assert Refused(ConsultationRefused, [], a_command())
    assert Refused(ConsultationRefused, [REASON, REASON], a_command()).codes == ["too_late"] * 2


def test_a_journal_is_found_by_what_it_is_about() -> None:
    """The same on any machine, on any day; records rest on it, so it never changes."""
    assert str(journal("refusals", FORCE)) == "0c19a989-d765-53c8-ae02-c3552315fada"


def test_no_two_journals_share_a_stream() -> None:
    """Another scope has another journal, and so has another kind."""
    scopes = (FORCE, DEPLOYMENT.hex, ITEM.hex)
    made = {journal(kind, scope) for kind in ("refusals", "galleries") for scope in scopes}
    assert len(made) == 6


def test_references_are_random() -> None:
    """They cannot be used to follow anyone from one deployment to the next."""
    made = {new_reference() for _ in range(100)}
    assert len(made) == 100
    assert {one.version for one in made} == {4}


def test_every_command_has_a_reference_of_its_own() -> None:
    """It is the cause of the entries that the command leads to."""
    assert a_command().command_id != a_command().command_id


def test_whatever_was_compared_the_refusal_can_be_recorded() -> None:
    """Nine thousand cameras or half a character do not keep an attempt from the record."""
    reason = Refusal("too_late", "come earlier", {"cameras": "c" * 9000, "half": "a\ud800b"})
    (kept,) = (
        Refused(ConsultationRefused, [reason], a_command(), extra={"purpose": "x"})
        .recorded()
        .reasons
    )
    assert kept.compared == {"cameras": "c" * 200 + "... (9000 characters)", "half": "a?b"}
    assert (kept.code, kept.sentence) == (reason.code, reason.sentence)
