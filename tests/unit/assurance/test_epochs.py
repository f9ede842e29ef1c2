"""Which receipts are at level L4 when the key of an epoch ends, and whether it ended too early."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from domain.assurance.epochs import NO_EPOCH, EpochName, Epochs, Receipts

DAY = EpochName("d1", "footage_segment", "2026-11-23")
NEXT = DAY._replace(which="2026-11-24")
FIRST, SECOND = DAY._replace(which="hold-01"), DAY._replace(which="hold-02")
Step = Callable[[Epochs], object]


def lasts(epochs: Epochs) -> None:
    """An item was sealed."""
    epochs.opened(DAY)
    epochs.lasts(DAY, 3)


def held(hold: str) -> Step:
    """It was held."""
    return lambda epochs: epochs.held("i", DAY, hold)


def ends(epochs: Epochs) -> None:
    """Its destruction began."""
    epochs.ends("i", DAY)


def receipt(epochs: Epochs) -> None:
    """It is gone."""
    epochs.destroyed("i", DAY, 7)


def gone(epoch: EpochName) -> Step:
    """The key of an epoch that went before."""
    return lambda epochs: _gone_and_shown(epochs, epoch)


def _gone_and_shown(epochs: Epochs, epoch: EpochName) -> tuple[int, Receipts]:
    """How many needed it, and the receipts that an inventory raises that lists no keys."""
    needed = epochs.gone(epoch, 8)
    (shown,) = epochs.shown_gone(set(), 9, None)
    assert shown[0] == epoch
    return needed, shown[1]


@pytest.mark.parametrize(
    ("before", "epoch", "early", "reached"),
    [
        ([], DAY, 0, 0),
        ([lasts], DAY, 1, 0),
        ([lasts], NEXT, 0, 0),
        ([lasts, ends], DAY, 0, 0),
        ([lasts, ends, receipt], DAY, 0, 1),
        ([lasts, ends, receipt], NEXT, 0, 0),
        ([lasts, ends, receipt, gone(DAY)], DAY, 0, 0),
        ([lasts, held("01")], DAY, 0, 0),
        ([lasts, held("01")], FIRST, 0, 0),
        ([lasts, held("01"), gone(DAY)], FIRST, 1, 0),
        ([lasts, held("01"), gone(FIRST)], DAY, 1, 0),
        ([lasts, held("01"), ends, receipt], DAY, 0, 0),
        ([lasts, held("01"), ends, receipt, gone(DAY)], FIRST, 0, 1),
        ([lasts, held("01"), gone(DAY), ends], FIRST, 0, 0),
        ([lasts, held("01"), gone(DAY), ends, receipt], FIRST, 0, 1),
        ([lasts, held("01"), held("02"), gone(DAY)], FIRST, 0, 0),
        ([lasts, held("01"), held("02"), gone(DAY), gone(FIRST)], SECOND, 1, 0),
        ([lasts, held("01"), held("02"), gone(DAY), gone(FIRST), ends, receipt], SECOND, 0, 1),
        ([lasts, lasts, held("01"), ends, receipt], DAY, 1, 0),
    ],
)
def test_an_end_is_judged(
    before: Sequence[Step], epoch: EpochName, early: int, reached: int
) -> None:
    """By what the keys of items may still be wrapped by."""
    epochs = Epochs(positions=True)
    for step in before:
        step(epochs)
    needed, receipts = _gone_and_shown(epochs, epoch)
    assert (needed, receipts.count, receipts.positions) == (early, reached, [7] * reached)


def test_where_nobody_asks_no_places_are_kept() -> None:
    """The memory needed does not grow with what is gone."""
    epochs = Epochs(positions=False)
    for _ in range(3):
        epochs.lasts(DAY, 3)
        epochs.ends("i", DAY)
        epochs.destroyed("i", DAY, 7)
    _, receipts = _gone_and_shown(epochs, DAY)
    assert (receipts.count, receipts.positions) == (3, [])


# -- what inventories show -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "as_of", "deployment", "shown"),
    [
        (set(), 9, None, 1),
        (set(), 9, "d1", 1),
        (set(), 9, "another", 0),
        (set(), 8, None, 0),
        ({DAY}, 9, None, 0),
        ({NEXT}, 9, None, 1),
    ],
)
def test_an_inventory_shows_what_it_looked_for_after_it_was_told(
    there: set[EpochName], as_of: int, deployment: str | None, shown: int
) -> None:
    """Not one of an earlier time, nor of another deployment, nor one that lists it."""
    epochs = Epochs(positions=True)
    for step in (lasts, ends, receipt):
        step(epochs)
    epochs.gone(DAY, 8)
    assert len(epochs.shown_gone(there, as_of, deployment)) == shown
    assert len(epochs.shown_gone(set(), 100, None)) == 1 - shown, "and only once"


def test_a_key_is_needed_from_a_registration_until_it_is_told_to_be_gone() -> None:
    """One that comes back is known by nobody."""
    epochs = Epochs(positions=True)
    assert epochs.unknown({DAY}, 9) == 1
    epochs.opened(DAY)
    assert epochs.unknown({DAY}, 9) == 0
    epochs.gone(DAY, 8)
    assert epochs.unknown({DAY}, 9) == 1
    assert epochs.unknown({DAY}, 8) == 0, "it ended after the inventory looked"


@pytest.mark.parametrize(
    ("steps", "there", "missing"),
    [
        ([lasts], {DAY}, 0),
        ([lasts], set(), 1),
        ([lasts, ends], set(), 0),
        ([lasts, held("01")], {DAY}, 0),
        ([lasts, held("01")], {FIRST}, 0),
        ([lasts, held("01")], {SECOND}, 1),
        ([lasts, held("01"), ends], set(), 0),
    ],
)
def test_what_lasts_needs_one_of_its_keys(
    steps: Sequence[Step], there: set[EpochName], missing: int
) -> None:
    """That of its day, or of a hold: nobody outside sees which."""
    epochs = Epochs(positions=False)
    for step in steps:
        step(epochs)
    assert epochs.missing(there, 9, None) == missing
    assert epochs.missing(there, 9, "another") == 0


def test_what_was_sealed_after_an_inventory_looked_is_not_missed() -> None:
    """It was not there yet."""
    epochs = Epochs(positions=False)
    epochs.lasts(DAY, 9)
    assert epochs.missing(set(), 9, None) == 0
    assert epochs.missing(set(), 10, None) == 1


def test_what_is_wrapped_by_no_epoch_needs_none() -> None:
    """It was sealed before there were any."""
    epochs = Epochs(positions=False)
    epochs.lasts(DAY._replace(which=NO_EPOCH), 3)
    assert epochs.missing(set(), 9, None) == 0
