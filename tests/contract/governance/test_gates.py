"""The gates over both stores: what is in force, what stops a start, and what comes in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.deployments.aggregate import Deployment
from domain.deployments.events import DeploymentStarted
from domain.governance import commands as asked
from domain.kernel.errors import ConflictError
from domain.kernel.refusals import Refused
from domain.services import deployments, governance
from domain.services.governance import Governance
from tests.support import builders as a
from tests.support.governed import PINNED, VERSION, an_announcement, to
from tests.support.scenarios import Scene, agreed
from tests.support.stores import Store


@pytest.fixture
def ready(store: Store) -> Scene:
    """Authorised, with everything in force, on a real record."""
    return Scene().on(store).applied().listed().authorised()


def starts(scene: Scene) -> Any:
    """What asking for a start comes to."""
    return deployments.start(scene.outside, a.to_start(**scene.by))


def test_what_is_in_force_is_read_back_as_it_was_said(ready: Scene) -> None:
    """From the aggregates, and from the entries as a reader follows them."""
    of_record = Governance.of(ready.outside)
    followed = Governance.followed(one.event for one in ready.record.history("force"))
    today = a.AT.date()
    assert followed.given == of_record.given
    assert followed.standing(None, first=today, last=today) == of_record.standing(
        None, first=today, last=today
    )
    assert isinstance(starts(ready), Deployment)
    (started,) = ready.events(DeploymentStarted)
    assert {name: getattr(started, name) for name in PINNED} == PINNED


def test_an_expired_document_stops_the_start_and_the_refusal_is_kept(ready: Scene) -> None:
    says: dict[str, Any] = {
        "kind": "eia",
        "version": "short",
        "valid_from": (a.AT.date() - timedelta(days=1)).isoformat(),
        "valid_until": (a.AT.date() - timedelta(days=1)).isoformat(),
        "digest": "ab" * 32,
    }
    command = to(asked.RegisterPolicyDocument, **ready.by, **says)
    agreed(governance.register_document(ready.outside, command))
    answer = starts(ready)
    assert isinstance(answer, Refused)
    assert ready.refusals()[-1] == ["documents_not_in_force"]


def test_a_pause_between_the_decision_and_the_record_stops_the_start(ready: Scene) -> None:
    """The streams that it rests on are compared again under the log's lock."""
    found = Governance.of(ready.outside)
    pause = to(asked.PauseProgramme, **ready.by, reason="stop-it")
    deployment = ready.record.load(Deployment, a.DEPLOYMENT)
    today = a.AT.date()
    command = a.to_start(**ready.by)
    refused = deployment.decide_start(
        command,
        watchlist=a.an_approved_list(),
        items_overdue=0,
        standing=found.standing(None, first=today, last=today),
        readiness=found.readiness(a.OPERATOR, today),
        announced=an_announcement(),
        notice_needed=a.DAY,
    )
    assert refused is None
    agreed(governance.pause_programme(ready.outside, pause))
    with pytest.raises(ConflictError):
        ready.record.append(deployment, by=command, given=found.given)
    assert ready.events(DeploymentStarted) == []
    assert isinstance(starts(ready), Refused)


def test_the_same_thing_said_twice_is_said_once(store: Store) -> None:
    scene = Scene().on(store)
    command = to(
        asked.RegisterPolicyDocument,
        **scene.by,
        kind="eia",
        version=VERSION,
        valid_from="2026-11-01",
        valid_until="2027-10-31",
        digest="ab" * 32,
    )
    agreed(governance.register_document(scene.outside, command))
    agreed(governance.register_document(scene.outside, command))
    assert scene.names() == ["policy.registered"]
