"""The gates of a deployment: each says no by its own name, and names what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.deployments.aggregate import Deployment
from domain.kernel.refusals import Refused
from tests.support import builders as a
from tests.support.governed import PINNED, a_readiness, a_standing, an_announcement
from tests.support.scenarios import given, happened, refused

Ask = Callable[[Deployment], Refused | None]

LACKS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "documents_not_in_force": (
        {"lacking": {"apd": "none in force", "policy": "version 1 is not published"}},
        {"apd": "none in force", "policy": "version 1 is not published"},
    ),
    "screening_unanswered": ({"unanswered": ["5.3", "5.8"]}, {"questions": "5.3, 5.8"}),
    "dpia_not_approved": (
        {"dpia": "version 2.1 is not approved"},
        {"dpia-2": "version 2.1 is not approved"},
    ),
    "before_commencement": (
        {"commences_on": date(2026, 11, 24)},
        {"commences_on": "2026-11-24", "day": "2026-11-23"},
    ),
    "evidence_missing": (
        {"evidence": None, "shortfall": "no test is attached"},
        {"nearest_test": "no test is attached"},
    ),
}
UNREADY: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "programme_paused": ({"paused": True}, {}),
    "training_lapsed": (
        {"untrained": {"operator": "lfr-operator"}},
        {"operator": "lfr-operator"},
    ),
}


def authorise(**standing: Any) -> Ask:
    """Ask for the authorisation while the force stands so."""
    return lambda one: one.decide_authorisation(
        a.to_authorise(),
        watchlist=a.an_approved_list(),
        standing=a_standing(**standing),
        longest_window=a.DAY,
        urgent_for=a.DAY,
    )


def start(standing: dict[str, Any] | None = None, readiness: dict[str, Any] | None = None) -> Ask:
    """Ask for a start while the force stands so."""
    return lambda one: one.decide_start(
        a.to_start(),
        watchlist=a.an_approved_list(),
        items_overdue=0,
        standing=a_standing(**(standing or {})),
        readiness=a_readiness(**(readiness or {})),
        announced=an_announcement(),
        notice_needed=a.DAY,
    )


APPLIED = (a.an_applied_deployment(), a.camera_configured(), a.reported())


@pytest.mark.parametrize("code", LACKS)
def test_nothing_is_authorised_while_the_force_lacks_it(code: str) -> None:
    lack, compared = LACKS[code]
    given(*APPLIED).when(authorise(**lack)).then(refused(code, compared=compared))


@pytest.mark.parametrize("code", LACKS)
def test_nothing_is_started_while_the_force_lacks_it(code: str) -> None:
    lack, compared = LACKS[code]
    given(*APPLIED, a.authorised()).when(start(lack)).then(refused(code, compared=compared))


@pytest.mark.parametrize("code", UNREADY)
def test_nothing_is_started_while_nobody_may(code: str) -> None:
    unready, compared = UNREADY[code]
    (
        given(*APPLIED, a.authorised())
        .when(start(readiness=unready))
        .then(refused(code, compared=compared))
    )


def test_all_that_is_missing_is_named_at_once() -> None:
    everything = {name: value for lack, _ in LACKS.values() for name, value in lack.items()}
    nobody = {name: value for unready, _ in UNREADY.values() for name, value in unready.items()}
    (
        given(*APPLIED, a.authorised())
        .when(start(everything, nobody))
        .then(refused(*LACKS, *UNREADY))
    )


def test_on_the_very_day_of_commencement_it_is_authorised() -> None:
    (
        given(*APPLIED)
        .when(authorise(commences_on=date(2026, 11, 23)))
        .then(happened(a.authorised(**PINNED)))
    )


def test_a_standing_without_a_stage_2_has_no_first_day() -> None:
    given(*APPLIED).when(authorise(commences_on=None)).then(happened(a.authorised()))
