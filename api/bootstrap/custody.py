"""Retention and inventories: alone where nobody else is at work in the premises, else beside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from api.bootstrap.node import open_beside, open_node
from api.bootstrap.reading import mode_of
from domain.custody.adoption import Schedules
from domain.services.inventory import Inventory, take_stock
from domain.services.retention import Planned, Retention, Swept
from domain.services.schedules import schedules
from infrastructure.premises import PremisesInUseError


def swept(path: Path, *, every_s: int, confirmed_by: str | None) -> tuple[Swept, list[str]]:
    """Sweep once and leave a sign of life; what was found half done is told in words.

    Where another process is at work here, only what is due is destroyed, and that process seals.
    """
    try:
        with open_node(path, mode_of(path), clock_confirmed_by=confirmed_by) as node:
            came_to = Retention(node.outside).sweep(every_s=every_s)
            node.seal()
            return came_to, node.recovered
    except PremisesInUseError:
        with open_beside(path) as outside:
            return Retention(outside).sweep(every_s=every_s), []


def planned(path: Path, *, at: datetime | None) -> list[Planned]:
    """What will be destroyed and when; nothing is touched."""
    with open_beside(path) as outside:
        return Retention(outside).plan(at=at)


def retention_schedules(path: Path) -> Schedules:
    """Every schedule that was adopted in these premises, and what documents say."""
    with open_beside(path) as outside:
        return schedules(outside)


def stock_taken(path: Path) -> Inventory:
    """Have the re-checker list the stores, and record what it found, whatever that is."""
    with open_node(path, mode_of(path), whatever_is_there=True) as node:
        inventory = take_stock(node.outside, node.rechecker)
        node.seal()
        return inventory
