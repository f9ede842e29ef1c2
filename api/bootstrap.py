"""Builds everything from the settings; the only importer of infrastructure."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Event, Thread

from api.app import Application, Sources, create_app
from api.stream import Pace
from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from domain.assurance.examined import with_custody
from domain.assurance.notes import NoteError, VerifierKey
from domain.assurance.summing import workers
from domain.assurance.targets import KeyUnusableError, Trusted, entries_of, own_checkpoint
from domain.assurance.verification import (
    FaultFoundError,
    Kind,
    Verdict,
    in_silence,
    not_looked_at,
    verify,
)
from domain.custody.events import ItemDestroyed
from domain.custody.sealing import Tombstone
from domain.deployments.events import ApplicationRefused, DeploymentAppliedFor
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, NotFoundError, RecordBrokenError
from domain.kernel.events import Happened
from domain.log.aggregate import KEYS, LogKeys
from domain.ports import Identities, Outside, Recorded
from domain.services.rechecking import LookAgain
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import sweep
from domain.services.survey import Survey
from infrastructure.access.tokens import TokenFile
from infrastructure.clock import SystemClock
from infrastructure.files import write_durably
from infrastructure.packs.writer import Packed, SignedLog, write_pack
from infrastructure.premises import Premises
from infrastructure.projections.follower import Follower
from infrastructure.projections.registers import (
    PROJECTIONS,
    Registers,
    named,
    read_models,
)
from infrastructure.projections.registers import ReadModel as ReadModel
from infrastructure.record.databases import Database
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import EventRecord, Heard, recorded
from infrastructure.record.reading import RecordReader
from infrastructure.record.schema import migrate, require_current
from infrastructure.record.stored_rows import RecordUnreadableError
from infrastructure.seal.export import Exported, Exporter
from infrastructure.seal.following import Step, follow
from infrastructure.seal.published import ServedLog
from infrastructure.seal.rotation import KeyRegister
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.sealing import Sealing, SealingLoop, SealingPolicy
from infrastructure.seal.signing import SealError
from infrastructure.seal.witness_office import WitnessOffice
from infrastructure.seal.witness_server import WitnessServer
from infrastructure.seal.witnesses import Witnesses
from infrastructure.settings import Settings

_APPLICATIONS = frozenset({DeploymentAppliedFor.NAME, ApplicationRefused.NAME})
LAST_BATCH_S = 0.8
"""How long a batch of the registers may take to end when the server stops."""


SEALING = SealingPolicy(entries=1000, seconds=60)
"""When a process that writes seals: no entry waits longer, and no more wait."""


class NobodyAuthenticated:
    """Until persons can prove who they are, nobody has, and operational mode stays shut."""

    def authenticated(self, actor: str) -> bool:
        """Never."""
        return False


@dataclass
class Node:
    """One node at work: the ports, the sealer and what a start found half done."""

    outside: Outside
    record: EventRecord
    sealer: Sealer
    premises: Premises
    recovered: list[str]
    sealing: Sealing
    keys: KeyRegister
    witnesses: Witnesses
    witnessed: list[str]
    """What the witnesses said last, in words; a start puts there what it was told."""
    listeners: list[Heard]
    """Told the log's size after each COMMIT."""

    def seal(self) -> Checkpoint:
        """Sign the log as it stands, and have its witnesses cosign it where they can be reached."""
        checkpoint = self.sealing.seal()
        self.witnessed = self.witnesses.ask_all()
        return checkpoint

    @contextmanager
    def sealed_meanwhile(
        self, *, on_trouble: Callable[[str], None], policy: SealingPolicy = SEALING
    ) -> Iterator[None]:
        """Seal now and then while the log is written to, in a thread of its own.

        Args:
            on_trouble: told in words what went wrong; the writing goes on.
            policy: when to seal.
        """
        loop = SealingLoop(
            lambda: self.seal().size,
            clock=self.outside.clock,
            policy=policy,
            sealed=self.sealing.sealed(),
            on_trouble=on_trouble,
        )
        self.listeners.append(loop.committed)
        loop.start()
        try:
            yield
        finally:
            self.listeners.remove(loop.committed)
            loop.stop()

    def verified(self) -> bool:
        """Whether everything that is stored recomputes to what was signed."""
        key_text = self.sealer.verifier_key_file.read_text(encoding="utf-8")
        verdict = verify_premises(self.premises.path, key_text=key_text, outside_checkpoint=None)
        return verdict.kind is Kind.SOUND


