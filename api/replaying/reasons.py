"""Why something was refused: the rules that said no, what they compared, and where they come from.

The record keeps each rule's code, its sentence and the values it compared; the rule itself, with
its reason and its source, is in the policies. The two are joined here by the kind of refusal and
the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.alerts import events as alert
from domain.alerts import policies as alert_policies
from domain.custody import events as custody
from domain.custody import policies as custody_policies
from domain.deployments import events as deployment
from domain.deployments import policies as deployment_policies
from domain.kernel import repeats
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refusal, WasRefused
from domain.kernel.time import written
from domain.ports import Recorded
from domain.watchlists import events as watchlist
from domain.watchlists import policies as watchlist_policies

Rule = Callable[[Any], Refusal | None]

RULES: dict[type[WasRefused], Sequence[Rule]] = {
    alert.RaiseRefused: alert_policies.RAISE_POLICIES,
    alert.ViewRefused: alert_policies.VIEW_POLICIES,
    alert.AdjudicationRefused: alert_policies.ADJUDICATION_POLICIES,
    custody.ConsultationRefused: custody_policies.CONSULTATION_POLICIES,
    deployment.ApplicationRefused: deployment_policies.APPLICATION_POLICIES,
    deployment.CameraRefused: deployment_policies.CAMERA_POLICIES,
    deployment.AuthorisationRefused: deployment_policies.AUTHORISATION_POLICIES,
    deployment.StartRefused: deployment_policies.START_POLICIES,
    deployment.StopRefused: deployment_policies.STOP_POLICIES,
    deployment.EndRefused: deployment_policies.CLOSING_POLICIES,
    deployment.CancellationRefused: deployment_policies.CLOSING_POLICIES,
    watchlist.CriteriaRefused: watchlist_policies.CRITERIA_POLICIES,
    watchlist.EntryRefused: (
        *watchlist_policies.PROPOSAL_POLICIES,
        *watchlist_policies.JUDGEMENT_POLICIES,
        watchlist_policies.category_is_within_the_criteria,
    ),
    watchlist.SealRefused: watchlist_policies.SEAL_POLICIES,
    watchlist.ApprovalRefused: watchlist_policies.APPROVAL_POLICIES,
    watchlist.GalleryRefused: watchlist_policies.GALLERY_POLICIES,
    repeats.RepeatRefused: repeats.REPEAT_POLICIES,
    # What is wrong with a file is told by its reader, line by line, and not by rules.
    watchlist.ImportRefused: (),
}
"""Which rules can have led to which refusal."""

_SOURCE = re.compile(r"\s*Source:\s*(.+?)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Reason:
    """One rule that said no."""

    code: str
    sentence: str
    compared: dict[str, str]
    rule: str | None
    """What the rule demands, in its own words; None where it is no rule of this version."""
    source: str | None
    """The statute, standard or policy line that it comes from."""


@dataclass(frozen=True)
class Answer:
    """Why one entry says no."""

    asked: str
    actor: str
    role: str
    at: str
    reasons: list[Reason]
    in_force: dict[str, str]
    """What the record holds of the rules of that day: versions, limits, settings."""


def why(entries: Iterable[Recorded], position: int) -> Answer:
    """Why the entry at a position refused what was asked.

    Args:
        entries: of the deployment, from its first.
        position: of the refusal.

    Raises:
        DomainError: there is no such entry in this deployment, or it refused nothing.
    """
    in_force: dict[str, str] = {}
    for entry in entries:
        if entry.position == position:
            return _answer(entry, in_force)
        in_force |= _rules_of(entry)
    raise DomainError(f"this deployment has no entry at position {position}")


def rules_with(code: str, rules: Iterable[Rule]) -> list[Rule]:
    """The rules that can give a code: it stands in them as written."""
    return [rule for rule in rules if code in rule.__code__.co_consts]


def _answer(entry: Recorded, in_force: dict[str, str]) -> Answer:
    event = entry.event
    if not isinstance(event, WasRefused):
        raise DomainError(
            f"entry {entry.position} ({event.NAME}) refused nothing: it says what happened"
        )
    rules = RULES[type(event)]
    return Answer(
        asked=event.NAME.split(".")[1].removesuffix("_refused").replace("_", " "),
        actor=entry.actor,
        role=entry.role,
        at=written(event.timestamp),
        reasons=[_reason(one, rules) for one in event.reasons],
        in_force=in_force,
    )


def _reason(refusal: Refusal, rules: Sequence[Rule]) -> Reason:
    # Where an entry is proposed and where it is judged, two rules can give one code: both are told.
    told = [_told(rule) for rule in rules_with(refusal.code, rules)]
    return Reason(
        code=refusal.code,
        sentence=refusal.sentence,
        compared=refusal.compared,
        rule=" / ".join(demand for demand, _ in told) or None,
        source=" / ".join(source for _, source in told if source) or None,
    )


def _told(rule: Rule) -> tuple[str, str | None]:
    """What a rule demands, in its own words, and where it comes from."""
    words = inspect.getdoc(rule) or ""
    source = _SOURCE.search(words)
    demand = words[: source.start()] if source else words
    return _one_line(demand), _one_line(source[1]).rstrip(".") if source else None


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _rules_of(entry: Recorded) -> dict[str, str]:
    """What an entry says of the rules that later ones are judged by."""
    match entry.event:
        case watchlist.CriteriaProposed() as event:
            return {"catalogue of accepted values": event.accepted_values}
        case deployment.DeploymentAuthorised() as event:
            return {
                "authorised threshold": str(event.threshold),
                "authorised model": event.model_digest,
                "authorised window": f"{written(event.valid_from)} to {written(event.valid_until)}",
                "authorised cameras": ", ".join(event.cameras),
            }
        case deployment.DeploymentStarted() as event:
            return {
                f"recogniser {name}": value for name, value in event.recogniser_settings.items()
            }
        case custody.ItemRegistered() as event:
            return {f"retention of {event.item_class}": event.rule}
        case _:
            return {}
