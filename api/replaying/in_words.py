"""States, differences and reasons in words, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.narration import sentence
from api.replaying.differences import Cause, Difference, Differences
from api.replaying.moments import Moment
from api.replaying.reasons import Answer, JudgedAgainst, Reason
from api.replaying.state import AlertOf, Balance, ItemsOf, ListOf, Phase, RunOf, State
from domain.ports import AlertState, Reconciliation, Recorded, WatchlistState

PHASES: Mapping[str, str] = {
    Phase.NOT_APPLIED_FOR: "there is no application that was taken",
    Phase.APPLIED_FOR: "applied for, not authorised",
    Phase.AUTHORISED: "authorised, recognition was never on",
    Phase.RUNNING: "recognition is on",
    Phase.STOPPED: "recognition is off",
    Phase.ENDED: "over: it was ended",
    Phase.CANCELLED: "over: it was cancelled",
}

LIST_STATES: Mapping[str, str] = {
    WatchlistState.CRITERIA_PROPOSED: "criteria proposed, nobody may be put on it yet",
    WatchlistState.CRITERIA_APPROVED: "criteria approved, open for entries",
    WatchlistState.SEAL_REQUESTED: "closed by the first of two",
    WatchlistState.SEALED: "sealed by two, not approved",
    WatchlistState.APPROVED: "sealed and approved",
}

ALERT_STATES: Mapping[str, str] = {
    AlertState.RAISED: "open, nobody looked yet",
    AlertState.VIEWED: "open, viewed",
    AlertState.ADJUDICATED: "decided",
    AlertState.CLOSED_UNDETERMINED: "closed, nobody decided",
}

BALANCES: Mapping[str, str] = {
    Balance.BALANCED: "the sums balance",
    Balance.NOT_YET: "the sums do not balance yet",
    Balance.NOT_BALANCED: "THE SUMS DO NOT BALANCE",
}

COMPARISONS: Mapping[str, str] = {
    Reconciliation.OPEN: "not compared on the record yet",
    Reconciliation.RECONCILED: "compared on the record: they balanced",
    Reconciliation.FAILED: "compared on the record: THEY DID NOT BALANCE",
}

_WIDE = 22
_SHOWN_PLACES = 5
_SINGULAR = {
    "watchlists": "watchlist",
    "runs": "run",
    "alerts": "alert",
    "cameras": "camera",
}
_CODES: Mapping[str, Mapping[str, str]] = {
    "phase": PHASES,
    "watchlists": LIST_STATES,
    "alerts": ALERT_STATES,
    "balance": BALANCES,
    "compared": COMPARISONS,
}


# -- a state -------------------------------------------------------------------------------------


def state_lines(state: State, moment: Moment, following: Recorded | None) -> Iterator[str]:
    """A state for a person.

    Args:
        state: as it was.
        moment: that was asked for.
        following: the deployment's entry behind it, if there is one.
    """
    yield f"{_mark(state.mode)}deployment {state.deployment} {_when(state, moment)}"
    yield from _place_lines(state, moment, following)
    yield _row("phase", PHASES[state.phase])
    yield from _authority_lines(state)
    for name, found in state.watchlists.items():
        yield from _list_lines(name, found)
    for name, run in state.runs.items():
        yield from _run_lines(name, run)
    yield from _alert_lines(state)
    yield from _item_lines(state)
    refused = [_times(name, count) for name, count in state.refusals.items()]
    yield _row("refused", ", ".join(refused) or "nothing")
    yield from _people_lines(state)


def _when(state: State, moment: Moment) -> str:
    return "as it is" if moment == Moment() else f"as it was at {moment}"


def _place_lines(state: State, moment: Moment, following: Recorded | None) -> Iterator[str]:
    if state.position is None:
        yield _row("entries", "none up to there")
    else:
        yield _row(
            "entries",
            f"{state.entries}, the newest at position {state.position}, "
            f"recorded {state.recorded_at}",
        )
    if following is not None:
        told = f"position {following.position}, {following.event.NAME}"
        yield _row("the next one", told + _suspect(following.clock))
    elif moment != Moment():
        yield _row("the next one", "none: nothing of this deployment was recorded after it")
    if state.clock_suspect:
        yield _row(
            "clock",
            f"{state.clock_suspect} of these entries were recorded by a clock that was not to be "
            "believed: their place tells when, not their time",
        )


def _authority_lines(state: State) -> Iterator[str]:
    asked, allowed = state.application, state.authorisation
    if asked is not None:
        yield _row(
            "applied for",
            f"by {asked.applicant} for {asked.use_case} ({asked.objective}) at {asked.location}, "
            f"{asked.requested_from} to {asked.requested_until}, with {asked.officers} officers",
        )
    if state.cameras:
        footage = "footage is recorded" if state.footage_recorded else "no footage is recorded"
        yield _row("cameras", f"{_pairs(state.cameras, '{0} ({1})')}; {footage}")
    if state.report:
        yield _row("report", f"{len(state.report)} sections (plumbline report application)")
    if state.place:
        yield _row("sensitive place", state.place)
    if allowed is not None:
        yield _row(
            "authorised",
            f"by {allowed.officer}, {allowed.valid_from} to {allowed.valid_until}, "
            f"cameras {', '.join(allowed.cameras)}",
        )
        if allowed.lapses:
            told = f"urgently ({allowed.urgency}): lapses at {allowed.lapses} unless ratified"
            yield _row("", told)
        yield _row("", f"targeted: {allowed.targeted}; led by: {allowed.intelligence_led}")
        yield _row(
            "",
            f"threshold {allowed.threshold} ({allowed.threshold_justification}) "
            f"for model {_short(allowed.model_digest)}",
        )


def _list_lines(name: str, found: ListOf) -> Iterator[str]:
    yield _row(f"watchlist {_short(name)}", LIST_STATES[found.state])
    yield _row(
        "",
        f"{found.accepted} accepted, {found.rejected} rejected, {found.not_judged} not judged yet",
    )
    if found.removed:
        yield _row("", f"{found.removed} taken off again")
    if found.extra_authority:
        yield _row("", f"{found.extra_authority} by extra authority")
    if found.accepted:
        yield _row("", f"{found.reviewed} of {found.accepted} looked at again")
    criteria = ", ".join(found.categories)
    yield _row("", f"criteria: {criteria} (accepted values {found.catalogue}), by {found.proposer}")
    if found.accepted:
        yield _row("", f"accepted by category: {_pairs(found.by_category)}")
        yield _row("", f"by source: {_pairs(found.by_source_system)}")
        yield _row("", f"by age: {_pairs(found.by_age_band)}")
    if found.rejected_for:
        yield _row("", f"rejected for: {_pairs(found.rejected_for)}")
    if found.sealers:
        yield _row("", f"sealed by {' and '.join(found.sealers)}")
    if found.loaded_by:
        yield _row("", f"taken into memory by {_pairs(found.loaded_by)}")


def _run_lines(name: str, run: RunOf) -> Iterator[str]:
    recognition = f"recognition is {run.recognition}" if run.recognition else "never started"
    yield _row(f"run {_short(name)}", f"{recognition}; {run.frames} frames taken")
    yield _row("", _sums(run))
    odd = [
        words
        for count, words in (
            (run.without_outcome, f"{run.without_outcome} without an outcome"),
            (run.doubled, f"{run.doubled} with two outcomes, or not counted as seen"),
        )
        if count
    ]
    yield _row("", "; ".join([BALANCES[run.balance], *odd, COMPARISONS[run.compared]]))
    yield _row("", f"longest life of a template: {run.longest_template_life_ms} ms")


def _sums(run: RunOf) -> str:
    ends = {
        "not enrolled": run.not_enrolled,
        "enrolled and discarded": run.enrolled_and_discarded,
        "alerted": run.alerted,
        "suppressed": run.suppressed,
        "interrupted": run.interrupted,
    }
    in_all = sum(ends.values())
    told = " + ".join(f"{count} {name}" for name, count in ends.items())
    seen = f"{run.seen} seen" if in_all == run.seen else f"{run.seen} seen, {in_all} accounted for"
    return f"{seen} = {told}"


def _alert_lines(state: State) -> Iterator[str]:
    states = [one.state for one in state.alerts.values()]
    decided = states.count(AlertState.ADJUDICATED)
    closed = states.count(AlertState.CLOSED_UNDETERMINED)
    yield _row(
        "alerts",
        f"{len(states) - decided - closed} open, {decided} decided, "
        f"{closed} closed without a decision",
    )
    for name, alert in state.alerts.items():
        yield _row(f"  {_short(name)}", _alert_words(alert))


def _alert_words(alert: AlertOf) -> str:
    decision = f": {alert.decision}" if alert.decision else ""
    viewers = f", viewed by {', '.join(dict.fromkeys(alert.viewers))}" if alert.viewers else ""
    return (
        f"{ALERT_STATES[alert.state]}{decision}; {alert.camera}, entry {_short(alert.entry)}, "
        f"raised at position {alert.raised_position}{viewers}{_followed_words(alert)}"
    )


def _followed_words(alert: AlertOf) -> str:
    """What came after the decision, where anything did."""
    told = []
    if alert.dissenters:
        told.append(f"dissent by {', '.join(alert.dissenters)}")
    if alert.not_located:
        told.append("the person was not found")
    if alert.officers:
        told.append(f"engaged by {', '.join(alert.officers)}")
        told.append(f"identity {alert.identity or 'not said'}")
    if alert.outcomes:
        told.append(", ".join(alert.outcomes))
    return "".join(f"; {one}" for one in told)


def _item_lines(state: State) -> Iterator[str]:
    items = state.items.values()
    over = state.phase in (Phase.ENDED, Phase.CANCELLED)
    live = sum(one.live for one in items)
    due = "; all that are live are due, because the deployment is over" if over and live else ""
    by = f" at {state.overdue_at}" if state.overdue_at else ""
    yield _row(
        "items",
        f"{live} live, {sum(one.destroyed for one in items)} destroyed, "
        f"{sum(one.overdue for one in items)} overdue{by}{due}",
    )
    for name, found in state.items.items():
        yield _row(f"  {name}", _item_words(found))


def _item_words(found: ItemsOf) -> str:
    begun = f" ({found.being_destroyed} being destroyed)" if found.being_destroyed else ""
    return (
        f"{found.live} live{begun}, {found.destroyed} destroyed, {found.overdue} overdue; "
        f"{', '.join(found.rules)}"
    )


def _people_lines(state: State) -> Iterator[str]:
    yield _row("who did what", "" if state.people else "nobody did anything")
    for role, actors in state.people.items():
        for actor, acts in actors.items():
            told = ", ".join(_times(name, count) for name, count in acts.items())
            yield _row(f"  {role}", f"{actor}: {told}")


# -- differences ---------------------------------------------------------------------------------


def difference_lines(found: Differences, earlier: Moment, later: Moment) -> Iterator[str]:
    """What differs, for a person."""
    yield (
        f"{_mark(found.after.mode)}deployment {found.after.deployment} from {earlier} "
        f"({_place(found.before)}) to {later} ({_place(found.after)})"
    )
    yield f"{found.entries} entries between them, {len(found.found)} values changed"
    for one in found.found:
        yield f"{_label(one)}: {_shown(one, one.before)} -> {_shown(one, one.after)}"
        yield f"    {_because(one.causes)}"


def _place(state: State) -> str:
    return "before its first entry" if state.position is None else f"entry {state.position}"


def _label(one: Difference) -> str:
    """What a person would call the value: ``run 2f3a91bc, enrolled and discarded``."""
    group, *rest = one.path
    names = [_short(part) if len(part) == 32 else part.replace("_", " ") for part in rest]
    if group == "refusals":
        return f"refused, {rest[0]}"
    if group in _SINGULAR:
        return ", ".join([f"{_SINGULAR[group]} {names[0]}", *names[1:]])
    if group == "items":
        return ", ".join([f"items, {rest[0]}", *names[1:]])
    return ", ".join([group.replace("_", " "), *names])


def _shown(one: Difference, value: Any) -> str:
    if value is None:
        other = one.before if one.after is None else one.after
        return "0" if isinstance(other, int) and not isinstance(other, bool) else "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    codes = _CODES.get(one.path[0] if one.path[-1] == "state" else one.path[-1], {})
    text = str(value)
    return codes.get(text, _short(text, 64) if one.path[-1] == "model_digest" else text)


def _because(causes: list[Cause]) -> str:
    if not causes:
        return "because time passed"
    together: dict[tuple[str, str], list[int]] = {}
    for one in causes:
        together.setdefault((one.name, one.role), []).append(one.position)
    told = [f"{_places(at)} {name} ({role})" for (name, role), at in together.items()]
    return f"because of {'; '.join(told)}"


def _places(positions: list[int]) -> str:
    """All positions, or the first and the last of many."""
    if len(positions) <= _SHOWN_PLACES:
        return ", ".join(map(str, positions))
    first = ", ".join(map(str, positions[: _SHOWN_PLACES - 1]))
    return f"{first} ... {positions[-1]} ({len(positions)} in all)"


# -- reasons -------------------------------------------------------------------------------------


def answer_lines(answer: Answer) -> Iterator[str]:
    """Why something was refused, for a person."""
    yield (
        f"{_mark(answer.mode)}deployment {answer.deployment}, position {answer.position}: "
        f"{answer.name}"
    )
    yield _row("asked to", answer.asked_to)
    yield _row("by", f"{answer.actor}, as {answer.role}")
    yield _row("at", f"{answer.asked_at}, recorded {answer.recorded_at}{_suspect(answer.clock)}")
    kinds = " or ".join(answer.commands) or "a command that came again"
    yield _row("command", f"{answer.command} ({kinds})")
    for number, reason in enumerate(answer.reasons, start=1):
        yield from _reason_lines(number, reason)
    yield "judged against what the record held just before it:"
    yield _row("  deployment", PHASES[answer.phase])
    for name, found in answer.lists.items():
        yield _row(f"  watchlist {_short(name)}", LIST_STATES[found])
    if answer.judged_against is not None:
        yield from _aim_lines(answer.judged_against)
    yield f"rules in force then: {answer.documents}; what the record does hold of them:"
    for rule in answer.in_force:
        yield f"  {rule.what}: {rule.value} (position {rule.position})"
    if not answer.in_force:
        yield "  nothing yet"


def no_refusal_lines(entry: Recorded) -> Iterator[str]:
    """That an entry refused nothing, for a person who asked why it did."""
    yield (
        f"{_mark(entry.mode)}position {entry.position} is no refusal but says what happened "
        f"({entry.event.NAME}, by {entry.actor} as {entry.role}):"
    )
    yield f"  {sentence(entry.event)}"


def _reason_lines(number: int, reason: Reason) -> Iterator[str]:
    yield f"reason {number}: {reason.code}"
    yield _row("  what was said", reason.sentence)
    for name, value in reason.compared.items():
        yield _row("  compared", f"{name}: {value}")
    if reason.rule is None:
        yield _row("  rule", reason.otherwise or "")
        return
    yield _row("  rule", f"{reason.rule.demand} ({reason.rule.name}, as this version words it)")
    yield _row("  source", reason.rule.source or "the rule names none")


def _aim_lines(aim: JudgedAgainst) -> Iterator[str]:
    if aim.position is None:
        yield _row("  aimed at", f"{aim.id}, which was not there yet")
        return
    yield _row(
        "  aimed at",
        f"{aim.kind} {aim.id} at its version {aim.version}, of position {aim.position}",
    )
    for name, value in aim.state.items():
        if isinstance(value, dict):
            value = _pairs(value, "{0} {1}")
        if value not in (None, "", []):
            yield _row("", f"{name.replace('_', ' ')}: {_plain(value)}")


# -- words ---------------------------------------------------------------------------------------


def _row(label: str, words: str) -> str:
    return f"{label:<{_WIDE}}  {words}".rstrip()


def _mark(mode: str) -> str:
    return "REHEARSAL " if mode == "rehearsal" else ""


def _suspect(clock: str) -> str:
    return " (clock suspect)" if clock == "suspect" else ""


def _short(reference: str, length: int = 32) -> str:
    """The first digits of an id or a digest; anything shorter as it is."""
    return reference[:8] if len(reference) >= length else reference


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} x{count}"


def _pairs(counts: Mapping[str, object], form: str = "{0} {1}") -> str:
    return ", ".join(form.format(name, _plain(value)) for name, value in counts.items())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)
