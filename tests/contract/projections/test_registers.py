"""What the registers answer, for two deployments beside each other."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from domain.kernel.references import journal
from domain.ports import (
    AlertRegister,
    AlertState,
    CustodyRegister,
    DeploymentHistory,
    EntryState,
    ItemState,
    Reconciliation,
    RunStatistics,
    WatchlistRegister,
    WatchlistState,
)
from domain.services.survey import Survey
from domain.sightings.sums import Outcome
from infrastructure.projections.registers import Registers, UnknownProjectionError, named
from infrastructure.record.event_record import EventRecord
from tests.contract.projections.examples import (
    DECIDED,
    REFUSED,
    VIEWED,
    deployment,
    following,
    store_all,
    there,
)
from tests.support import builders as a
from tests.support.stores import Store

OVER, RUNNING = deployment(0), deployment(1)
NOBODYS = deployment(7)


class BrokenOff(Exception):
    """A rebuild is left half done."""


@pytest.fixture
def record(store: Store) -> EventRecord:
    """Two deployments, followed to the end; beside them rows of a rebuild that was broken off."""
    record = store.open()
    store_all(record)
    with following(store, at_once=50) as follower:
        follower.catch_up()

        def break_off(done: int, in_all: int) -> None:
            if done >= 100:
                raise BrokenOff

        with pytest.raises(BrokenOff):
            follower.rebuild(break_off)
    return record


@pytest.fixture
def registers(store: Store, record: EventRecord) -> Registers:
    """What answers."""
    return Registers.over(store.engine())


def test_every_register_says_how_far_it_follows(registers: Registers, record: EventRecord) -> None:
    """The size of the log that it has taken in; nothing before anyone followed."""
    for one in vars(registers).values():
        assert one.follows_to() == record.size()


def test_before_anyone_followed_the_registers_are_empty(store: Store) -> None:
    """That is an answer, not an error."""
    store_all(store.open())
    registers = Registers.over(store.engine())
    assert registers.alert_register.follows_to() == 0
    assert registers.alert_register.alerts(OVER) == []
    assert not registers.alert_register.knows(OVER)
    assert registers.deployment_history.lines(OVER) == []


# -- alerts ------------------------------------------------------------------------------------


def test_the_alert_register_knows_deployments_and_their_alerts(registers: Registers) -> None:
    """The newest first, in pages, with what a decision must expect."""
    register: AlertRegister = registers.alert_register
    assert register.knows(OVER) and register.knows(RUNNING) and not register.knows(NOBODYS)
    newest, oldest = register.alerts(OVER)
    assert (newest.alert, oldest.alert) == (VIEWED, DECIDED)
    assert register.alerts(OVER, limit=1) == [newest]
    assert register.alerts(OVER, before=newest.raised_position) == [oldest]
    assert register.alerts(OVER, before=oldest.raised_position) == []
    assert oldest.state is AlertState.ADJUDICATED and oldest.decision == "viable"
    assert oldest.decided_at == a.AT + timedelta(minutes=1)
    assert newest.state is AlertState.CLOSED_UNDETERMINED
    assert newest.decision is None and newest.decided_at is None
    assert (oldest.run, oldest.camera, oldest.threshold) == (a.RUN, a.CAMERA, a.THRESHOLD)
    [open_one] = register.alerts(RUNNING)
    assert open_one.state is AlertState.RAISED and open_one.version == 1


def test_each_change_keeps_the_alert_as_it_left_it(
    registers: Registers, record: EventRecord
) -> None:
    """In the order of the log, from behind any position; a look after the decision changes none."""
    register: AlertRegister = registers.alert_register
    changes = register.changes(OVER, after=-1)
    of_one = [one for one in changes if one.line.alert == DECIDED]
    assert [(one.name, one.line.state, one.line.decision, one.line.version) for one in of_one] == [
        ("alert.raised", AlertState.RAISED, None, 1),
        ("alert.viewed", AlertState.VIEWED, None, 2),
        ("alert.adjudicated", AlertState.ADJUDICATED, "viable", 3),
        ("alert.viewed", AlertState.ADJUDICATED, "viable", 4),
    ]
    stored = {one.position: one for one in record.history(OVER.hex)}
    for one in changes:
        assert one.line.newest_position == one.position
        assert one.occurred_at == stored[one.position].event.timestamp
    assert register.changes(OVER, after=changes[2].position, limit=2) == changes[3:5]
    assert register.changes(OVER, after=changes[-1].position) == []
    assert of_one[-1].line == register.alerts(OVER)[-1]


# -- history -----------------------------------------------------------------------------------


def test_the_history_has_a_line_for_every_entry_of_a_deployment(
    registers: Registers, record: EventRecord
) -> None:
    """And of no other, in the order of the log, in pages."""
    register: DeploymentHistory = registers.deployment_history
    for one in (OVER, RUNNING):
        lines = register.lines(one)
        stored = list(record.history(one.hex))
        assert [
            (line.position, line.name, line.role, line.actor, line.occurred_at, line.mode)
            for line in lines
        ] == [
            (it.position, it.event.NAME, it.role, it.actor, it.event.timestamp, it.mode)
            for it in stored
        ]
        assert [line.stream for line in lines] == [it.event.originator_id for it in stored]
        assert register.lines(one, after=lines[4].position, limit=3) == lines[5:8]
    assert register.lines(NOBODYS) == []


def test_the_history_can_be_asked_for_a_part(registers: Registers) -> None:
    """By name, by role, refusals only, and everything about one alert, item or entry."""
    register: DeploymentHistory = registers.deployment_history
    everything = register.lines(OVER)
    raised = register.lines(OVER, names=["alert.raised", "alert.viewed"])
    assert {one.name for one in raised} == {"alert.raised", "alert.viewed"}
    by_role = register.lines(OVER, roles=["authorising_officer"])
    assert by_role == [one for one in everything if one.role == "authorising_officer"] != []
    refused = register.lines(OVER, refused_only=True)
    assert {one.name for one in refused} == {"alert.adjudication_refused", "alert.raise_refused"}
    assert all(one.refused == (one in refused) for one in everything)

    about = Counter(one.name for one in register.lines(OVER, about=DECIDED))
    assert about == {
        "alert.raised": 1,
        "alert.viewed": 2,
        "alert.adjudicated": 1,
        "alert.adjudication_refused": 1,
        "sighting.suppressed": 1,
        **dict.fromkeys(
            ("item.registered", "item.sealed", "item.destruction_started", "item.destroyed"), 5
        ),
    }
    item = next(one.item for one in everything if one.item is not None)
    assert [one.name for one in register.lines(OVER, about=item)] == [
        "item.registered",
        "item.sealed",
        "item.destruction_started",
        "item.destroyed",
    ]
    of_the_entry = {one.name for one in register.lines(OVER, about=a.ENTRY)}
    assert of_the_entry >= {"watchlist.entry_proposed", "watchlist.entry_accepted"}
    refusals = journal("refusals", OVER.hex)
    assert register.lines(OVER, about=refusals) == refused


def test_a_refused_consultation_concerns_what_the_item_was_kept_for(registers: Registers) -> None:
    """So all that became of an alert stands together."""
    [line] = registers.deployment_history.lines(RUNNING, names=["item.consultation_refused"])
    assert line.refused and line.item is not None
    assert line.concerning == there(a.ALERT, 1)


# -- watchlists --------------------------------------------------------------------------------


def test_the_watchlist_register_tells_where_lists_and_entries_stand(registers: Registers) -> None:
    """With counts of the accepted by category, and the codes of each entry."""
    register: WatchlistRegister = registers.watchlist_register
    [line] = register.watchlists(OVER)
    assert line == register.watchlist(a.WATCHLIST)
    assert line.deployment == OVER and line.state is WatchlistState.APPROVED
    assert line.by_state == {
        EntryState.PROPOSED: 0,
        EntryState.ACCEPTED: 1,
        EntryState.REJECTED: 1,
        EntryState.REMOVED: 0,
    }
    assert line.by_category == {a.CATEGORY: 1} and line.categories == (a.CATEGORY,)
    assert line.model_digest == a.MODEL and line.approved_at is not None
    accepted, rejected = register.entries(a.WATCHLIST)
    assert (accepted.entry, accepted.state, accepted.reasons) == (a.ENTRY, EntryState.ACCEPTED, ())
    assert (rejected.entry, rejected.state) == (a.OTHER_ENTRY, EntryState.REJECTED)
    assert rejected.reasons and rejected.judged_at is not None
    assert register.entries(a.WATCHLIST, after=a.ENTRY) == [rejected]
    assert register.entries(a.WATCHLIST, limit=1) == [accepted]
    assert register.watchlist(NOBODYS) is None and register.watchlists(NOBODYS) == []


# -- custody -----------------------------------------------------------------------------------


def test_the_custody_register_follows_each_item_to_its_receipt(
    registers: Registers, record: EventRecord
) -> None:
    """The same items, alive and destroyed, as the record's own survey finds."""
    register: CustodyRegister = registers.custody_register
    survey = Survey().take(record.history())
    for one in (OVER, RUNNING):
        items = register.items(one)
        seen = [it for it in survey.items.values() if it.deployment == one]
        assert [
            (it.item, it.item_class, it.concerning, it.due_at, it.state is ItemState.DESTROYED)
            for it in items
        ] == [
            (it.item, it.item_class, it.concerning, survey.deadline(it), it.destroyed)
            for it in seen
        ]
        assert register.items(one, after=items[2].registered_position, limit=2) == items[3:5]
        assert register.item(items[0].item) == items[0]
    assert register.item(NOBODYS) is None
    assert {it.state for it in register.items(OVER)} == {ItemState.DESTROYED}
    assert all(it.destroyed_at and it.cause for it in register.items(OVER))
    assert sum(it.consultations for it in register.items(RUNNING)) == 1


