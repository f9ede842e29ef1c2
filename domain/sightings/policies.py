"""How finely a face of a passer-by may be timed."""

from __future__ import annotations

from domain.kernel.time import Grain

QUIET_BELOW = 10
"""Faces a minute below which the minute is told and no more (architecture, decision 2)."""


def grain_for(faces_in_the_last_minute: int) -> Grain:
    """A second where a crowd passes, a minute where few do.

    At a quiet time an entry to the second, read together with footage, would point at one person.
    """
    return Grain.SECOND if faces_in_the_last_minute >= QUIET_BELOW else Grain.MINUTE
