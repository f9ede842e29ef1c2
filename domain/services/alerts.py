"""Raising, viewing and deciding a possible match."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.alerts.commands import AdjudicateAlert, RaiseAlert, ViewAlert
from domain.alerts.policies import RaiseFacts
from domain.custody.classes import RETENTION, ItemClass
from domain.deployments.aggregate import Deployment
from domain.kernel.errors import RecordBrokenError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import carry_out
from domain.services.custody import Content, KeptItem, destroy_for, keep, sealed_items
from domain.watchlists.aggregate import Watchlist

Answer = Alert | Refused


@dataclass(frozen=True)
class _Grounds:
    """What an alert rests on, and the versions that were read."""

    facts: RaiseFacts
    watchlist: UUID
    given: dict[UUID, int] = field(default_factory=dict)


def raise_alert(outside: Outside, command: RaiseAlert) -> Answer:
    """Raise a possible match: T1 items registered, then sealed, then T2 the alert with them.

    The grounds (run live, window, zone, entry listed) are read before anything is kept, and their
    versions are compared again in T2 under the log's lock. If they moved on in between, the
    decision is made anew; if it is now a refusal, what had been kept is destroyed.
    """
    kept: list[KeptItem] = []

    def attempt() -> Answer:
        grounds = _grounds(outside, command)
        alert = Alert(command.alert)
        items = {one.item_class.value: one.item for one in kept}
        if refused := alert.decide_raise(
            command, grounds.facts, watchlist=grounds.watchlist, items=items
        ):
            return refused
        if not kept:
            kept.extend(_keep_material(outside, command))
            return attempt()
        outside.record.append(
            *sealed_items(outside, kept, at=command.at), alert, by=command, given=grounds.given
        )
        return alert

    answer = carry_out(outside, command, attempt)
    if isinstance(answer, Refused) and kept:
        destroy_for(outside, command, [one.item for one in kept], cause="alert_refused")
    return answer


def view(outside: Outside, command: ViewAlert) -> Answer:
    """Let an officer look at an alert."""

    def attempt() -> Answer:
        alert = outside.record.load(Alert, command.alert)
        if refused := alert.decide_view(command):
            return refused
        outside.record.append(alert, by=command)
        return alert

    return carry_out(outside, command, attempt)


def adjudicate(outside: Outside, command: AdjudicateAlert) -> Answer:
    """Take an officer's decision; its free text goes into the vault."""
    kept: list[KeptItem] = []

    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        alert = outside.record.load(Alert, command.alert)
        if refused := alert.decide_adjudication(
            command,
            stand_ins=deployment.officers == "stand-in",
            note_item=kept[0].item if kept else None,
        ):
            return refused
        if command.note and not kept:
            kept.extend(_keep_note(outside, command))
            return attempt()
        outside.record.append(*sealed_items(outside, kept, at=command.at), alert, by=command)
        return alert

    answer = carry_out(outside, command, attempt)
    if isinstance(answer, Refused) and kept:
        destroy_for(outside, command, [one.item for one in kept], cause="decision_refused")
    return answer


def _grounds(outside: Outside, command: RaiseAlert) -> _Grounds:
    deployment = outside.record.load(Deployment, command.deployment)
    watchlist = outside.record.load(Watchlist, deployment.watchlist)
    allowed = deployment.authorised
    return _Grounds(
        facts=RaiseFacts(
            at=command.at,
            run=command.run,
            live_run=deployment.run,
            valid_from=allowed.valid_from if allowed else None,
            valid_until=allowed.valid_until if allowed else None,
            camera=command.camera,
            cameras=allowed.cameras if allowed else [],
            inside_zone=command.inside_zone,
            entry_listed=watchlist.approved and command.entry in watchlist.accepted,
            threshold=command.threshold,
            authorised_threshold=allowed.threshold if allowed else None,
            model_digest=command.model_digest,
            authorised_model=allowed.model_digest if allowed else None,
        ),
        watchlist=watchlist.id,
        given={deployment.id: deployment.version, watchlist.id: watchlist.version},
    )


def _keep_material(outside: Outside, command: RaiseAlert) -> list[KeptItem]:
    material = command.material
    contents = [
        Content(ItemClass.FACE_CROP, "image/jpeg", command.alert, material.face_crop),
        Content(
            ItemClass.PROBE_TEMPLATE,
            "application/x-float32",
            command.alert,
            material.probe_template,
        ),
        Content(ItemClass.ALERT_DETAIL, "application/json", command.alert, material.detail),
    ]
    if material.wide_frame is not None:
        contents.append(
            Content(ItemClass.WIDE_FRAME, "image/jpeg", command.alert, material.wide_frame)
        )
    due_at = command.at + min(RETENTION[one.item_class].limit for one in contents)
    return keep(outside, command, contents, deployment=command.deployment, due_at=due_at)


def _keep_note(outside: Outside, command: AdjudicateAlert) -> list[KeptItem]:
    raised = outside.record.load(Alert, command.alert).raised
    if raised is None:
        raise RecordBrokenError(f"alert {command.alert.hex} was never raised")
    note = Content(ItemClass.FREE_TEXT, "text/plain", command.alert, command.note.encode())
    # The note's clock is the alert's: a later decision does not keep anything longer.
    due_at = raised.timestamp + RETENTION[ItemClass.FREE_TEXT].limit
    return keep(outside, command, [note], deployment=command.deployment, due_at=due_at)
