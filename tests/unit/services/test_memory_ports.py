"""The ports in memory keep the promises of ``domain.ports``, or the other tests say nothing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.schedule import BUILT_IN
from domain.custody.sealing import ItemLabel
from domain.kernel.commands import Mode
from domain.kernel.errors import ConflictError, DomainError, NotFoundError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.time import Grain
from domain.ports import CiphertextMissingError, ContentAlteredError, KeyDestroyedError
from domain.sightings.events import RunProgressed
from tests.support.builders import AT, CAMERA, DEPLOYMENT, ITEM, RUN, a_command
from tests.support.memory import (
    Crash,
    Fuse,
    MemoryClock,
    MemoryRecord,
    MemoryVault,
    RecordFullError,
)

JOURNAL = UUID(int=0x30)
ELSEWHERE = UUID(int=0x31)
LABEL = ItemLabel(ITEM, "face_crop", DEPLOYMENT, "image/jpeg", AT.date())
SALT = b"s" * 32


def a_record() -> MemoryRecord:
    """An empty rehearsal record."""
    return MemoryRecord(MemoryClock(AT))


def progressed(version: int = NEXT_VERSION, *, seen: int = 0) -> RunProgressed:
    """An event of a journal."""
    return RunProgressed(
        originator_id=JOURNAL,
        originator_version=version,
        timestamp=AT,
        run=RUN,
        camera=CAMERA,
        frames=1,
        seen=seen,
    )


def registered(stream: UUID = ITEM) -> Item:
    """An item with one new event."""
    item = Item(stream)
    item.register(
        ItemClass.FACE_CROP,
        content_type="image/jpeg",
        deployment=DEPLOYMENT,
        concerning=DEPLOYMENT,
        rule=BUILT_IN.rule(ItemClass.FACE_CROP),
        schedule="",
        anchor_at=AT,
        due_at=AT,
        commitment="a" * 64,
        at=AT,
    )
    return item


# -- the record --------------------------------------------------------------------------------


def test_a_journal_gets_its_versions_from_the_record() -> None:
    """One after the other, also within one transaction."""
    record = a_record()
    record.append(progressed(), progressed(), by=a_command())
    record.append(progressed(), by=a_command())
    assert [one.originator_version for one in record.events(JOURNAL)] == [1, 2, 3]


@pytest.mark.parametrize("version", [1, 3])
def test_an_event_out_of_place_is_a_conflict_and_nothing_is_stored(version: int) -> None:
    """Not even the part of the transaction that stood before it."""
    record = a_record()
    record.append(progressed(), by=a_command())
    with pytest.raises(ConflictError, match="is at version 1, cannot add"):
        record.append(registered(), progressed(version), by=a_command())
    assert record.size() == 1
    with pytest.raises(NotFoundError):
        record.load(Item, ITEM)


def test_a_decision_that_rests_on_a_stream_that_moved_is_a_conflict() -> None:
    """And one whose grounds stand is stored."""
    record = a_record()
    record.append(progressed(), by=a_command())
    with pytest.raises(ConflictError, match="at version 0, which is at version 1 now"):
        record.append(registered(), by=a_command(), given={JOURNAL: 0})
    assert record.append(registered(), by=a_command(), given={JOURNAL: 1, ELSEWHERE: 0}) == 2


def test_an_aggregate_is_loaded_as_its_events_left_it() -> None:
    """And one that has none is not found."""
    record = a_record()
    record.append(registered(), by=a_command())
    assert record.load(Item, ITEM).version == 1
    with pytest.raises(NotFoundError, match=f"there is no item {ELSEWHERE.hex}"):
        record.load(Item, ELSEWHERE)


def test_the_history_is_told_in_order_for_one_scope_or_for_all() -> None:
    """With who asked, for what, when, and whether the clock was believed."""
    clock = MemoryClock(AT)
    record = MemoryRecord(clock)
    first, second = a_command(), a_command(scope="force")
    record.append(progressed(), by=first)
    clock.believed = False
    clock.moves(timedelta(seconds=61.5))
    record.append(registered(), by=second, grain=Grain.MINUTE)
    one, two = record.history()
    assert (one.position, one.scope, one.cause) == (0, DEPLOYMENT.hex, first.command_id.hex)
    assert (one.actor, one.role, one.mode) == ("system:test", "system", "rehearsal")
    assert (one.clock, two.clock) == ("trusted", "suspect")
    assert two.recorded_at == AT + timedelta(minutes=1)
    assert list(record.history("force")) == [two]
    assert list(record.history("nowhere")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": Mode.OPERATIONAL},
        {"scope": ""},
        {"scope": "two words"},
        {"actor": ""},
        {"at": AT.replace(tzinfo=None)},
    ],
)
def test_nothing_is_stored_without_saying_who_asked_for_it(changes: dict[str, object]) -> None:
    """The other mode, no scope, no actor, no time zone."""
    record = a_record()
    with pytest.raises(DomainError):
        record.append(progressed(), by=a_command(**changes))
    assert record.size() == 0


def test_a_stream_stays_in_the_scope_in_which_it_began() -> None:
    """A command of another scope adds nothing to it."""
    record = a_record()
    record.append(progressed(), by=a_command())
    with pytest.raises(DomainError, match="belongs to the scope"):
        record.append(registered(), progressed(), by=a_command(scope="force"))
    assert record.size() == 1


def test_what_was_stored_does_not_change_with_what_someone_still_holds() -> None:
    """A list in an event is the record's own."""
    record = a_record()
    item = registered()
    record.append(item, by=a_command())
    (stored,) = record.events(ITEM)
    assert stored is not item.registered
    assert stored == item.registered