def settings() -> Settings:
    """The settings of this process."""
    return Settings.read(os.environ)


def premises_at(path: Path) -> Premises:
    """The premises below a path, with the record in the database that the settings name, if any."""
    known = settings()
    return Premises(path, url=known.database, log_key=known.log_key)


def now() -> datetime:
    """The present instant."""
    return SystemClock().now()


def today() -> date:
    """The present day, UTC."""
    return SystemClock().now().date()


def exact_text(path: Path) -> str:
    """A file's text with its line ends as they are: a signature covers them."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent.

    Raises:
        DomainError: it cannot be written there.
    """
    try:
        write_durably(path, content, mode=0o644)
    except OSError as error:
        raise DomainError(f"cannot write {path}: {error.strerror}") from error


def typed_path(text: str) -> Path:
    """A path as the person typed it, from where they stand (``./run`` changes directory)."""
    return (Path(os.environ.get("PLUMBLINE_HERE", ".")) / Path(text).expanduser()).absolute()


@contextmanager
def open_node(
    path: Path,
    mode: Mode,
    *,
    on_commit: Callable[[int], None] = lambda size: None,
    identities: Identities | None = None,
) -> Iterator[Node]:
    """Be the one writer of these premises; first finish what a dead process left half done.

    Raises:
        PremisesError: in use by another process, of the other mode, or not usable.
        SchemaError: the record is of another shape; says the command to run.
    """
    premises = premises_at(path)
    with premises.alone():
        premises.found(mode)
        clock = SystemClock()
        listeners: list[Heard] = [on_commit]
        record = premises.open_record(mode, clock, lambda size: _tell_all(listeners, size))
        vault = premises.open_vault()
        try:
            sealer = premises.sealer(record.origin, new=record.size() == 0)
            outside = Outside(
                record, vault, clock, identities or NobodyAuthenticated(), LookAgain(vault)
            )
            _require_the_records_keystore(outside, vault.last_tombstone())
            _require_the_records_items(outside)
            witnesses = Witnesses(sealer, clock)
            told = witnesses.require_not_behind(record.size())
            sealing = Sealing(
                record,
                clock,
                sealer,
                ScopeSecrets(premises.seal),
                not_before=witnesses.newest_cosignature,
            )
            keys = KeyRegister(sealing, both_signed=witnesses.ask_all)
            recovered = [*keys.settle(), *finish_what_was_begun(outside)]
            sweep(outside)
            yield Node(
                outside,
                record,
                sealer,
                premises,
                recovered,
                sealing,
                keys,
                witnesses,
                told,
                listeners,
            )
        finally:
            vault.close()
            record.close()


def _tell_all(listeners: Sequence[Heard], size: int) -> None:
    for listener in tuple(listeners):
        listener(size)


def _require_the_records_keystore(outside: Outside, last: Tombstone | None) -> None:
    """Stop if the keystore knows fewer destroyed keys than the record has receipts for."""
    receipts = (
        entry.event.tombstone_sequence
        for entry in outside.record.history()
        if isinstance(entry.event, ItemDestroyed)
    )
    newest, known = max(receipts, default=0), last.sequence if last else 0
    if known < newest:
        raise RecordBrokenError(
            f"the record has receipts up to tombstone {newest}, the keystore knows {known}: it was "
            "replaced or brought back from an older copy"
        )


