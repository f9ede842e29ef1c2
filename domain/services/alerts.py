"""Raising, viewing and deciding a possible match."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.alerts.commands import AdjudicateAlert, RaiseAlert, RecordDissent, ViewAlert
from domain.alerts.policies import RaiseFacts
from domain.custody.classes import ItemClass
from domain.deployments.aggregate import Deployment
from domain.kernel.errors import NotFoundError, RecordBrokenError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import carry_out
from domain.services.custody import Content, Keeping, carry_out_keeping
from domain.services.governance import trained_to_adjudicate
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
    decision is made anew; if it is now a refusal, what had been kept is destroyed. An alert that
    was raised already is the answer to the same command again.
    """

    def attempt(keeping: Keeping) -> Answer:
        alert = _found_or_new(outside, command.alert)
        if alert.raised is not None:
            return alert
        grounds = _grounds(outside, command)
        if refused := alert.decide_raise(
            command, grounds.facts, watchlist=grounds.watchlist, items=keeping.items
        ):
            return refused
        if not keeping.items:
            _keep_material(keeping, command)
            return attempt(keeping)
        outside.record.append(
            *keeping.sealed_items(), alert, by=command, given=grounds.given, answers=True
        )
        return alert

    return carry_out_keeping(
        outside,
        command,
        attempt,
        kind=Alert,
        of=command.alert,
        if_refused="alert_refused",
    )


def view(outside: Outside, command: ViewAlert) -> Answer:
    """Let an officer look at an alert."""

    def attempt() -> Answer:
        alert = outside.record.load(Alert, command.alert)
        if refused := alert.decide_view(command):
            return refused
        outside.record.append(alert, by=command, answers=True)
        return alert

    return carry_out(outside, command, attempt, kind=Alert, of=command.alert)


def adjudicate(outside: Outside, command: AdjudicateAlert) -> Answer:
    """Take an officer's decision; its free text goes into the vault."""

    def attempt(keeping: Keeping) -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        alert = outside.record.load(Alert, command.alert)
        trained, given = trained_to_adjudicate(outside, command)
        if refused := alert.decide_adjudication(
            command,
            stand_ins=deployment.officers == "stand-in",
            trained=trained,
            note_item=keeping.items.get(ItemClass.FREE_TEXT),
        ):
            return refused
        if command.note and not keeping.items:
            _keep_note(keeping, command, alert)
            return attempt(keeping)
        outside.record.append(*keeping.sealed_items(), alert, by=command, given=given, answers=True)
        return alert

    return carry_out_keeping(
        outside,
        command,
        attempt,
        kind=Alert,
        of=command.alert,
        if_refused="decision_refused",
    )


def dissent(outside: Outside, command: RecordDissent) -> Answer:
    """Keep another officer's other view."""

    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        alert = alert_of(outside, command.deployment, command.alert)
        trained, given = trained_to_adjudicate(outside, command)
        if refused := alert.decide_dissent(
            command, stand_ins=deployment.officers == "stand-in", trained=trained
        ):
            return refused
        outside.record.append(alert, by=command, given=given, answers=True)
        return alert

    return carry_out(outside, command, attempt, kind=Alert, of=command.alert)


def alert_of(outside: Outside, deployment: UUID, alert: UUID) -> Alert:
    """A possible match of this deployment.

    Raises:
        NotFoundError: there is none of that name, or it is another deployment's.
    """
    found = outside.record.load(Alert, alert)
    whose = outside.record.load(Deployment, deployment)
    if found.raised is None or found.raised.watchlist != whose.watchlist:
        raise NotFoundError(f"deployment {deployment.hex} has no alert {alert.hex}")
    return found


def _found_or_new(outside: Outside, alert: UUID) -> Alert:
    try:
        return outside.record.load(Alert, alert)
    except NotFoundError:
        return Alert(alert)


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


def _keep_material(keeping: Keeping, command: RaiseAlert) -> None:
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
    keeping.keep(
        contents,
        deployment=command.deployment,
        anchor_at=command.at,
        window_end=command.at,
    )


def _keep_note(keeping: Keeping, command: AdjudicateAlert, alert: Alert) -> None:
    if alert.raised is None:
        raise RecordBrokenError(f"alert {alert.id.hex} was never raised")
    note = Content(ItemClass.FREE_TEXT, "text/plain", alert.id, command.note.encode())
    # The note's clock is the alert's: a later decision does not keep anything longer.
    raised_at = alert.raised.timestamp
    keeping.keep([note], deployment=command.deployment, anchor_at=raised_at, window_end=raised_at)
