"""Builds everything from the settings; the only importer of infrastructure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Event, Thread

from api.app import Application, Sources, create_app
from api.stream import Pace
from domain.assurance.checkpoints import Checkpoint
from domain.assurance.notes import NoteError, VerifierKey
from domain.assurance.tree import EMPTY_ROOT
from domain.assurance.verification import Kind, Verdict, verify
from domain.custody.events import ItemDestroyed
from domain.custody.sealing import Tombstone
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.ports import Identities, Outside, Recorded
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import sweep
from infrastructure.access.tokens import TokenFile
from infrastructure.clock import SystemClock
from infrastructure.premises import Premises
from infrastructure.projections.follower import Follower
from infrastructure.projections.registers import PROJECTIONS, Registers
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import EventRecord, recorded
from infrastructure.record.reading import RecordReader
from infrastructure.record.schema import migrate
from infrastructure.record.stored_rows import RecordUnreadableError
from infrastructure.seal.published import SealedLog
from infrastructure.seal.sealer import Sealer
from infrastructure.settings import Settings

LAST_BATCH_S = 0.5
"""How long a batch of the registers may take to end when the server stops."""


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

    def seal(self) -> Checkpoint:
        """Sign the log as it stands."""
        return self.sealer.seal(self.record.leaves(), size=self.record.size())

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
    return Premises(path, url=settings().database)


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
        record = premises.open_record(mode, clock, on_commit)
        vault = premises.open_vault()
        try:
            sealer = premises.sealer(record.origin, new=record.size() == 0)
            outside = Outside(record, vault, clock, identities or NobodyAuthenticated())
            _require_the_records_keystore(outside, vault.last_tombstone())
            recovered = finish_what_was_begun(outside)
            sweep(outside)
            yield Node(outside, record, sealer, premises, recovered)
        finally:
            vault.close()
            record.close()


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
            published=SealedLog(premises.seal, reader),
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


def migrate_premises(path: Path) -> str:
    """Bring the record of these premises to the newest shape; says which."""
    premises = premises_at(path)
    if not premises.exists():
        raise DomainError(f"expected a record at {premises.database.name}, found none")
    with premises.alone():
        return migrate(premises.database)


def mode_of(path: Path) -> Mode:
    """The mode of the record in these premises.

    Raises:
        RecordUnreadableError: there is none, or it cannot be read.
    """
    with premises_at(path).database.stored() as log:
        return Mode(log.mode)


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


def verify_premises(path: Path, *, key_text: str, outside_checkpoint: str | None) -> Verdict:
    """Recompute everything that these premises hold of the record.

    Raises:
        DomainError: the key given cannot be read as one.
    """
    try:
        key = VerifierKey.from_text(key_text.strip())
    except NoteError as error:
        raise DomainError(f"the key given is not a verifier key: {error}") from error
    premises = premises_at(path)
    own = premises.seal / "checkpoint"
    try:
        with premises.database.stored() as log:
            return verify(
                log.rows,
                head=log.head,
                scope_heads=log.scope_heads,
                key=key,
                own_checkpoint=exact_text(own) if own.exists() else None,
                outside_checkpoint=outside_checkpoint,
            )
    except (RecordUnreadableError, UnicodeDecodeError) as error:
        return Verdict(
            kind=Kind.UNREADABLE,
            sentence=str(error),
            position=None,
            origin=None,
            size=0,
            root=EMPTY_ROOT,
            anchored_size=0,
            unanchored_tail=0,
        )
