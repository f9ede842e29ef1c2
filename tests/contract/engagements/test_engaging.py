"""After an alert, over whole histories: nobody is engaged early, twice, or on another's alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from domain.alerts.commands import RecordDissent
from domain.alerts.events import DissentRecorded
from domain.engagements import commands as asked
from domain.engagements.events import (
    EngagementStarted,
    FalseAlertReviewed,
    OutcomeCorrected,
    OutcomeRecorded,
    PersonNotLocated,
)
from domain.kernel.commands import Role
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.services import alerts, deployments, engagements
from tests.support import builders as a
from tests.support.keeping import arrested
from tests.support.scenarios import Scene, agreed
from tests.support.stores import Store

OFFICER = {"actor": a.ENGAGEMENT_OFFICER, "role": Role.ENGAGEMENT_OFFICER}
Serve = Callable[..., Any]


def to(scene: Scene, command: type[Any], **fields: Any) -> Any:
    """A command of the engagement officer's about the alert, or as the fields say."""
    by = {"scope": a.DEPLOYMENT.hex, "deployment": a.DEPLOYMENT, "alert": a.ALERT}
    return command(**(by | scene.by | OFFICER | fields))


def does(scene: Scene, serve: Serve, command: type[Any], **fields: Any) -> Any:
    """Somebody does it, and it is taken down."""
    return agreed(serve(scene.outside, to(scene, command, **fields)))


def engaged(scene: Scene, identity: str = "same") -> Scene:
    """Somebody was spoken to, from the first word to the end."""
    does(
        scene,
        engagements.start,
        asked.StartEngagement,
        officers=[a.ENGAGEMENT_OFFICER],
        power="stop-and-account",
    )
    does(
        scene,
        engagements.establish_identity,
        asked.EstablishIdentity,
        identity=identity,
        method="documents",
    )
    does(scene, engagements.give_information, asked.GiveInformation, information="given")
    does(
        scene,
        engagements.end,
        asked.EndEngagement,
        duration="under-5",
        force_used=False,
        handcuffed=False,
    )
    return scene


def starts(scene: Scene) -> Any:
    """What asking to speak to the person comes to."""
    command = to(scene, asked.StartEngagement, officers=[a.ENGAGEMENT_OFFICER], power="arrest")
    return engagements.start(scene.outside, command)


@pytest.fixture
def alerted(store: Store) -> Scene:
    """A possible match that was viewed, on a real record."""
    return Scene().on(store).running().alerted().viewed()


def test_a_whole_engagement_and_a_correction(alerted: Scene) -> None:
    scene = engaged(alerted.decided())
    does(scene, engagements.record_outcome, asked.RecordOutcome, outcomes=["info-obtained"])
    does(
        scene,
        engagements.correct_outcome,
        asked.CorrectOutcome,
        outcomes=["no-further-action"],
        reason="misheard",
    )
    (recorded,) = scene.events(OutcomeRecorded)
    (corrected,) = scene.events(OutcomeCorrected)
    assert corrected.was == recorded.outcomes == ["info-obtained"]


def test_before_the_adjudication_nobody_is_spoken_to_and_the_attempt_is_kept(
    alerted: Scene,
) -> None:
    answer = starts(alerted)
    assert isinstance(answer, Refused)
    assert answer.codes == ["alert_not_viable"]
    assert alerted.refusals()[-1] == ["alert_not_viable"]
    assert alerted.events(EngagementStarted) == []


def test_an_arrest_is_an_outcome_once_the_material_was_decided_on(alerted: Scene) -> None:
    scene = engaged(alerted.decided())
    command = to(scene, asked.RecordOutcome, outcomes=["arrest-warrant"])
    answer = engagements.record_outcome(scene.outside, command)
    assert isinstance(answer, Refused) and answer.codes == ["arrest_without_decision"]
    agreed(arrested(scene))
    does(scene, engagements.record_outcome, asked.RecordOutcome, outcomes=["arrest-warrant"])


def test_another_person_makes_it_a_false_alert_which_somebody_else_reviews(
    alerted: Scene,
) -> None:
    scene = engaged(alerted.decided(), "different")
    does(scene, engagements.record_outcome, asked.RecordOutcome, outcomes=["not-same-person"])
    does(
        scene,
        engagements.review_false_alert,
        asked.ReviewFalseAlert,
        actor="staff:auditor",
        role=Role.AUDITOR,
        causes=["related-person"],
        actions=["apology-given"],
    )
    (review,) = scene.events(FalseAlertReviewed)
    assert (review.alert, review.causes) == (a.ALERT, ["related-person"])


def test_a_person_who_was_not_found_is_not_spoken_to_afterwards(alerted: Scene) -> None:
    scene = alerted.decided()
    does(scene, engagements.not_located, asked.ReportNotLocated)
    answer = starts(scene)
    assert isinstance(answer, Refused) and answer.codes == ["already_not_located"]
    (event,) = scene.events(PersonNotLocated)
    assert event.alert == a.ALERT


def test_another_view_is_kept_and_the_first_decision_still_carries(alerted: Scene) -> None:
    scene = alerted.decided()
    agreed(alerts.view(scene.outside, a.to_view(actor=a.ANOTHER_ENGAGEMENT_OFFICER, **scene.by)))
    does(
        scene,
        alerts.dissent,
        RecordDissent,
        actor=a.ANOTHER_ENGAGEMENT_OFFICER,
        decision="not_viable",
        subject_factors=["other-nose"],
        system_factors=["above-threshold"],
        environmental_factors=["low-light"],
        basis=scene.basis,
    )
    assert len(scene.events(DissentRecorded)) == 1
    assert not isinstance(starts(scene), Refused)


def test_an_alert_of_another_deployment_is_not_acted_on(alerted: Scene) -> None:
    """Whoever names another deployment would write into its history."""
    scene = alerted.decided()
    other = UUID(int=0xD9)
    scope = {"scope": other.hex, "deployment": other, **scene.by}
    apply = a.to_apply(watchlist=UUID(int=0x19), **scope)
    agreed(deployments.apply_for(scene.outside, apply))
    command = to(scene, asked.ReportNotLocated, scope=other.hex, deployment=other)
    with pytest.raises(NotFoundError, match="has no alert"):
        engagements.not_located(scene.outside, command)
    with pytest.raises(NotFoundError, match="has no alert"):
        arrested(scene, **scope)


def test_two_officers_do_not_both_begin(alerted: Scene) -> None:
    scene = alerted.decided()
    assert not isinstance(starts(scene), Refused)
    again = starts(scene)
    assert isinstance(again, Refused) and again.codes == ["already_engaged"]