def test_a_full_record_stores_nothing() -> None:
    """And says so."""
    record = a_record()
    record.full = True
    with pytest.raises(RecordFullError):
        record.append(progressed(), by=a_command())
    assert (record.size(), record.transactions) == (0, [])


def test_a_crash_comes_after_its_step_is_durable() -> None:
    """And only once."""
    record = MemoryRecord(MemoryClock(AT), fuse=Fuse(after=2))
    record.append(progressed(), by=a_command())
    with pytest.raises(Crash):
        record.append(progressed(), by=a_command())
    assert record.size() == 2
    record.append(progressed(), by=a_command())
    assert [one.names for one in record.transactions] == [["run.progressed"]] * 3


def test_what_happens_meanwhile_happens_before_the_append() -> None:
    """So that a decision can be overtaken."""
    record = a_record()
    record.meanwhile.append(lambda: record.append(progressed(), by=a_command()))
    with pytest.raises(ConflictError):
        record.append(registered(), by=a_command(), given={JOURNAL: 0})
    assert record.size() == 1


# -- the vault ---------------------------------------------------------------------------------


def test_a_sealed_item_opens_under_its_own_label_only() -> None:
    """Into a buffer that is the caller's own."""
    vault = MemoryVault()
    said = vault.seal(LABEL, salt=SALT, content=b"a face")
    opened = vault.open(LABEL)
    opened[:] = bytes(len(opened))
    assert vault.open(LABEL) == b"a face"
    assert said.ciphertext_length == 38
    with pytest.raises(ContentAlteredError):
        vault.open(ItemLabel(ITEM, "free_text", DEPLOYMENT, "image/jpeg", AT.date()))


def test_sealing_again_replaces() -> None:
    """After a crash the second content counts, under a key of its own."""
    vault = MemoryVault()
    first = vault.seal(LABEL, salt=SALT, content=b"a face")
    second = vault.seal(LABEL, salt=SALT, content=b"a face")
    assert first.ciphertext_digest != second.ciphertext_digest
    assert vault.open(LABEL) == b"a face"


def test_destroying_again_finds_nothing_left_to_do_and_answers_the_same() -> None:
    """One tombstone for each item, numbered without gaps."""
    vault = MemoryVault()
    vault.seal(LABEL, salt=SALT, content=b"a face")
    first = vault.destroy_keys([ITEM], at=AT)[ITEM]
    other = vault.destroy_keys([ELSEWHERE], at=AT)[ELSEWHERE]
    assert vault.destroy_keys([ITEM], at=AT + timedelta(days=1))[ITEM] == first
    assert (first.sequence, other.sequence) == (1, 2)
    assert vault.holds(ITEM)
    with pytest.raises(KeyDestroyedError):
        vault.open(LABEL)
    vault.remove_ciphertexts([ITEM])
    vault.remove_ciphertexts([ITEM])
    assert not vault.holds(ITEM)
    assert (vault.keys(), vault.ciphertexts()) == (set(), set())


def test_an_item_that_was_destroyed_has_had_its_one_life() -> None:
    """It is not sealed again."""
    vault = MemoryVault()
    vault.destroy_keys([ITEM], at=AT)[ITEM]
    with pytest.raises(KeyDestroyedError, match="cannot be sealed"):
        vault.seal(LABEL, salt=SALT, content=b"a face")


def test_a_crash_between_key_and_ciphertext_leaves_a_key_without_content() -> None:
    """That is what recovery must find."""
    vault = MemoryVault(fuse=Fuse(after=1))
    with pytest.raises(Crash):
        vault.seal(LABEL, salt=SALT, content=b"a face")
    assert (vault.keys(), vault.ciphertexts()) == ({ITEM}, set())
    with pytest.raises(CiphertextMissingError):
        vault.open(LABEL)
