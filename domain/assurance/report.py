"""A verdict in words: what was found, how far it reaches, and what no such check can show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from domain.assurance.verification import LIMITS, Cosigned, Verdict


def lines(verdict: Verdict) -> Iterator[str]:
    """The lines to print, the finding first."""
    where = f" at position {verdict.position}" if verdict.position is not None else ""
    sentence = verdict.sentence.removeprefix(f"position {verdict.position}: ")
    yield f"{verdict.kind.value.upper()}{where}: {sentence}"
    yield f"log {verdict.origin or 'unknown'}, {verdict.size} entries, root {verdict.root.hex()}"
    yield f"anchored {verdict.anchored_size}, unanchored tail: {verdict.unanchored_tail}"
    yield from (_cosigned(one) for one in verdict.cosigned)
    yield from verdict.remarks
    yield from (f"  {limit}" for limit in LIMITS)


def _cosigned(one: Cosigned) -> str:
    # an honest clock says less than 10,000 years; what a witness signs is its own affair
    at = (
        datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if one.at < 253_402_300_800
        else f"second {one.at} since 1970"
    )
    return f"witness {one.witness} saw {one.size} entries at {at}, by its own clock"
