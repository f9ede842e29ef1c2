"""Rates with what they can and cannot say: exact intervals, and never one denominator alone.

A rate is a count over a count. Its interval is Clopper and Pearson's: the proportions that the
count does not contradict at 95 %, without any approximation (C. J. Clopper and E. S. Pearson,
Biometrika 26, 1934). Where nothing was counted the upper end is what the "rule of three" rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """A proportion of what could have been."""

    count: int
    of: int
    """The denominator; at least the count."""
    low: float | None
    """Lower end of the 95 % interval; ``None`` where there is no denominator."""
    high: float | None

    @property
    def value(self) -> float | None:
        """The proportion; ``None`` where there is no denominator."""
        return self.count / self.of if self.of else None


def rate(count: int, of: int) -> Rate:
    """A proportion with its exact interval.

    Args:
        count: from 0 to the denominator.
        of: the denominator, from 0.

    Raises:
        ValueError: a proportion of these does not exist.
    """
    if not 0 <= count <= of:
        raise ValueError(f"expected a count from 0 to {of}, found {count}")
    if of == 0:
        return Rate(count, of, None, None)
    # Only here: whoever tells no rate need not wait for the library.
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return Rate(count, of, low, high)


@dataclass(frozen=True)
class FalseAlertRates:
    """Both rates of false alerts. There is no way to have one without the other.

    Source: domain specification, 5.2; the flattering denominator alone is complaint K-07.
    """

    of_faces: Rate
    """False alerts over faces seen."""
    of_alerts: Rate
    """False alerts over alerts."""


def false_alert_rates(*, false: int, faces: int, alerts: int) -> FalseAlertRates:
    """Both, or neither."""
    return FalseAlertRates(of_faces=rate(false, faces), of_alerts=rate(false, alerts))
