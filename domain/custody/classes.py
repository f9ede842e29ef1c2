"""The classes of items of personal data, and what starts their clocks.

How long each may be kept stands in the retention schedule (:mod:`domain.custody.schedule`).
"""

from __future__ import annotations

from enum import StrEnum


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
