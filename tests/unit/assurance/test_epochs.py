"""Which receipts are at level L4 when the key of an epoch ends, and whether it ended too early."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from domain.assurance.epochs import EpochName, Epochs

DAY = EpochName("d1", "footage_segment", "2026-11-23")
NEXT = DAY._replace(which="2026-11-24")
FIRST, SECOND = DAY._replace(which="hold-01"), DAY._replace(which="hold-02")
Step = Callable[[Epochs], object]


def lasts(epochs: Epochs) -> None:
    """An item was sealed."""
    epochs.lasts(DAY)


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
    return lambda epochs: epochs.gone(epoch)


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
    needed, receipts = epochs.gone(epoch)
    assert (needed, receipts.count, receipts.positions) == (early, reached, [7] * reached)


def test_where_nobody_asks_no_places_are_kept() -> None:
    """The memory needed does not grow with what is gone."""
    epochs = Epochs(positions=False)
    for _ in range(3):
        epochs.lasts(DAY)
        epochs.ends("i", DAY)
        epochs.destroyed("i", DAY, 7)
    _, receipts = epochs.gone(DAY)
    assert (receipts.count, receipts.positions) == (3, [])
