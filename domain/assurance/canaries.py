"""Canary runs: what was found of faces that nobody has, until a clean search shows it mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.assurance.holdings import Canary, Fault


@dataclass
class Canaries:
    """Follows the searches, in the order of the log."""

    newest: Canary | None = None
    residue: list[Fault] = field(default_factory=list)
    """What the newest search that came to anything found; none where it was clean."""
    resolved: int = 0
    """Findings after which a search was clean."""

    def searched(self, entry: Mapping[str, Any], *, of_the_node: bool) -> None:
        """A canary run's stores and memory were searched.

        Args:
            entry: ``canary.searched``.
            of_the_node: whether all of the node is asked about; it tells of no deployment.
        """
        body = entry["body"]
        places = body["places"]
        self.newest = Canary(
            position=entry["pos"],
            at=entry["recorded_at"],
            outcome=body["outcome"],
            templates=body["templates"],
            pictures=body["pictures"],
            controls=sum(one["controls"] for one in places),
            controls_found=sum(one["controls_found"] for one in places),
            places=tuple((one["place"], one["outcome"]) for one in places),
        )
        if not of_the_node:
            return
        found = [one["place"] for one in places if one["residue"] or one["outcome"] == "found"]
        if found or body["outcome"] == "found":
            self.residue = [_left_in(found, entry["pos"])]
        elif body["outcome"] == "clean" and all(map(_shown, places)):
            self.resolved += len(self.residue)
            self.residue = []


def _shown(place: Mapping[str, Any]) -> bool:
    """Whether a place that is called clean was searched by what finds its controls."""
    all_found = bool(place["controls"] == place["controls_found"] > 0)
    return place["outcome"] != "clean" or all_found


def _left_in(places: list[str], position: int) -> Fault:
    return Fault(
        "residue_found",
        position,
        "of faces that went through a canary run something is left: " + ", ".join(places),
    )
