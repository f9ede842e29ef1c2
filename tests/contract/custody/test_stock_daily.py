"""The retention worker has stock taken once a day, and says what was found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.bootstrap import Worker
from domain.custody.events import InventoryAttested
from domain.kernel.references import FORCE, journal
from domain.services.inventory import EVERY, is_due
from domain.services.retention import Swept
from domain.services.survey import Survey
from tests.contract.custody.test_clocks import A_MOMENT, Place, a_run, place
from tests.support.builders import AT

__all__ = ["place"]


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (None, True),
        (timedelta(0), False),
        (EVERY - A_MOMENT, False),
        (EVERY, True),
        # whoever recorded it had a clock that nobody has to believe
        (-A_MOMENT, True),
    ],
)
def test_an_inventory_is_due_a_day_after_the_last(since: timedelta | None, due: bool) -> None:
    """Or at once, where there is none or it is of a time that has not come."""
    survey = Survey(inventory_at=None if since is None else AT - since)
    assert is_due(survey, AT) is due


def taken(place: Place) -> int:
    """How many inventories of everything are on the record."""
    of_all = journal("inventories", FORCE)
    return sum(one.originator_id == of_all for one in place.told(InventoryAttested))


def looked(place: Place, worker: Worker) -> tuple[Swept, list[str]]:
    """It sweeps; all it says is of one list."""
    swept, told = worker.sweep(every_s=60)
    return swept, [one for one in (*told, *swept.failures) if "inventory" in one]


def test_the_worker_takes_stock_once_a_day(place: Place) -> None:
    """Whether it is alone or somebody else is at work there."""
    with place.at_work() as (scene, _):
        a_run(scene)
        with place.beside(AT + A_MOMENT) as (clock, worker):
            for later, new in ((timedelta(0), 1), (EVERY - A_MOMENT, 0), (EVERY, 1)):
                clock.stands_at(AT + A_MOMENT + later)
                before = taken(place)
                _, told = looked(place, worker)
                assert (taken(place) - before, len(told)) == (new, new)


def test_what_should_not_be_there_is_told_and_no_success(place: Place) -> None:
    """A file that no entry knows; once it is gone, so is the finding."""
    with place.at_work() as (scene, _):
        a_run(scene).stopped().ended()
    stray = place.data / "media" / "ab" / "left-over"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of nobody")
    with place.beside(AT + A_MOMENT, synchronised=True) as (clock, worker):
        swept, told = looked(place, worker)
        assert swept.failures == told
        assert "1 orphans" in told[0]
        stray.unlink()
        clock.stands_at(AT + A_MOMENT + EVERY)
        swept, told = looked(place, worker)
        assert (swept.failures, "0 orphans" in told[0]) == ([], True)
