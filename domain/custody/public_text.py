"""What the public is told of how long things are kept, written from the schedule alone."""

from __future__ import annotations

from datetime import timedelta

from domain.custody.classes import ItemClass
from domain.custody.schedule import RetentionSchedule


def public_statement(schedule: RetentionSchedule, *, footage_recorded: bool) -> str:
    """Sentences for a notice or a web page.

    A face that matches nobody is gone at once, but while cameras record, the picture of it stays in
    the footage: neither sentence may ever stand without the other (domain specification, C-01).

    Args:
        schedule: in force.
        footage_recorded: whether the cameras of the deployment record.
    """
    alert = schedule.rule(ItemClass.FACE_CROP).limit
    listed = schedule.rule(ItemClass.REFERENCE_IMAGE).limit
    sentences = [
        "If your face matches nobody on the watchlist, its template and the face cut out for it "
        "are deleted at once.",
        _of_footage(schedule, footage_recorded=footage_recorded),
        "If it is a possible match, the images of it are deleted within "
        f"{_span(alert)}, whatever comes of it.",
        f"The watchlist made for this deployment is deleted within {_span(listed)} of its end.",
        f"Retention schedule {schedule.version}; {schedule.owner} answers for it.",
    ]
    return "\n".join(sentences)


def _of_footage(schedule: RetentionSchedule, *, footage_recorded: bool) -> str:
    if not footage_recorded:
        return "The cameras of this deployment do not record."
    rule = schedule.rule(ItemClass.FOOTAGE_SEGMENT)
    return (
        "The cameras of this deployment record: you may be seen in that footage, which is kept for "
        f"{_span(rule.limit)} and longer only where a recorded decision holds it."
    )


def _span(limit: timedelta) -> str:
    hours = limit / timedelta(hours=1)
    return f"{hours / 24:g} days" if hours > 48 and hours % 24 == 0 else f"{hours:g} hours"
