"""A command that is sent twice is carried out once, and both senders get the same answer."""

from __future__ import annotations

from dataclasses import replace

from domain.alerts.events import AlertAdjudicated
from domain.custody.events import ItemRegistered
from domain.deployments.aggregate import Deployment
from domain.kernel.refusals import Refused
from domain.kernel.repeats import RepeatRefused
from domain.services import alerts, deployments
from tests.support.builders import to_decide, to_view
from tests.support.scenarios import Scene, agreed


def scene() -> Scene:
    """One alert that an officer has looked at."""
    return Scene().running().alerted().viewed()


def test_a_decision_that_is_sent_again_is_the_first_decision() -> None:
    """Nothing is stored, nothing is kept a second time, and the answer is as it was then."""
    here = scene()
    command = to_decide(**here.by, note="he looked familiar")
    first = agreed(alerts.adjudicate(here.outside, command))
    size = here.record.size()
    second = agreed(alerts.adjudicate(here.outside, command))
    assert here.record.size() == size
    assert (second.id, second.version, second.open) == (first.id, first.version, first.open)
    assert len(here.events(AlertAdjudicated)) == 1
    notes = [one for one in here.events(ItemRegistered) if one.item_class == "free_text"]
    assert len(notes) == 1


def test_the_first_answer_is_given_although_the_state_has_moved_on() -> None:
    """The look came before the decision; looking again under its key shows the look."""
    here = Scene().running().alerted()
    command = to_view(**here.by)
    first = agreed(alerts.view(here.outside, command))
    agreed(alerts.adjudicate(here.outside, to_decide(**here.by)))
    again = agreed(alerts.view(here.outside, command))
    assert (again.version, again.open) == (first.version, True)


def test_a_refusal_that_is_asked_for_again_is_the_first_refusal() -> None:
    """With the same reasons, recorded once."""
    here = scene()
    agreed(alerts.adjudicate(here.outside, to_decide(**here.by)))
    command = to_decide(**here.by)
    first = alerts.adjudicate(here.outside, command)
    size = here.record.size()
    second = alerts.adjudicate(here.outside, command)
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert second.codes == first.codes == ["already_decided"]
    assert (second.event, second.concerning) == (first.event, first.concerning)
    assert here.record.size() == size


def test_another_command_under_a_used_key_is_refused_and_the_refusal_kept() -> None:
    """Another word in the note is another command."""
    here = scene()
    command = to_decide(**here.by, note="he looked familiar")
    agreed(alerts.adjudicate(here.outside, command))
    answer = alerts.adjudicate(here.outside, replace(command, note="she looked familiar"))
    assert isinstance(answer, Refused)
    assert answer.codes == ["key_used_for_another_command"]
    (kept,) = here.events(RepeatRefused)
    assert [one.code for one in kept.reasons] == ["key_used_for_another_command"]
    assert len(here.events(AlertAdjudicated)) == 1


def test_after_the_deployment_is_over_a_repeat_can_no_longer_be_compared() -> None:
    """What it said was erased with everything else that was kept."""
    here = scene()
    command = to_decide(**here.by, note="he looked familiar")
    agreed(alerts.adjudicate(here.outside, command))
    here.stopped().ended()
    answer = alerts.adjudicate(here.outside, command)
    assert isinstance(answer, Refused)
    assert answer.codes == ["command_no_longer_comparable"]


def test_an_answer_that_was_lost_on_the_way_is_found_again() -> None:
    """The record had stored the stop when its caller was cut off."""
    here = scene()
    (stop,) = [one for one in here.record.transactions if one.names == ["deployment.started"]]
    again = deployments.start(here.outside, stop.by)  # type: ignore[arg-type]
    assert isinstance(again, Deployment)
    assert again.run is not None
