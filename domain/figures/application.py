"""What the Authorising Officer decides on: the applicant's report, the list and its reasons to be
here, and afterwards what was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.deployments import events as deployment
from domain.deployments.authority import report_codes, sections
from domain.figures.tables import POSITIONS, Reading, Report, Table, meant
from domain.kernel.time import written
from domain.ports import Recorded
from domain.watchlists import events as watchlist

Row = tuple[Any, ...]


def as_applied_for(entries: Iterable[Recorded]) -> Report:
    """The pre-deployment report of one deployment, section by section.

    Args:
        entries: of its scope, in the order of the log.
    """
    reading = Reading()
    asked: list[Row] = []
    told: dict[str, Row] = {}
    decided: list[Row] = []
    cameras: dict[str, Row] = {}
    proposed: dict[UUID, watchlist.EntryProposed] = {}
    on_the_list: dict[UUID, int] = {}
    for one in reading.over(entries):
        at = str(one.position)
        match one.event:
            case deployment.DeploymentAppliedFor() as event:
                window = f"{written(event.requested_from)} to {written(event.requested_until)}"
                asked += [
                    ("use case", event.use_case, at),
                    ("objective", event.objective, at),
                    ("place", event.location, at),
                    ("window", window, at),
                ]
            case deployment.CameraConfigured() as event:
                zone = "; ".join(f"{x} {y}" for x, y in event.zone)
                footage = "recorded" if event.footage_recorded else "not recorded"
                cameras[event.camera] = (event.camera, event.source_kind, zone, footage, at)
            case deployment.ReportSubmitted() as event:
                told = {name: (said, at) for name, said in event.sections.items()}
            case watchlist.EntryProposed() as event:
                proposed[event.entry] = event
            case watchlist.EntryAccepted() as event:
                on_the_list[event.entry] = one.position
            case watchlist.EntryRemoved() as event:
                on_the_list.pop(event.entry, None)
            case deployment.DeploymentAuthorised() as event:
                window = f"{written(event.valid_from)} to {written(event.valid_until)}"
                decided += [
                    ("authorised" + (" urgently" if event.urgency else ""), event.rank, at),
                    ("targeted", event.targeted, at),
                    ("intelligence-led", event.intelligence_led, at),
                    ("window", window, at),
                    ("cameras", ", ".join(event.cameras), at),
                    ("threshold", f"{event.threshold} ({event.threshold_justification})", at),
                    ("model", event.model_digest, at),
                    ("evidence", event.evidence, at),
                    *(
                        (f"document {kind}", version, at)
                        for kind, version in event.documents.items()
                    ),
                ]
            case deployment.AuthorisationRefused() as event:
                decided.append(
                    ("not authorised", "; ".join(why.in_words for why in event.reasons), at)
                )
            case _:
                continue
    listed = [proposed[entry] for entry in on_the_list]
    return Report(
        "application",
        "Application for a deployment",
        "source document L34; domain specification, 3.3",
        reading.entries,
        reading.last,
        (
            f"Report in the sections of catalogue {report_codes().version}. A section that takes "
            "references points at what the force keeps.",
            _coverage(listed),
        ),
        (
            Table(
                "application", "what was applied for", ("what", "value", POSITIONS), tuple(asked)
            ),
            Table(
                "report",
                "the applicant's report, section by section",
                ("section", "what it is about", "what it says", POSITIONS),
                tuple(_section(name, told) for name in sections()) if told else (),
            ),
            Table(
                "cameras",
                "cameras with their zones, in thousandths of the frame",
                ("camera", "source", "zone", "footage", POSITIONS),
                tuple(cameras.values()),
            ),
            _composition(listed, "nexus", "why the entries are expected at this place and time"),
            _composition(listed, "category", "why the entries are listed"),
            _composition(listed, "source_system", "where their images come from"),
            _composition(listed, "age_band", "how old they are"),
            _composition(listed, "attempted_means", "what was tried before, and failed"),
            Table("decision", "what was decided", ("what", "value", POSITIONS), tuple(decided)),
        ),
    )


def _section(name: str, told: dict[str, Row]) -> Row:
    codes = report_codes().codes
    said, at = told.get(name, ((), ""))
    if name in codes["open"]:
        return (name, codes["open"][name], ", ".join(said), at)
    return (name, "", "; ".join(meant(codes[name], one) for one in said), at)


def _composition(listed: list[watchlist.EntryProposed], field: str, says: str) -> Table:
    counts = Counter(str(getattr(one, field)) for one in listed)
    share = {code: f"{count / len(listed) * 100:.0f} %" for code, count in counts.items()}
    return Table(
        f"by_{field}",
        says,
        ("code", "entries", "share"),
        tuple((code, count, share[code]) for code, count in sorted(counts.items())),
    )


def _coverage(listed: list[watchlist.EntryProposed]) -> str:
    """The share of entries with a recorded reason to be at this place and time. Source: C-12."""
    if not listed:
        return "Nobody is on the list yet."
    reasons = sum(bool(one.nexus) for one in listed)
    return (
        f"Nexus coverage: {reasons} of {len(listed)} entries have a recorded reason to be expected "
        "at this place and time."
    )