def _require_the_records_items(outside: Outside) -> None:
    """Stop if the stores hold other items than the record knows.

    A receipt for what was not there when it was "destroyed" would be untrue; what no entry knows
    would never be destroyed.
    """
    survey = Survey().take(outside.record.history())
    keys, ciphertexts = outside.vault.keys(), outside.vault.ciphertexts()
    live = {one.item for one in survey.items.values() if not one.destroyed}
    kept = {
        one.item
        for one in survey.items.values()
        if one.sealed and not one.destruction_started and not one.destroyed
    }
    lost, unknown = kept - (keys & ciphertexts), (keys | ciphertexts) - live
    if lost or unknown:
        raise RecordBrokenError(
            f"keystore and media store should hold {len(kept)} items: {len(lost)} of them are not "
            f"there, and {len(unknown)} are there that the record does not know or calls "
            "destroyed: a part was lost, or brought back from an older copy"
        )


def token_file(path: Path) -> TokenFile:
    """The server's tokens, kept beside the record.

    Raises:
        DomainError: there is no record here; a mistyped directory must not get a token.
    """
    premises = premises_at(path)
    if not premises.exists():
        raise DomainError(f"expected a record at {premises.database.name}, found none")
    return TokenFile(premises.access)


@contextmanager
def open_site(
    path: Path, *, pace: Pace, proxies: frozenset[str], tell: Callable[[str], None]
) -> Iterator[Application]:
    """The application that a server runs, over these premises, while the registers follow.

    It reads the record and writes registers only, so it works beside whoever is alone in writing
    the record.

    Args:
        path: the data directory.
        pace: how often the application looks and tells.
        proxies: TLS proxies, if they alone may ask.
        tell: told in a sentence what a person should know of the registers.

    Raises:
        DomainError: there is no record here, or it is of another shape.
    """
    tokens = token_file(path)
    premises = premises_at(path)
    reader = RecordReader(premises.database)
    engine = premises.database.engine()
    alerts = Registers.over(engine).alert_register
    follower = _TellingFollower(premises.database, PROJECTIONS, tell=tell)
    application = create_app(
        Sources(
            register=alerts,
            published=ServedLog(premises.seal, reader),
            tokens=tokens,
            origin=reader.origin,
            log_size=reader.size,
            stands_still=alerts.stands_still,
        ),
        pace=pace,
        proxies=proxies,
    )
    follower.came = application.feed.nudge
    stop = Event()

    def follow() -> None:
        try:
            follower.follow(stop)
        except Exception as error:  # noqa: BLE001  whatever it is, somebody has to know
            tell(f"the registers follow no longer ({type(error).__name__}): start the server again")
        finally:
            # However it ended: nobody keeps the registers up from now on.
            application.feed.end_following()

    # A daemon: it may wait for the log for seconds, and a batch that is broken off is not stored.
    thread = Thread(target=follow, name="followers", daemon=True)
    thread.start()
    try:
        yield application
    finally:
        stop.set()
        thread.join(timeout=LAST_BATCH_S)
        if not thread.is_alive():
            follower.close()
        engine.dispose()


class _TellingFollower(Follower):
    """Says when it has taken something in."""

    came: Callable[[], None] = staticmethod(lambda: None)
    """Called after each time that it caught up."""

    def catch_up(self) -> int:
        """As above."""
        size = super().catch_up()
        self.came()
        return size