def test_what_is_overdue_is_found_for_any_time(registers: Registers) -> None:
    """At the latest instant an item may still exist; a millisecond later it is overdue."""
    register: CustodyRegister = registers.custody_register
    first = min(one.due_at for one in register.items(RUNNING))
    assert register.overdue(first) == []
    found = register.overdue(first + timedelta(milliseconds=1))
    assert found == [one for one in register.items(RUNNING) if one.due_at == first] != []
    ever = first + timedelta(days=400)
    assert len(register.overdue(ever)) == len(register.items(RUNNING))
    assert register.overdue(ever, deployment=OVER) == []


def test_items_are_counted_by_class_for_any_time(store: Store, registers: Registers) -> None:
    """What a data protection officer asks: how many, how many left, how many too late."""
    register: CustodyRegister = registers.custody_register
    ever = a.AT + timedelta(days=400)
    over = {one.item_class: one for one in register.counts(ever, deployment=OVER)}
    face = over["face_crop"]
    assert (face.registered, face.existing, face.overdue) == (2, 0, 0)
    assert (face.destroyed, face.destroyed_late) == (2, 0)
    running = {one.item_class: one for one in register.counts(ever, deployment=RUNNING)}
    assert (running["face_crop"].existing, running["face_crop"].overdue) == (1, 1)
    both = {one.item_class: one.registered for one in register.counts(ever)}
    assert both["face_crop"] == 3 and list(both) == sorted(both)
    assert register.counts(a.AT - timedelta(days=1)) == []

    store.execute("UPDATE projection_items SET due_at = '2026-01-01T00:00:00.000Z'")
    late = {one.item_class: one.destroyed_late for one in register.counts(ever, deployment=OVER)}
    assert late["face_crop"] == 2


