"""Ranks: who may decide is also a matter of rank, at the time of the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.refusals import Refusal, refuses

RANKS = (
    "constable",
    "sergeant",
    "inspector",
    "chief-inspector",
    "superintendent",
    "chief-superintendent",
    "commander",
    "assistant-chief-constable",
    "deputy-chief-constable",
    "chief-constable",
)
"""From the lowest to the highest."""

LEAST_RANK: Mapping[Role, str] = {
    Role.AUTHORISING_OFFICER: "superintendent",
    Role.URGENT_AUTHORISING_OFFICER: "inspector",
    Role.EXTRA_AUTHORISER: "chief-superintendent",
}
"""The rank below which nobody acts in a role. Source: domain specification, section 2."""


class OnRank(Protocol):
    """Facts of somebody who decides."""

    @property
    def role(self) -> Role: ...
    @property
    def rank(self) -> str: ...
    @property
    def rank_evidence(self) -> str: ...


@refuses("rank_too_low", "rank_not_evidenced")
def officer_has_the_rank(facts: OnRank) -> Refusal | None:
    """The rank at the time of the decision, also an acting one, with what shows it.

    Source: domain specification, section 2, SOD-3.
    """
    least = LEAST_RANK.get(facts.role)
    if least is None:
        return None
    if facts.rank not in RANKS or RANKS.index(facts.rank) < RANKS.index(least):
        return Refusal(
            "rank_too_low",
            f"this is decided by a {least} or above",
            {"rank": facts.rank if facts.rank in RANKS else "none"},
        )
    if not is_code(facts.rank_evidence):
        return Refusal(
            "rank_not_evidenced",
            "say by a code what shows the rank: substantive, or the order that it is acted under",
        )
    return None