@dataclass
class SealedLog:
    """What was signed of one log, for whoever gives it away; nothing is written to the record."""

    record: EventRecord
    sealer: Sealer
    keys: LogKeys
    witnesses: Witnesses
    _clock: SystemClock

    def checked(self) -> tuple[Checkpoint, str]:
        """The newest checkpoint and its note, with the hashes of the tree at hand.

        Raises:
            SealError: nothing was signed yet.
            RecordBrokenError: the log is not what was signed.
        """
        last, note = self.sealer.last(), self.sealer.last_note()
        if last is None or note is None:
            raise SealError("nothing was signed yet: there is no checkpoint")
        self.sealer.examine(self.record, now=self._clock.now())
        return last, note

    def pack(
        self,
        target: Path,
        scope: str,
        *,
        checkpoint: str | None,
        tell: Callable[[Happened], str],
    ) -> Packed:
        """Write the evidence pack of one deployment.

        Args:
            target: a name that is not taken.
            scope: the deployment.
            checkpoint: an older checkpoint to make it against; None for the newest.
            tell: an event in words.

        Raises:
            PackError: it cannot be written, or the log says too little of the deployment yet.
            DomainError: the checkpoint is not one of this log.
            RecordBrokenError: the log is not what was signed.
        """
        _, newest = self.checked()
        note = newest if checkpoint is None else checkpoint
        return write_pack(
            target,
            scope,
            SignedLog(
                note=note,
                key=self._signer_of(note),
                stored=self.record.database.stored,
                hash_at=self.sealer.tree.hash_at,
                open_end=ScopeSecrets(self.sealer.directory).open_end,
                tell=tell,
            ),
        )

    def _signer_of(self, note: str) -> VerifierKey:
        """The key of this log that signed a checkpoint, which must be one of its history."""
        current = self.sealer.keys.current().verifier()
        for key in (current, *(VerifierKey.from_text(text) for text in self.keys.keys)):
            try:
                found = open_checkpoint(note, key, self.sealer.keys.origin)
            except (NoteError, CheckpointError):
                continue
            if (
                found.size > self.sealer.tree.size
                or self.sealer.tree.root(found.size) != found.root
            ):
                raise RecordBrokenError(
                    f"a checkpoint of {found.size} entries that this log signed is not of the "
                    "history that is stored"
                )
            return key
        raise DomainError("the checkpoint given was not signed by a key of this log")

    def followed(self, key_text: str) -> list[Step]:
        """The keys that a key leads to, the one that signs now last; none where it still signs.

        Raises:
            DomainError: it is no key, none of this log's, or does not lead to the one that signs.
        """
        try:
            key = VerifierKey.from_text(key_text.strip())
        except NoteError as error:
            raise DomainError(f"the key given is not a verifier key: {error}") from error
        steps = follow(
            key, retired=self.sealer.keys.directory / "retired", blobs=self.record.blobs()
        )
        current = self.sealer.keys.current().verifier()
        if (steps[-1].key if steps else key) != current:
            raise DomainError("the key given is none that leads to the key that signs this log")
        return steps

    def export(self, directory: Path, *, public: bool) -> Exported:
        """Write checkpoint, tiles, entries and key below a directory (C2SP tlog-tiles).

        Raises:
            ExportError: the directory holds something else; nothing in it was changed.
        """
        _, note = self.checked()
        current = self.sealer.keys.current().verifier()
        earlier = [VerifierKey.from_text(text) for text in self.keys.keys]
        exporter = Exporter(directory, tree=self.sealer.tree, record=self.record, public=public)
        return exporter.export(note, [*(key for key in earlier if key != current), current])


@contextmanager
def sealed_log(path: Path) -> Iterator[SealedLog]:
    """The signed part of a log, beside whoever writes to it.

    Raises:
        RecordUnreadableError: there is no record, or it cannot be read.
        SealKeyError: the log's key is gone, or another log's.
    """
    premises = premises_at(path)
    mode = mode_of(path)
    clock = SystemClock()
    record = premises.open_record(mode, clock, lambda size: None)
    try:
        sealer = premises.sealer(record.origin, new=False)
        try:
            keys = record.load(LogKeys, KEYS)
        except NotFoundError:
            keys = LogKeys()
        yield SealedLog(record, sealer, keys, Witnesses(sealer, clock), clock)
    finally:
        record.close()


def witness_office(directory: Path, *, name: str | None, logs: Sequence[str]) -> WitnessOffice:
    """Our own witness, which knows these logs from now on.

    Args:
        directory: its key and its state; made when first used.
        name: for a new one.
        logs: verifier keys in signed-note form.

    Raises:
        DomainError: the directory or a key cannot be used.
    """
    office = WitnessOffice(directory, clock=SystemClock(), name=name)
    try:
        office.trust([VerifierKey.from_text(text.strip()) for text in logs])
    except NoteError as error:
        raise DomainError(f"a log's key cannot be read: {error}") from error
    return office


def witness_server(
    office: WitnessOffice, host: str, port: int, *, tell: Callable[[str], None]
) -> WitnessServer:
    """The witness over HTTP.

    Raises:
        DomainError: it cannot listen there.
    """
    try:
        return WitnessServer(host, port, answer=office.add_checkpoint, tell=tell)
    except (OSError, OverflowError) as error:
        raise DomainError(f"cannot listen at {host}:{port}: {error}") from error


