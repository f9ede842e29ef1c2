"""Every command that is refused leaves its refusal, and moves nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.commands import Role
from domain.kernel.references import journal
from domain.kernel.refusals import Refusal, Refused, WasRefused
from domain.services import alerts, custody, deployments, watchlists
from tests.support import builders as a
from tests.support.scenarios import Scene


@dataclass(frozen=True)
class Attempt:
    """Something that the rules refuse."""

    before: Callable[[Scene], Scene]
    ask: Callable[[Scene], Any]
    name: str
    """The stored name of the refusal."""
    codes: list[str]


def crop_of(scene: Scene) -> UUID:
    """The face crop of the alert."""
    raised = scene.alert().raised
    assert raised is not None
    return raised.items["face_crop"]


ATTEMPTS = {
    "a second application": Attempt(
        lambda scene: scene.applied(),
        lambda scene: deployments.apply_for(scene.outside, a.to_apply()),
        "deployment.application_refused",
        ["already_applied_for"],
    ),
    "an application by nobody who may": Attempt(
        lambda scene: scene,
        lambda scene: deployments.apply_for(scene.outside, a.to_apply(role=Role.OPERATOR)),
        "deployment.application_refused",
        ["not_an_applicant"],
    ),
    "a live camera": Attempt(
        lambda scene: scene.applied(),
        lambda scene: deployments.configure_camera(
            scene.outside, a.to_configure_a_camera(source_kind="rtsp")
        ),
        "deployment.camera_refused",
        ["source_does_not_fit_the_mode"],
    ),
    "an authorisation without a list": Attempt(
        lambda scene: scene.applied().in_force().reported(),
        lambda scene: deployments.authorise(scene.outside, a.to_authorise()),
        "deployment.authorisation_refused",
        ["watchlist_not_approved", "model_differs_from_the_list"],
    ),
    "a start without an authorisation": Attempt(
        lambda scene: scene.applied().listed().in_force().announced(),
        lambda scene: deployments.start(scene.outside, a.to_start()),
        "deployment.start_refused",
        ["not_authorised"],
    ),
    "a stop without a run": Attempt(
        lambda scene: scene.applied(),
        lambda scene: deployments.stop(scene.outside, a.to_stop()),
        "deployment.stop_refused",
        ["not_running"],
    ),
    "an end during a run": Attempt(
        lambda scene: scene.running(),
        lambda scene: deployments.end(scene.outside, a.to_end()),
        "deployment.end_refused",
        ["still_running"],
    ),
    "a cancellation during a run": Attempt(
        lambda scene: scene.running(),
        lambda scene: deployments.cancel(scene.outside, a.to_cancel()),
        "deployment.cancellation_refused",
        ["still_running"],
    ),
    "criteria by nobody who may": Attempt(
        lambda scene: scene.applied(),
        lambda scene: watchlists.propose_criteria(
            scene.outside, a.to_propose_criteria(role=Role.OPERATOR)
        ),
        "watchlist.criteria_refused",
        ["role_does_not_fit"],
    ),
    "criteria a second time": Attempt(
        lambda scene: scene.applied().list_opened(),
        lambda scene: watchlists.propose_criteria(scene.outside, a.to_propose_criteria()),
        "watchlist.criteria_refused",
        ["criteria_decided"],
    ),
    "an approval of settled criteria": Attempt(
        lambda scene: scene.applied().list_opened(),
        lambda scene: watchlists.approve_criteria(scene.outside, a.to_approve_criteria()),
        "watchlist.criteria_refused",
        ["criteria_decided"],
    ),
    "an import": Attempt(
        lambda scene: scene.applied().list_opened(),
        lambda scene: watchlists.refuse_import(
            scene.outside, a.to_refuse_the_import(reasons=[Refusal("missing_image", "add it")])
        ),
        "watchlist.import_refused",
        ["missing_image"],
    ),
    "an acceptance of a judged entry": Attempt(
        lambda scene: scene.applied().listed(),
        lambda scene: watchlists.accept_entry(
            scene.outside, a.to_accept(), template=memoryview(b"")
        ),
        "watchlist.entry_refused",
        ["entry_judged"],
    ),
    "a proposal for a sealed list": Attempt(
        lambda scene: scene.applied().listed(),
        lambda scene: watchlists.propose_entry(
            scene.outside,
            a.to_propose_an_entry(entry=a.OTHER_ENTRY),
            image=b"an image",
            callers_reference="row-2",
        ),
        "watchlist.entry_refused",
        ["watchlist_sealed"],
    ),
    "a rejection of a judged entry": Attempt(
        lambda scene: scene.applied().listed(),
        lambda scene: watchlists.reject_entry(scene.outside, a.to_reject()),
        "watchlist.entry_refused",
        ["entry_judged"],
    ),
    "a seal of a sealed list": Attempt(
        lambda scene: scene.applied().listed(),
        lambda scene: watchlists.seal(scene.outside, a.to_seal(actor="staff:manager-3")),
        "watchlist.seal_refused",
        ["watchlist_sealed"],
    ),
    "an approval of a list that is open": Attempt(
        lambda scene: scene.applied().list_opened(),
        lambda scene: watchlists.approve(scene.outside, a.to_approve()),
        "watchlist.approval_refused",
        ["watchlist_not_sealed"],
    ),
    "a gallery of a list that nobody approved": Attempt(
        lambda scene: scene.applied().list_opened().entry_proposed().entry_accepted(),
        lambda scene: watchlists.load_gallery(scene.outside, a.to_load_the_gallery()),
        "watchlist.gallery_refused",
        ["watchlist_not_approved"],
    ),
    "an alert after the stop": Attempt(
        lambda scene: scene.running().stopped(),
        lambda scene: alerts.raise_alert(scene.outside, a.to_raise()),
        "alert.raise_refused",
        ["run_not_live"],
    ),
    "a look by nobody who may": Attempt(
        lambda scene: scene.running().alerted(),
        lambda scene: alerts.view(scene.outside, a.to_view(role=Role.APPLICANT)),
        "alert.view_refused",
        ["role_may_not_view"],
    ),
    "a decision without a look": Attempt(
        lambda scene: scene.running().alerted(),
        lambda scene: alerts.adjudicate(scene.outside, a.to_decide(note="seen him")),
        "alert.adjudication_refused",
        ["not_viewed"],
    ),
    "a read for no lawful purpose": Attempt(
        lambda scene: scene.running().alerted(),
        lambda scene: custody.consult(
            scene.outside, a.to_consult(item=crop_of(scene), purpose="curiosity")
        ),
        "item.consultation_refused",
        ["purpose_not_allowed"],
    ),
}
EVERY_ATTEMPT = pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=list(ATTEMPTS))


@EVERY_ATTEMPT
def test_a_refused_command_is_answered_with_its_reasons(attempt: Attempt) -> None:
    """The caller learns every code."""
    answer = attempt.ask(attempt.before(Scene()))
    assert isinstance(answer, Refused)
    assert answer.codes == attempt.codes


@EVERY_ATTEMPT
def test_the_refusal_is_on_the_record_in_the_journal_of_its_scope(attempt: Attempt) -> None:
    """Once, with the reasons that the caller was given, and who asked."""
    scene = attempt.before(Scene())
    answer = attempt.ask(scene)
    (kept,) = scene.events(WasRefused)
    assert attempt.name == kept.NAME
    assert kept.originator_id == journal("refusals", a.DEPLOYMENT.hex)
    assert kept.originator_version == 1
    assert kept.reasons == answer.reasons
    (entry,) = (one for one in scene.record.history() if one.event is kept)
    command = answer.command
    assert (entry.actor, entry.role) == (command.actor, command.role.value)
    assert (entry.cause, entry.scope) == (command.command_id.hex, command.scope)


@EVERY_ATTEMPT
def test_a_refusal_does_not_move_what_it_was_aimed_at(attempt: Attempt) -> None:
    """A flood of refused attempts cannot get in the way of a lawful command."""
    scene = attempt.before(Scene())
    answer = attempt.ask(scene)
    assert answer.concerning is not None
    before = scene.record.version(answer.concerning)
    attempt.ask(scene)
    attempt.ask(scene)
    assert scene.record.version(answer.concerning) == before
    assert len(scene.events(WasRefused)) == 3


@EVERY_ATTEMPT
def test_a_refused_command_leaves_nothing_in_the_vault(attempt: Attempt) -> None:
    """What was kept for it, if anything was, is destroyed at once."""
    scene = attempt.before(Scene())
    before = scene.vault.keys()
    attempt.ask(scene)
    assert scene.vault.keys() == scene.vault.ciphertexts() == before == scene.live_items()
