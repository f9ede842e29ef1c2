"""Why something was refused: the rules that said no, what they compared, and what was in force.

What was asked, the codes, the sentences and the values compared are the record's. The rule's own
words and its source are this version's (``rulebook``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from api.replaying.rulebook import REQUESTS, RuleTold, rule_behind
from api.replaying.state import AsItWas, State
from domain.alerts.aggregate import Alert
from domain.copies.aggregate import Copies
from domain.custody import events as custody
from domain.custody.aggregate import Item
from domain.deployments import events as deployment
from domain.deployments.aggregate import Deployment
from domain.holds.aggregate import Hold
from domain.kernel.aggregate import Aggregate
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refusal, WasRefused
from domain.kernel.time import written
from domain.ports import Recorded
from domain.watchlists import events as watchlist
from domain.watchlists.aggregate import Watchlist

NO_DOCUMENT = "no document is on this record"
"""Policies, assessments and approvals are not recorded yet; there is no event for any of them."""


@dataclass(frozen=True)
class Reason:
    """One rule that said no."""

    code: str
    sentence: str
    compared: dict[str, str]
    rule: RuleTold | None
    """None where no policy of this version gives this code about such a request."""
    otherwise: str | None
    """Where it comes from, if from no policy."""


@dataclass(frozen=True)
class InForce:
    """Something that the record held of the rules at that place."""

    what: str
    value: str
    position: int
    """Of the entry that says so."""


@dataclass(frozen=True)
class JudgedAgainst:
    """What the request was aimed at, as its entries before the refusal leave it."""

    kind: str
    id: str
    version: int
    """Its newest version; 0 where it did not exist yet."""
    position: int | None
    """Of its newest entry."""
    state: dict[str, Any]
    """Its values, as ``State`` gives them."""


@dataclass(frozen=True)
class Answer:
    """Why one entry says no."""

    deployment: str
    mode: str
    position: int
    name: str
    """The stored name of the refusal."""
    asked_to: str
    commands: list[str]
    """The command that was refused is one of these; the record keeps its id and not its kind."""
    command: str
    """The id of the command."""
    actor: str
    role: str
    asked_at: str
    recorded_at: str
    clock: str
    reasons: list[Reason]
    judged_against: JudgedAgainst | None
    """None where the request named nothing."""
    phase: str
    """How far the deployment had come: a value of ``Phase``."""
    lists: dict[str, str]
    """Each of its watchlists and how far it had come: a value of ``WatchlistState``."""
    documents: str
    in_force: list[InForce]

    def as_json(self) -> dict[str, Any]:
        """The answer as one JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class NoRefusal:
    """The entry that was asked about says what happened, and refused nothing."""

    entry: Recorded


def why(entries: Iterable[Recorded], deployment: UUID, position: int) -> Answer | NoRefusal:
    """Why the entry at a position refused what was asked.

    Args:
        entries: of the deployment, in order, from its first.
        deployment: which.
        position: of the refusal.

    Raises:
        DomainError: the deployment has no entry there.
    """
    before = AsItWas(deployment)
    in_force: dict[str, InForce] = {}
    for entry in entries:
        if entry.position > position:
            raise _not_of_it(position, before, entry)
        if entry.position == position:
            if isinstance(entry.event, WasRefused):
                return _answer(entry, entry.event, before, list(in_force.values()))
            return NoRefusal(entry)
        before.take(entry)
        in_force |= {rule.what: rule for rule in _rules_of(entry)}
    raise _not_of_it(position, before, None)


def _answer(entry: Recorded, event: WasRefused, before: AsItWas, in_force: list[InForce]) -> Answer:
    request = REQUESTS[type(event)]
    state = before.state()
    return Answer(
        deployment=state.deployment,
        mode=entry.mode,
        position=entry.position,
        name=event.NAME,
        asked_to=request.words,
        commands=[one.__name__ for one in request.commands],
        command=entry.cause,
        actor=entry.actor,
        role=entry.role,
        asked_at=written(event.timestamp),
        recorded_at=written(entry.recorded_at),
        clock=entry.clock,
        reasons=[_reason(type(event), one) for one in event.reasons],
        judged_against=_judged_against(event, before, state),
        phase=state.phase,
        lists={name: one.state for name, one in state.watchlists.items()},
        documents=NO_DOCUMENT,
        in_force=in_force,
    )