def migrate_premises(path: Path) -> str:
    """Bring the record of these premises to the newest shape; says which record and shape."""
    premises = premises_at(path)
    if not premises.exists():
        raise DomainError(f"expected a record at {premises.database.name}, found none")
    with premises.alone():
        return f"{premises.database.name}: schema {migrate(premises.database)}"


def mode_of(path: Path) -> Mode:
    """The mode of the record in these premises.

    Raises:
        RecordUnreadableError: there is none, or it cannot be read.
    """
    with premises_at(path).database.stored() as log:
        return Mode(log.mode)


def deployments_in(path: Path) -> list[str]:
    """The scope of every deployment that was applied for, whatever came of it, in order."""
    with premises_at(path).database.stored() as log:
        return list(dict.fromkeys(row.scope for row in log.rows if row.name in _APPLICATIONS))


def stored_entries(path: Path, scope: str) -> Iterator[bytes]:
    """The entries of one scope as they are stored, byte for byte, in the order of the log."""
    with premises_at(path).database.stored() as log:
        yield from (row.blob for row in log.rows if row.scope == scope)


def read_history(path: Path, scope: str | None) -> Iterator[Recorded]:
    """The entries of one scope or all, decoded, in the order of the log. Changes nothing."""
    with premises_at(path).database.stored() as log:
        for row in log.rows:
            if scope is None or row.scope == scope:
                yield recorded(entry_of(row.blob))


def verify_premises(
    path: Path,
    *,
    key_text: str,
    outside_checkpoint: str | None,
    witness_keys: Sequence[str] = (),
    progress: Callable[[int], None] = in_silence,
) -> Verdict:
    """Recompute everything that these premises hold of the record, in whatever database it is.

    Raises:
        DomainError: a key given cannot be read as one.
    """
    trusted = trusted_by(key_text, outside_checkpoint, witness_keys)
    premises = premises_at(path)
    try:
        own = own_checkpoint(premises.seal)
        with premises.database.stored() as log:
            verdict = verify(
                log.rows,
                head=log.head,
                scope_heads=log.scope_heads,
                key=trusted.key,
                own_checkpoint=own,
                outside_checkpoint=trusted.checkpoint,
                witnesses=trusted.witnesses,
                progress=progress,
                workers=workers(),
            )
        with premises.database.stored() as log:
            return with_custody(verdict, entries_of(log.rows, verdict.size))
    except RecordUnreadableError as error:
        return not_looked_at(Kind.UNREADABLE, str(error))
    except FaultFoundError as fault:
        return not_looked_at(fault.kind, str(fault))


def trusted_by(key: str, checkpoint: str | None, witness_keys: Sequence[str]) -> Trusted:
    """What whoever verifies holds a log to, from the texts of files.

    Raises:
        DomainError: a key given cannot be read as one.
    """
    try:
        return Trusted.read(key, checkpoint=checkpoint, witnesses=witness_keys)
    except KeyUnusableError as error:
        raise DomainError(str(error)) from error


def read_models_at(path: Path) -> list[ReadModel]:
    """How far each read model of these premises has come."""
    return read_models(_current_database(path))


def rebuild_read_models(
    path: Path, names: Collection[str] | None, *, progress: Callable[[int, int], None]
) -> list[str]:
    """Make read models again from the first entry, those with these names or all; says which.

    Raises:
        UnknownProjectionError: there is no read model of such a name.
        ProjectionStoppedError: an entry could not be taken in; the old rows still answer.
    """
    projections = PROJECTIONS if names is None else named(names)
    with closing(Follower(_current_database(path), projections)) as follower:
        follower.rebuild(progress)
    return [one.NAME for one in projections]


def follow_record(path: Path, stop: Event, *, tell: Callable[[str], None]) -> None:
    """Keep every read model of these premises up with the record until told to stop."""
    with closing(Follower(_current_database(path), PROJECTIONS, tell=tell)) as follower:
        follower.follow(stop)


def _current_database(path: Path) -> Database:
    database = premises_at(path).database
    require_current(database)
    return database