# -- runs --------------------------------------------------------------------------------------


def test_the_run_statistics_are_the_sums_of_the_record(
    registers: Registers, record: EventRecord
) -> None:
    """Per run and camera, as the record's own survey counts them."""
    register: RunStatistics = registers.run_statistics
    survey = Survey().take(record.history())
    for one in (OVER, RUNNING):
        [run] = register.runs(one)
        assert run == register.run(run.run)
        [camera] = run.cameras
        sums = survey.runs[run.run]
        assert (camera.camera, camera.seen) == (a.CAMERA, sums.seen[a.CAMERA])
        assert camera.frames == sums.frames[a.CAMERA]
        assert camera.max_template_life_ms == sums.max_template_life_ms
        assert {
            Outcome.NOT_ENROLLED: camera.not_enrolled,
            Outcome.ENROLLED_AND_DISCARDED: camera.enrolled_and_discarded,
            Outcome.ALERTED: camera.alerted,
            Outcome.SUPPRESSED: camera.suppressed,
            Outcome.REFUSED: camera.refused,
        } == {outcome: sums.counts[outcome] for outcome in Outcome}
    [over], [running] = register.runs(OVER), register.runs(RUNNING)
    assert over.reconciliation is Reconciliation.RECONCILED
    assert over.cameras[0].not_enrolled_for == {"blur": 1, "pose": 1}
    assert over.cameras[0].source_failures == 1
    assert over.started_at is not None and over.stopped_at is not None
    assert running.reconciliation is Reconciliation.OPEN, "a face came after it was compared"
    assert running.stopped_at is None
    assert register.run(NOBODYS) is None and register.runs(NOBODYS) == []


def test_a_refused_alert_is_in_no_register_of_alerts(registers: Registers) -> None:
    """It was never raised; it is counted with the run."""
    assert REFUSED not in {one.alert for one in registers.alert_register.alerts(OVER)}
    assert registers.run_statistics.runs(OVER)[0].cameras[0].refused == 1


def test_a_name_that_no_read_model_has_is_refused_with_those_there_are() -> None:
    """A misspelt name rebuilds nothing."""
    with pytest.raises(UnknownProjectionError, match=r"alert_registre; there are .*alert_register"):
        named(["run_statistics", "alert_registre"])
