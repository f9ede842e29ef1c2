"""The recogniser's commands, carried out in this process."""

from __future__ import annotations

from domain.alerts.commands import RaiseAlert
from domain.footage.commands import KeepSegment, ReportLostSegment, Segment
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.alerts import raise_alert
from domain.services.footage import keep_segment, report_lost
from domain.services.sightings import record_faces, report_source_failure
from domain.sightings.commands import RecordFaces, ReportSourceFailure


class InProcessSink:
    """Implements ``domain.ports.CommandSink`` with the services."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def raise_alert(self, command: RaiseAlert) -> bool:
        """Raise a possible match; a refusal is on the record."""
        return not isinstance(raise_alert(self._outside, command), Refused)

    def record_faces(self, command: RecordFaces) -> None:
        """Store what became of faces."""
        record_faces(self._outside, command)

    def report_source_failure(self, command: ReportSourceFailure) -> None:
        """Keep that a camera or file could not be read on."""
        report_source_failure(self._outside, command)


class InProcessFootage:
    """Implements ``domain.ports.FootageSink`` with the services."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def keep_segment(self, command: KeepSegment, segment: Segment) -> bool:
        """Keep a segment; a refusal is on the record."""
        return not isinstance(keep_segment(self._outside, command, segment), Refused)

    def report_lost(self, command: ReportLostSegment) -> None:
        """Keep that a segment could not be kept."""
        report_lost(self._outside, command)
