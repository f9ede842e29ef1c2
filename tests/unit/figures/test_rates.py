"""Rates: exact intervals that equal scipy's, and both denominators or neither."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from domain.figures.positions import Positions
from domain.figures.rates import false_alert_rates, rate

COUNTS = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(COUNTS)
def test_an_interval_is_scipys(counts: tuple[int, int]) -> None:
    """As near as scipy's search for a root goes; the next test needs no other's arithmetic."""
    count, of = counts
    expected = binomtest(count, of).proportion_ci(confidence_level=0.95, method="exact")
    found = rate(count, of)
    assert found.low == pytest.approx(expected.low, rel=1e-6, abs=1e-12)
    assert found.high == pytest.approx(expected.high, rel=1e-6)
    assert found.low is not None and found.high is not None and found.value is not None
    assert found.low <= found.value <= found.high


@given(
    st.integers(1, 40).flatmap(
        lambda of: st.tuples(st.integers(1, of - 1), st.just(of)) if of > 1 else st.just((0, 1))
    )
)
def test_an_end_of_an_interval_is_where_the_count_is_just_possible(
    counts: tuple[int, int],
) -> None:
    """By the definition, in whole numbers and fractions: 2.5 % of what could have been is as far
    out as what was counted, or further."""
    count, of = counts
    found = rate(count, of)
    assert found.low is not None and found.high is not None
    if count:
        assert float(_at_least(count, of, found.low)) == pytest.approx(0.025, rel=1e-6)
        assert float(1 - _at_least(count + 1, of, found.high)) == pytest.approx(0.025, rel=1e-6)


def _at_least(count: int, of: int, proportion: float) -> Fraction:
    """How likely that many or more are."""
    p = Fraction(proportion)
    return sum(
        (math.comb(of, one) * p**one * (1 - p) ** (of - one) for one in range(count, of + 1)),
        Fraction(0),
    )


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (10, 3_147_436, 1.52e-6, 5.84e-6),
        (10, 2_077, 0.00231, 0.00884),
        (1, 383_356, 6.6e-8, 1.45e-5),
        (0, 7_512, 0.0, 4.9e-4),
        (2_297, 2_470, 0.9192, 0.9397),
    ],
)
def test_published_figures_have_the_intervals_that_were_worked_out_for_them(
    count: int, of: int, low: float, high: float
) -> None:
    """The domain specification's own oracles, section 6."""
    found = rate(count, of)
    assert found.low == pytest.approx(low, rel=0.006)
    assert found.high == pytest.approx(high, rel=0.006)


def test_where_nothing_was_counted_the_rule_of_three_is_near() -> None:
    """It rounds the one-sided bound; ours is two-sided and a little wider."""
    found = rate(0, 10_000)
    assert found.low == 0.0
    assert found.high is not None and 3 / 10_000 < found.high < 4 / 10_000


def test_everything_counted_has_no_upper_end_below_one() -> None:
    found = rate(7, 7)
    assert (found.high, found.value) == (1.0, 1.0)
    assert found.low is not None and found.low < 1


def test_without_a_denominator_there_is_no_rate() -> None:
    found = rate(0, 0)
    assert (found.value, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize(("count", "of"), [(-1, 5), (6, 5), (1, 0)])
def test_an_impossible_rate_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="expected a count from 0"):
        rate(count, of)


def test_both_denominators_come_together() -> None:
    found = false_alert_rates(false=10, faces=3_147_436, alerts=2_077)
    assert (found.of_faces.of, found.of_alerts.of) == (3_147_436, 2_077)
    assert found.of_faces.value == pytest.approx(0.000003177, rel=1e-3)
    assert found.of_alerts.value == pytest.approx(0.0048, rel=1e-2)


@given(st.lists(st.integers(0, 30)))
def test_positions_tell_each_once_in_order(given_positions: list[int]) -> None:
    positions = Positions()
    for one in given_positions:
        positions.add(one)
    told: list[int] = []
    for part in str(positions).split(", ") if given_positions else []:
        first, _, last = part.partition("-")
        told += range(int(first), int(last or first) + 1)
    assert told == sorted(set(given_positions))
    parts = str(positions).split(", ") if given_positions else []
    ends = [[int(end) for end in part.split("-")] for part in parts]
    assert all(one[-1] + 1 < other[0] for one, other in itertools.pairwise(ends))
