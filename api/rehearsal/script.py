"""The script of a rehearsal: a whole deployment, step by step, played by stand-ins.

Every step is a command to the same services that operational use has. A refusal stops the play:
what was begun is closed, everything that was kept is destroyed, and the record says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import numpy as np

from api.bootstrap import Node
from api.rehearsal import stand_ins
from api.rehearsal.imported import removed
from api.rehearsal.in_force import attach_evidence, put_in_force
from api.rehearsal.listing import Reading, enter
from api.rehearsal.stand_ins import AttendedSink, by
from api.rehearsal.summary import AlertLine, Summary
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.deployments.aggregate import Deployment
from domain.deployments.commands import (
    ApplyForDeployment,
    AuthoriseDeployment,
    ConfigureCamera,
    EndDeployment,
    StartDeployment,
    StopDeployment,
    SubmitReport,
)
from domain.governance.evidence import Configuration
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refused
from domain.notice.commands import RemoveSignage
from domain.ports import Outside
from domain.services import deployments, notice, watchlists
from domain.services.carrying_out import BySystem, by_the_system
from domain.services.closing import close
from domain.services.custody import consult
from domain.services.governance import requirements_of
from domain.services.inventory import take_stock
from domain.services.sightings import reconcile
from domain.services.sink import InProcessSink
from domain.services.survey import Survey
from domain.sightings.commands import ReconcileRun
from domain.sightings.sums import as_fields
from domain.watchlists.accepted import AcceptedValues
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.commands import (
    ApproveCriteria,
    ApproveWatchlist,
    DecideExtraAuthority,
    LoadGallery,
    ProposeCriteria,
    ReviewEntries,
    SealWatchlist,
)
from domain.watchlists.upkeep import MOST_AT_ONCE
from recognition.engine import Engine
from recognition.footage import Recorder, RecordingOf
from recognition.matching import Gallery
from recognition.pipeline import Pipeline, Progress, RecogniserSettings, RunOf
from recognition.precautions import keep_in_memory, take_precautions
from recognition.sources import FileSource, VideoPacket
from recognition.zone import Zone

CAMERA = "camera-1"
REMOVED = "(removed)"
"""What stands for the caller's reference of an entry that was taken off the list."""
RECOGNITION_IS_ON = "recognition is on"
WHOLE_FRAME = [[0, 0], [1000, 0], [1000, 1000], [0, 1000]]
LOOK_EVERY_S = 0.5
"""How often a run looks whether it is still on: whoever withdraws reaches it within a second."""
WINDOW = timedelta(hours=12)
"""How long a rehearsal may take. Its window ends then, whatever is still running."""

T = TypeVar("T")


class RehearsalRefusedError(DomainError):
    """The rules said no. The refusal is on the record, and nothing was left behind."""

    def __init__(self, refused: Refused) -> None:
        reasons = "\n".join(f"  {one.in_words}" for one in refused.reasons)
        super().__init__(f"refused ({refused.event.NAME}):\n{reasons}")
        self.refused = refused


class SumsDoNotBalanceError(Exception):
    """A face has no outcome, or two. ``run.reconciliation_failed`` says which."""


@dataclass(frozen=True)
class Play:
    """What is rehearsed."""

    watchlist: Path
    images: Path
    video: str
    """A path; a live address is refused, and the refusal recorded."""
    threshold: Decimal
    accepted: AcceptedValues
    settings: RecogniserSettings
    delete_imported: bool = False
    """Whether the file and the photographs are removed once they are in the vault."""
    footage: bool = False
    """Whether the camera records; its segments outlive the deployment."""


@dataclass(frozen=True)
class Listener:
    """Who is told how the play goes, and may ask it to stop."""

    step: Callable[[str], None] = lambda words: None
    progress: Callable[[Progress, int], None] = lambda progress, alerts: None
    asked_to_stop: Callable[[], bool] = lambda: False


def rehearse(node: Node, play: Play, engine: Engine, listener: Listener) -> Summary:
    """Play a whole deployment, from application to verified record.

    Raises:
        RehearsalRefusedError: a rule said no.
        ListingRefusedError: the watchlist file or its images are not as they must be.
        SourceError: the video could not be read, or not to its end.
        SumsDoNotBalanceError: the run's sums do not balance.
    """
    return _Rehearsal(node, play, engine, listener).play()


