"""A command that comes again is known again, for as long as what it said may be compared."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest

from domain.kernel.commands import Command, Role
from domain.kernel.errors import ConflictError
from domain.kernel.repeats import Sameness
from infrastructure.vault.command_keys import StoredCommandKeys
from tests.contract.record.examples import asked, face, viewed
from tests.support.stores import StatementRefusedError, Store

KEY = UUID("6f0e0f43-6a5f-4b3a-8f52-0d3b0a0f9a11")


def keyed(**changes: object) -> Command:
    """A command under a key that its caller chose."""
    return replace(asked(), **{"command_id": KEY, **changes})  # type: ignore[arg-type]


def test_a_command_is_unknown_until_it_was_answered(store: Store) -> None:
    """What it stored on the way to its answer is no answer."""
    record = store.open()
    record.append(viewed(1), by=keyed())
    assert record.answer_to(keyed()) is None
    record.append(viewed(2), face(1), by=keyed(), answers=True)
    found = record.answer_to(keyed())
    assert found is not None
    assert [entry.position for entry in found.entries] == [1, 2]
    assert [entry.cause for entry in found.entries] == [KEY.hex, KEY.hex]
    assert found.sameness is Sameness.SAME
    assert record.answer_to(asked()) is None


def test_it_is_known_on_another_connection_and_at_a_later_moment(store: Store) -> None:
    """Whoever repeats a command has waited before."""
    store.open().append(viewed(1), by=keyed(), answers=True)
    later = keyed(at=keyed().at + timedelta(minutes=3))
    found = store.open().answer_to(later)
    assert found is not None
    assert found.sameness is Sameness.SAME


@pytest.mark.parametrize("change", [{"actor": "officer-9"}, {"role": Role.SYSTEM}])
def test_another_command_under_the_same_key_is_not_the_same(
    store: Store, change: dict[str, object]
) -> None:
    """Whoever asks and in which role is a part of what was asked."""
    record = store.open()
    record.append(viewed(1), by=keyed(), answers=True)
    assert getattr(keyed(), next(iter(change))) != next(iter(change.values()))
    found = record.answer_to(keyed(**change))
    assert found is not None
    assert found.sameness is Sameness.ANOTHER


def test_after_its_content_was_forgotten_nobody_can_tell(store: Store) -> None:
    """Neither that it is the same nor that it is another; other scopes are not touched."""
    record = store.open()
    record.append(viewed(1), by=keyed(), answers=True)
    other = keyed(command_id=UUID(int=7), scope="b" * 32)
    record.append(viewed(2), by=other, answers=True)
    record.forget_contents(keyed().scope)
    told = {one: record.answer_to(one) for one in (keyed(), keyed(actor="officer-9"), other)}
    assert [one.sameness for one in told.values() if one is not None] == [
        Sameness.FORGOTTEN,
        Sameness.FORGOTTEN,
        Sameness.SAME,
    ]
    record.append(viewed(3), by=keyed(command_id=UUID(int=8)), answers=True)
    again = record.answer_to(keyed(command_id=UUID(int=8)))
    assert again is not None
    assert again.sameness is Sameness.SAME


def test_of_two_that_answer_one_command_at_once_one_is_told_to_look_again(store: Store) -> None:
    """Two callers of one command on two connections: it is carried out once."""
    records = [store.open(), store.open()]
    for number in range(1, 9):
        command, together = keyed(command_id=UUID(int=number)), Barrier(2)

        def answer(task: Callable[[], int], together: Barrier = together) -> object:
            together.wait(timeout=30)
            try:
                return task()
            except ConflictError as conflict:
                return conflict

        with ThreadPoolExecutor(2) as threads:
            tasks = [
                partial(record.append, viewed(10 * number + side), by=command, answers=True)
                for side, record in enumerate(records)
            ]
            came_to = list(threads.map(answer, tasks))
        assert sorted(type(one).__name__ for one in came_to) == ["ConflictError", "int"]
        assert records[0].size() == number


def test_the_database_holds_no_digest_that_can_be_guessed_at(store: Store) -> None:
    """The same command in two scopes, or under two keys, leaves nothing alike."""
    record = store.open()
    for number, scope in enumerate(("a" * 32, "b" * 32)):
        command = keyed(command_id=UUID(int=number + 1), scope=scope)
        record.append(viewed(number), by=command, answers=True)
    digests = [bytes(one) for (one,) in store.execute("SELECT digest FROM answered_commands")]
    assert len(set(digests)) == 2
    assert {len(one) for one in digests} == {32}


def test_the_database_refuses_to_change_or_remove_an_answer(store: Store) -> None:
    """By the database itself, like everything of the record."""
    store.open().append(viewed(1), by=keyed(), answers=True)
    for statement in (
        "UPDATE answered_commands SET position = 9",
        "DELETE FROM answered_commands",
    ):
        with pytest.raises(StatementRefusedError, match="append-only"):
            store.execute(statement)


def test_a_key_that_was_forgotten_is_gone_from_its_file(tmp_path: Path) -> None:
    """From every page of it, and the search finds it while it is there."""
    directory = tmp_path / "keystore"
    keys = StoredCommandKeys(directory)
    name, key = keys.current("a" * 32)
    kept = keys.current("b" * 32)
    assert (keys.find(name), keys.current("a" * 32)) == (key, (name, key))
    file = directory / "commands.db"
    assert key in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    keys.forget("a" * 32)
    assert keys.find(name) is None
    assert key not in file.read_bytes()
    assert keys.current("a" * 32) != (name, key)
    keys.close()
    again = StoredCommandKeys(directory)
    assert again.current("b" * 32) == kept
    again.close()