def _reason(kind: type[WasRefused], refusal: Refusal) -> Reason:
    rule = rule_behind(kind, refusal)
    otherwise = REQUESTS[kind].otherwise if rule is None else None
    return Reason(refusal.code, refusal.sentence, refusal.compared, rule, otherwise)


def _not_of_it(position: int, before: AsItWas, after: Recorded | None) -> DomainError:
    if after is None:
        newest = before.newest
        end = f"its newest is at {newest.position}" if newest else "it has none"
        return DomainError(f"the deployment has no entry at position {position}: {end}")
    near = [str(one.position) for one in (before.newest, after) if one is not None]
    return DomainError(
        f"the entry at position {position} is not of this deployment but of another or of the log "
        f"itself: the nearest of its own are at {' and '.join(near)}"
    )


# -- what was in force ---------------------------------------------------------------------------


def _rules_of(entry: Recorded) -> Iterator[InForce]:
    """What an entry says of the rules that later ones are judged by."""
    return (InForce(what, value, entry.position) for what, value in _rules_told(entry))


def _rules_told(entry: Recorded) -> Iterator[tuple[str, str]]:
    match entry.event:
        case watchlist.CriteriaProposed() as event:
            yield "catalogue of accepted values, version", event.accepted_values
            yield "criteria of the list, categories", ", ".join(event.categories)
        case watchlist.CriteriaApproved() as event:
            yield "criteria approved by", event.officer
        case deployment.DeploymentAuthorised() as event:
            yield "authorised by", event.officer
            yield (
                "authorised window",
                f"{written(event.valid_from)} to {written(event.valid_until)}",
            )
            yield "authorised cameras", ", ".join(event.cameras)
            yield "authorised threshold", f"{event.threshold} ({event.threshold_justification})"
            yield "authorised model", event.model_digest
        case deployment.AuthorisationVaried() as event:
            yield (
                "authorised window",
                f"{written(event.valid_from)} to {written(event.valid_until)}",
            )
            yield "authorised cameras", ", ".join(event.cameras)
        case deployment.AuthorisationRatified() as event:
            yield "urgent authorisation ratified by", event.officer
        case deployment.RatificationDeclined() as event:
            yield "authorised by", f"nobody any more: not ratified by {event.officer}"
        case deployment.AuthorisationWithdrawn() as event:
            yield "authorised by", f"nobody any more: withdrawn by {event.officer}"
        case deployment.DeploymentStarted() as event:
            for name, value in event.recogniser_settings.items():
                yield f"recogniser setting {name}", value
        case custody.ItemRegistered() as event:
            yield (
                f"retention of {event.item_class}",
                f"{event.rule}, counted from {event.clock_starts}",
            )
        case _:
            return


# -- what it was judged against ------------------------------------------------------------------


def _judged_against(event: WasRefused, before: AsItWas, state: State) -> JudgedAgainst | None:
    if event.concerning is None:
        return None
    aimed = before.aimed_at(event.concerning)
    if aimed is None:
        return JudgedAgainst("not there yet", event.concerning.hex, 0, None, {})
    found = aimed.aggregate
    return JudgedAgainst(
        kind=found.KIND,
        id=found.id.hex,
        version=found.version,
        position=aimed.position,
        state=_values_of(found, state),
    )


def _values_of(found: Aggregate, state: State) -> dict[str, Any]:
    told = state.as_json()
    match found:
        case Deployment():
            names = ("application", "cameras", "footage_recorded", "authorisation")
            return {name: told[name] for name in names}
        case Watchlist():
            return dict(told["watchlists"][found.id.hex])
        case Alert():
            return dict(told["alerts"][found.id.hex])
        case Item():
            return _item_values(found)
        case Copies():
            return {"copies": len(found.copies), "open": len(found.open)}
        case Hold():
            return _hold_values(found)
        case _:
            return {}


def _hold_values(hold: Hold) -> dict[str, Any]:
    asked = hold.requested
    return {
        "requester": asked.requester if asked else None,
        "ground": asked.ground if asked else None,
        "items": len(hold.items),
        "review_by": written(hold.review_by) if hold.review_by else None,
        "approved": hold.approved,
        "declined": hold.declined,
        "released": hold.released,
    }


def _item_values(item: Item) -> dict[str, Any]:
    registered = item.registered
    return {
        "item_class": item.label.item_class,
        "due_at": written(item.told_due_at) if item.told_due_at else None,
        "rule": registered.rule if registered else None,
        "sealed": item.sealed is not None,
        "destruction_started": item.destruction is not None,
        "destroyed": item.destroyed,
    }
