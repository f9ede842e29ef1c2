"""The classes of items, and how long each may be kept.

A limit is a ceiling, never a target. Source: domain specification, section 4 (RT-03 to RT-08
and RT-17), with its strict readings: a possible match counts from the alert, a watchlist from
the end of its deployment. Nothing here may be extended by a hold (C-02).
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


class ClockStart(StrEnum):
    """What starts an item's clock."""

    ALERT = "alert"
    DEPLOYMENT_END = "deployment_end"


@dataclass(frozen=True)
class RetentionRule:
    """How long one class may be kept."""

    rule: str
    starts: ClockStart
    limit: timedelta
    """After the start of the clock, at the latest. The end of the deployment always ends it."""


RETENTION: dict[ItemClass, RetentionRule] = {
    ItemClass.PROBE_TEMPLATE: RetentionRule("RT-03", ClockStart.ALERT, DAY),
    ItemClass.FACE_CROP: RetentionRule("RT-03", ClockStart.ALERT, DAY),
    ItemClass.WIDE_FRAME: RetentionRule("RT-04", ClockStart.ALERT, DAY),
    ItemClass.ALERT_DETAIL: RetentionRule("RT-05", ClockStart.ALERT, DAY),
    ItemClass.FREE_TEXT: RetentionRule("RT-17", ClockStart.ALERT, DAY),
    ItemClass.REFERENCE_IMAGE: RetentionRule("RT-06", ClockStart.DEPLOYMENT_END, DAY),
    ItemClass.REFERENCE_TEMPLATE: RetentionRule("RT-07", ClockStart.DEPLOYMENT_END, DAY),
    ItemClass.CALLERS_REFERENCE: RetentionRule("RT-08", ClockStart.DEPLOYMENT_END, DAY),
}