class _Rehearsal:
    """One play: the references that its steps share."""

    def __init__(self, node: Node, play: Play, engine: Engine, listener: Listener) -> None:
        self._node = node
        self._outside: Outside = node.outside
        self._play = play
        self._engine = engine
        self._listener = listener
        self._deployment = new_reference()
        self._watchlist = new_reference()
        self._run = new_reference()
        self._rejected: list[str] = []
        self._stopped_by = ""
        self._switched_off = False
        self._left_out = False
        """Whether the camera is no longer one of those that are authorised."""
        self._compared_with: set[UUID] = set()
        """The entries that the running recogniser compares faces with."""
        self._look_again = 0.0
        # Before the first photograph is opened: templates exist from the compilation on.
        self._precautions = take_precautions()
        self._began = time.monotonic()
        self._until = node.outside.clock.now() + WINDOW

    def play(self) -> Summary:
        try:
            put_in_force(self._outside, self._agreed, self._listener.step)
            self._apply()
            source = self._configure()
            self._compile()
            self._authorise()
            self._tell_the_public()
            self._recognise(source)
            alerts = self._alert_lines()
            self._take_the_signs_down()
            self._end()
        except BaseException:
            self._close()
            self._node.seal()
            raise
        return self._summary(alerts)

    def _end(self) -> None:
        self._listener.step("ending the deployment; destroying everything that was kept for it")
        self._agreed(
            deployments.end(
                self._outside,
                EndDeployment(
                    **self._as(stand_ins.OPERATOR, Role.OPERATOR),
                    at=self._outside.clock.now(),
                    deployment=self._deployment,
                ),
            )
        )
        self._listener.step("taking stock of the stores")
        found = take_stock(self._outside, self._node.rechecker)
        self._listener.step(found.in_words)

    def _take_the_signs_down(self) -> None:
        self._agreed(
            notice.remove_signage(
                self._outside,
                RemoveSignage(
                    **self._as(stand_ins.OPERATOR, Role.OPERATOR),
                    at=self._outside.clock.now(),
                    deployment=self._deployment,
                ),
            )
        )

    # -- before --------------------------------------------------------------------------------

    def _apply(self) -> None:
        now = self._outside.clock.now()
        self._listener.step(f"applying for rehearsal deployment {self._deployment.hex}")
        self._agreed(
            deployments.apply_for(
                self._outside,
                ApplyForDeployment(
                    **self._as(stand_ins.APPLICANT, Role.APPLICANT),
                    at=now,
                    deployment=self._deployment,
                    watchlist=self._watchlist,
                    use_case="rehearsal",
                    objective="locate-listed-persons",
                    location="rehearsal-video",
                    requested_from=now,
                    requested_until=self._until,
                ),
            )
        )

    def _configure(self) -> FileSource:
        """Set the camera up and open its file; nothing is listed before that is known to work."""
        self._agreed(
            deployments.configure_camera(
                self._outside,
                ConfigureCamera(
                    **self._as(stand_ins.OPERATOR, Role.OPERATOR),
                    at=self._outside.clock.now(),
                    deployment=self._deployment,
                    camera=CAMERA,
                    source_kind=source_kind(self._play.video),
                    zone=WHOLE_FRAME,
                    footage_recorded=self._play.footage,
                ),
            )
        )
        source = FileSource(self._play.video)
        if not source.states_its_length:
            self._listener.step("the video does not state its length: a cut end would not be seen")
        return source

    def _compile(self) -> None:
        categories = self._play.accepted.default_categories
        manager = self._as(stand_ins.FIRST_MANAGER, Role.WATCHLIST_MANAGER)
        officer = self._as(stand_ins.AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER)
        now = self._outside.clock.now
        self._agreed(
            watchlists.propose_criteria(
                self._outside,
                ProposeCriteria(
                    **manager,
                    at=now(),
                    watchlist=self._watchlist,
                    deployment=self._deployment,
                    categories=categories,
                    accepted_values=self._play.accepted.version,
                    adult_age_bands=sorted(self._play.accepted.adult_age_bands),
                    contested_categories=sorted(self._play.accepted.contested_categories),
                    most_entries=requirements_of(self._outside).in_force.limit("list_entries"),
                ),
            )
        )
        self._agreed(
            watchlists.approve_criteria(
                self._outside, ApproveCriteria(**officer, at=now(), watchlist=self._watchlist)
            )
        )
        self._listener.step("reading the watchlist and its photographs")
        entered = enter(
            self._outside,
            Reading(self._play.watchlist, self._play.images, self._play.accepted),
            engine=self._engine,
            manager=manager,
            deployment=self._deployment,
            watchlist=self._watchlist,
            on_row=self._listener.step,
        )
        self._rejected = entered.rejected
        if self._play.delete_imported:
            removed(
                self._outside,
                entered.left,
                watchlist=self._watchlist,
                by=manager,
                verifier=self._as(stand_ins.SECOND_MANAGER, Role.WATCHLIST_MANAGER),
                tell=self._listener.step,
            )
        for words in self._rejected:
            self._listener.step(f"rejected: {words}")
        self._engine.forget_last_face()
        self._allow_children_and_vulnerable()
        for sealer in (stand_ins.FIRST_MANAGER, stand_ins.SECOND_MANAGER):
            self._agreed(
                watchlists.seal(
                    self._outside,
                    SealWatchlist(
                        **self._as(sealer, Role.WATCHLIST_MANAGER),
                        at=now(),
                        watchlist=self._watchlist,
                    ),
                )
            )
        self._agreed(
            watchlists.approve(
                self._outside, ApproveWatchlist(**officer, at=now(), watchlist=self._watchlist)
            )
        )
        self._review()

    def _allow_children_and_vulnerable(self) -> None:
        """The second authority, where an entry needs one."""
        listed = self._outside.record.load(Watchlist, self._watchlist)
        for entries in _batches(listed.needing_authority):
            self._agreed(
                watchlists.decide_extra_authority(
                    self._outside,
                    DecideExtraAuthority(
                        **self._as(stand_ins.EXTRA_AUTHORISER, Role.EXTRA_AUTHORISER),
                        at=self._outside.clock.now(),
                        watchlist=self._watchlist,
                        entries=entries,
                        granted=True,
                        reason="given-to-the-rehearsal",
                        rank="chief-superintendent",
                        rank_evidence="played-by-a-stand-in",
                    ),
                )
            )

    def _review(self) -> None:
        """Every entry is looked at before recognition is switched on."""
        listed = self._outside.record.load(Watchlist, self._watchlist)
        for entries in _batches(listed.accepted):
            self._agreed(
                watchlists.review(
                    self._outside,
                    ReviewEntries(
                        **self._as(stand_ins.SECOND_MANAGER, Role.WATCHLIST_MANAGER),
                        at=self._outside.clock.now(),
                        watchlist=self._watchlist,
                        entries=entries,
                    ),
                )
            )

    def _authorise(self) -> None:
        listed = self._outside.record.load(Watchlist, self._watchlist)
        configuration = Configuration(
            self._engine.package.digest,
            self._play.threshold,
            len(listed.accepted),
            self._play.settings.as_recorded(),
        )
        attach_evidence(self._outside, configuration, self._agreed, self._listener.step)
        self._agreed(
            deployments.submit_report(
                self._outside,
                SubmitReport(
                    **self._as(stand_ins.APPLICANT, Role.APPLICANT),
                    at=self._outside.clock.now(),
                    deployment=self._deployment,
                    sections=stand_ins.report(),
                ),
            )
        )
        now = self._outside.clock.now()
        self._agreed(
            deployments.authorise(
                self._outside,
                AuthoriseDeployment(
                    **self._as(stand_ins.AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER),
                    at=now,
                    deployment=self._deployment,
                    targeted="entries-of-the-approved-list",
                    intelligence_led="nexus-recorded-for-each-entry",
                    valid_from=now,
                    valid_until=self._until,
                    cameras=[CAMERA],
                    threshold=self._play.threshold,
                    threshold_justification="given-to-the-rehearsal",
                    model_digest=self._engine.package.digest,
                    rank="superintendent",
                    rank_evidence="played-by-a-stand-in",
                ),
            )
        )

    def _tell_the_public(self) -> None:
        """Stand-ins say that there was a notice, that signs stand, and how people stay out."""
        self._listener.step("taking down that the public was told: there was no public")
        for serve, command in stand_ins.announcements(
            self._as(stand_ins.OPERATOR, Role.OPERATOR),
            self._deployment,
            [CAMERA],
            self._outside.clock.now(),
        ):
            self._agreed(serve(self._outside, command))

    # -- recognition ---------------------------------------------------------------------------

    def _recognise(self, source: FileSource) -> None:
        gallery = self._gallery()
        self._compared_with = set(gallery.entries)
        try:
            self._agreed(
                deployments.start(
                    self._outside,
                    StartDeployment(
                        **self._as(stand_ins.OPERATOR, Role.OPERATOR),
                        at=self._outside.clock.now(),
                        deployment=self._deployment,
                        run=self._run,
                        model_digest=self._engine.package.digest,
                        gallery_size=len(gallery.entries),
                        recogniser_settings=self._play.settings.as_recorded(),
                        precautions=self._precautions,
                    ),
                )
            )
            sink = AttendedSink(InProcessSink(self._outside), self._outside)
            pipeline = Pipeline(
                engine=self._engine,
                gallery=gallery,
                zone=Zone(tuple((x, y) for x, y in WHOLE_FRAME)),
                of=RunOf(
                    deployment=self._deployment,
                    run=self._run,
                    camera=CAMERA,
                    mode=Mode.REHEARSAL,
                    threshold=self._play.threshold,
                ),
                sink=sink,
                clock=self._outside.clock,
                settings=self._play.settings,
            )
            self._listener.step(RECOGNITION_IS_ON)
            with self._recording() as on_packet:
                pipeline.run(
                    source,
                    on_packet=on_packet,
                    on_progress=lambda progress: self._listener.progress(progress, sink.alerts),
                    asked_to_stop=lambda: self._must_stop(gallery),
                )
        finally:
            gallery.wipe()
        self._look()
        self._stopped_by = self._cause()
        if not self._switched_off:
            self._stop(self._stopped_by)
        balanced = reconcile(
            self._outside,
            ReconcileRun(
                **self._by_system("reconciler"), deployment=self._deployment, run=self._run
            ),
        )
        if not balanced:
            raise SumsDoNotBalanceError(
                "the sums of this run do not balance: see run.reconciliation_failed"
            )

    @contextmanager
    def _recording(self) -> Iterator[Callable[[VideoPacket], None] | None]:
        """What takes the camera's packets, if it records."""
        if not self._play.footage:
            yield None
            return
        of = RecordingOf(self._deployment, self._run, CAMERA, Mode.REHEARSAL)
        with Recorder(of=of, clock=self._outside.clock, open_sink=self._node.footage) as recorder:
            yield recorder.take

    def _must_stop(self, gallery: Gallery) -> bool:
        if time.monotonic() >= self._look_again:
            self._look_again = time.monotonic() + LOOK_EVERY_S
            self._look()
            for entry in self._removed():
                gallery.drop(entry)
        return (
            self._listener.asked_to_stop()
            or self._window_is_over()
            or self._switched_off
            or self._left_out
            or not gallery.size
        )

    def _look(self) -> None:
        """See whether somebody else, from another process, switched recognition off or varied
        the window."""
        found = self._outside.record.load(Deployment, self._deployment)
        self._switched_off = found.run != self._run
        if found.authorised is not None:
            self._until = found.authorised.valid_until
            self._left_out = CAMERA not in found.authorised.cameras

    def _removed(self) -> set[UUID]:
        """The entries that somebody took off the list since the last look."""
        listed = self._outside.record.load(Watchlist, self._watchlist)
        removed = self._compared_with - set(listed.accepted)
        self._compared_with -= removed
        return removed

    def _window_is_over(self) -> bool:
        """A run stops by itself at the end of what was authorised."""
        return self._outside.clock.now() >= self._until

    def _cause(self) -> str:
        if self._switched_off:
            return "switched-off-by-another"
        if self._left_out:
            return "camera-no-longer-authorised"
        if not self._compared_with:
            return "watchlist-empty"
        if self._window_is_over():
            return "authorised-window-over"
        return "asked-to-stop" if self._listener.asked_to_stop() else "video-over"

    def _gallery(self) -> Gallery:
        """The sealed list's templates, in memory of their own."""
        loaded = self._agreed(
            watchlists.load_gallery(
                self._outside,
                LoadGallery(
                    **self._by_system(f"recogniser/{CAMERA}"),
                    deployment=self._deployment,
                    watchlist=self._watchlist,
                    camera=CAMERA,
                ),
            )
        )
        references = np.empty((len(loaded), self._engine.package.dimension), dtype=np.float32)
        if not keep_in_memory(references):
            self._precautions["gallery"] = "not-locked"
        for row, (_, template) in enumerate(loaded):
            references[row] = np.frombuffer(template, dtype="<f4")
            template[:] = bytes(len(template))
        return Gallery(
            references,
            [entry for entry, _ in loaded],
            model_digest=self._engine.package.digest,
        )

    def _stop(self, cause: str) -> None:
        self._agreed(
            deployments.stop(
                self._outside,
                StopDeployment(
                    **self._as(stand_ins.OPERATOR, Role.OPERATOR),
                    at=self._outside.clock.now(),
                    deployment=self._deployment,
                    cause=cause,
                ),
            )
        )

    # -- after ---------------------------------------------------------------------------------

    def _alert_lines(self) -> list[AlertLine]:
        """The alerts with the caller's own references, read while they can still be."""
        survey = self._survey()
        reference_of = {
            one.concerning: one.item
            for one in survey.items.values()
            if one.item_class == ItemClass.CALLERS_REFERENCE
        }
        lines = []
        for alert in survey.alerts.values():
            item = reference_of[alert.entry]
            reference = REMOVED if survey.items[item].destroyed else self._read(item)
            lines.append(AlertLine(reference, round(alert.first_seen_ms / 1000, 2), alert.camera))
        return lines

    def _read(self, item: UUID) -> str:
        """A caller's own reference."""
        opened = self._agreed(
            consult(
                self._outside,
                ConsultItem(**self._by_system("rehearsal"), item=item, purpose="rehearsal-summary"),
            )
        )
        reference = opened.decode()
        opened[:] = bytes(len(opened))
        return reference

    def _summary(self, alerts: list[AlertLine]) -> Summary:
        self._listener.step("signing and verifying the record")
        checkpoint = self._node.seal()
        verified = self._node.verified()
        survey = self._survey()
        sums = survey.runs[self._run]
        counted = as_fields(sums)
        copies = [one for found in survey.copies.values() for one in found.copies.values()]
        footage = sum(1 for one in survey.live() if one.item_class == ItemClass.FOOTAGE_SEGMENT)
        return Summary(
            deployment=self._deployment.hex,
            mode=Mode.REHEARSAL.value,
            frames=sum(sums.frames.values()),
            faces_seen=counted["seen"],
            not_enrolled=counted["not_enrolled"],
            enrolled_and_discarded=counted["enrolled_and_discarded"],
            faces_alerted=counted["alerted"],
            suppressed_sightings=counted["suppressed"],
            interrupted=counted["interrupted"],
            alerts=alerts,
            rejected_entries=self._rejected,
            stopped_by=self._stopped_by,
            copies_registered=len(copies),
            copies_left=[one.registered.kind for one in copies if not one.verified],
            items_registered=len(survey.items),
            items_destroyed=len(survey.items) - survey.live_items,
            items_remaining=survey.live_items,
            footage_kept=footage,
            max_template_life_ms=sums.max_template_life_ms,
            log_size=checkpoint.size,
            checkpoint_root=checkpoint.root.hex(),
            verified=verified,
            duration_s=round(time.monotonic() - self._began, 2),
        )

    def _close(self) -> None:
        """Leave nothing behind: stop, close, destroy. What was refused stays on the record."""
        found = self._survey().deployments.get(self._deployment)
        if found is None or found.over:
            return
        close(self._outside, found, cause="rehearsal_failed", died=False)

    def _survey(self) -> Survey:
        return Survey().take(self._outside.record.history(self._deployment.hex))

    def _as(self, actor: str, role: Role) -> stand_ins.ByAStandIn:
        return by(self._deployment, actor, role)

    def _by_system(self, part: str) -> BySystem:
        return by_the_system(
            self._outside, scope=self._deployment.hex, mode=Mode.REHEARSAL, part=part
        )

    def _agreed(self, answer: T | Refused) -> T:
        """The answer, unless the rules said no."""
        if isinstance(answer, Refused):
            raise RehearsalRefusedError(answer)
        return answer


def _batches(entries: list[UUID]) -> Iterator[list[UUID]]:
    return (entries[first : first + MOST_AT_ONCE] for first in range(0, len(entries), MOST_AT_ONCE))


def source_kind(video: str) -> str:
    """What a person named as the video: a file, or a live source by its address or device."""
    scheme = video.split("://", 1)[0].lower() if "://" in video else ""
    if scheme in ("rtsp", "rtsps", "rtmp", "udp", "rtp", "srt"):
        return "rtsp"
    if scheme in ("http", "https"):
        return "http"
    if scheme:
        return "address"
    if video.startswith("/dev/"):
        return "device"
    return "file"
