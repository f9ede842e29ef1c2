"""The classes of items, and how long each may be kept.

A limit is a ceiling, never a target. Source: domain specification, section 4 (RT-03 to RT-08,
RT-10 and RT-17), with its strict readings: a possible match counts from the alert, a watchlist from
the end of its deployment, footage from its first frame. A hold may extend footage and nothing
else (C-02).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

DAY = timedelta(hours=24)


class ItemClass(StrEnum):
    """What an item is."""

    REFERENCE_IMAGE = "reference_image"
    REFERENCE_TEMPLATE = "reference_template"
    CALLERS_REFERENCE = "callers_reference"
    """The caller's own reference of an entry, which could be followed across deployments."""
    FACE_CROP = "face_crop"
    WIDE_FRAME = "wide_frame"
    """The frame around the face, bystanders masked."""
    PROBE_TEMPLATE = "probe_template"
    ALERT_DETAIL = "alert_detail"
    FREE_TEXT = "free_text"
    FOOTAGE_SEGMENT = "footage_segment"
    """At most a minute of a camera's own packets."""


BIOMETRIC = frozenset(
    {
        ItemClass.REFERENCE_IMAGE,
        ItemClass.REFERENCE_TEMPLATE,
        ItemClass.FACE_CROP,
        ItemClass.WIDE_FRAME,
        ItemClass.PROBE_TEMPLATE,
    }
)
"""Faces and what is made of them: no hold is an exception from their limit (C-02)."""

OF_A_LIST = frozenset(
    {ItemClass.REFERENCE_IMAGE, ItemClass.REFERENCE_TEMPLATE, ItemClass.CALLERS_REFERENCE}
)
"""What is kept of the entries of a watchlist."""


class ClockStart(StrEnum):
    """What starts an item's clock."""

    ALERT = "alert"
    DEPLOYMENT_END = "deployment_end"
    FIRST_FRAME = "first_frame"
    """Of a segment of footage (C-01, RT-10: the strict reading)."""


@dataclass(frozen=True)
class RetentionRule:
    """How long one class may be kept."""

    rule: str
    starts: ClockStart
    limit: timedelta
    """After the start of the clock, at the latest; elapsed time, not local dates."""
    hold_may_extend: bool = False
    """Source: C-02. Biometric items have no exception."""

    @property
    def ends_with_deployment(self) -> bool:
        """Whether the end of the deployment ends it at once, whatever is left of its limit."""
        return self.starts is not ClockStart.FIRST_FRAME


RETENTION: dict[ItemClass, RetentionRule] = {
    ItemClass.PROBE_TEMPLATE: RetentionRule("RT-03", ClockStart.ALERT, DAY),
    ItemClass.FACE_CROP: RetentionRule("RT-03", ClockStart.ALERT, DAY),
    ItemClass.WIDE_FRAME: RetentionRule("RT-04", ClockStart.ALERT, DAY),
    ItemClass.ALERT_DETAIL: RetentionRule("RT-05", ClockStart.ALERT, DAY),
    ItemClass.FREE_TEXT: RetentionRule("RT-17", ClockStart.ALERT, DAY),
    ItemClass.REFERENCE_IMAGE: RetentionRule("RT-06", ClockStart.DEPLOYMENT_END, DAY),
    ItemClass.REFERENCE_TEMPLATE: RetentionRule("RT-07", ClockStart.DEPLOYMENT_END, DAY),
    ItemClass.CALLERS_REFERENCE: RetentionRule("RT-08", ClockStart.DEPLOYMENT_END, DAY),
    ItemClass.FOOTAGE_SEGMENT: RetentionRule(
        "RT-10", ClockStart.FIRST_FRAME, 31 * DAY, hold_may_extend=True
    ),
}
