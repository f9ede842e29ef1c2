"""The database itself refuses to change, remove or slip in anything, whoever asks."""

from __future__ import annotations

import pytest

from domain.kernel.errors import RecordBrokenError
from tests.contract.record.examples import asked, three_entries, viewed
from tests.support.stores import StatementRefusedError, Store


def everything(store: Store) -> list[object]:
    """What the record's tables hold, column by column."""
    tables = ("stored_events ORDER BY position", "log_head", "scope_head")
    return [store.execute(f"SELECT * FROM {table}") for table in tables]


def test_the_database_refuses_to_change_what_was_stored(store: Store) -> None:
    """Each statement in turn; whatever it answers, nothing has changed."""
    three_entries(store.open())
    store.close()
    before = everything(store)
    taken = []
    for attempt, statement in store.forbidden.items():
        try:
            with store.as_it_was():
                store.execute(statement)
                taken.append(attempt)
        except StatementRefusedError:
            assert everything(store) == before, attempt
    assert taken == []


def test_the_same_statements_work_once_the_triggers_are_gone(store: Store) -> None:
    """So it is the triggers that refused, and not a mistake in the statements."""
    three_entries(store.open())
    store.close()
    before = everything(store)
    for attempt, statement in store.forbidden.items():
        with store.as_it_was():
            store.drop_triggers()
            store.execute(statement)
            if attempt != "change an entry to itself":
                assert everything(store) != before, attempt
    assert everything(store) == before


def test_reading_and_a_proper_append_still_work(store: Store) -> None:
    """After every refused statement."""
    record = store.open()
    three_entries(record)
    for statement in store.forbidden.values():
        with pytest.raises(StatementRefusedError):
            store.execute(statement)
    assert store.execute("SELECT COUNT(*), MAX(position) FROM stored_events") == [(3, 2)]
    assert store.execute("SELECT size FROM scope_head WHERE size >= :least", least=1) == [(3,)]
    assert record.append(viewed(3), viewed(1, version=3), by=asked()) == 5
    assert record.append(viewed(4), by=asked(scope="another")) == 6
    assert [row.position for row in store.rows()] == list(range(6))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_head SET size = 2, frontier = (SELECT leaf FROM stored_events LIMIT 1)",
        "UPDATE log_head SET size = 4",
        "UPDATE log_head SET frontier = (SELECT leaf FROM stored_events WHERE position = 0)",
        "UPDATE log_head SET size = -1",
        "DELETE FROM log_head",
        "UPDATE scope_head SET size = 1",
        "DELETE FROM scope_head",
    ],
)
def test_a_record_whose_heads_do_not_fit_its_entries_takes_nothing_more(
    store: Store, statement: str
) -> None:
    """It is broken: trying again would not help, so it is not called a conflict."""
    record = store.open()
    three_entries(record)
    store.drop_triggers()
    store.execute(statement)
    before = everything(store)
    with pytest.raises(RecordBrokenError):
        record.append(viewed(3), by=asked())
    assert everything(store) == before
