"""Writes an evidence pack: what the verifier of packs reads, and files for people beside it.

The same record and the same checkpoint give the same bytes: every order is fixed, and no time is
read from a clock. A pack is written under another name, checked as whoever gets it will check it,
and only then takes its name.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from jinja2 import Environment, StrictUndefined, Template

from domain.assurance import bags, certificates, entries, packs
from domain.assurance.checkpoints import Checkpoint
from domain.assurance.cloud_events import cloud_event
from domain.assurance.custody import Custody
from domain.assurance.databases import StoredLog
from domain.assurance.entries import Entry, EntryUnreadableError
from domain.assurance.examined import followed
from domain.assurance.notes import VerifierKey, open_note
from domain.assurance.packs import PackProof, verify_pack
from domain.assurance.proofs import HashAt, multiproof
from domain.assurance.scope_heads import Opening, ScopeEnd
from domain.assurance.verification import LIMITS, Kind, StoredRow, Verdict
from domain.catalogue import EVENTS
from domain.custody.adoption import Schedules
from domain.custody.events import DocumentRegistered, RecheckerEnrolled, ScheduleAdopted
from domain.custody.schedule import RetentionSchedule
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.events import Happened
from domain.log.events import KeyGenerated, KeyRetired, KeyRotated, ScopeHeadsCommitted
from infrastructure.files import sync_directory
from infrastructure.packs.schemas import body_schema
from infrastructure.packs.zipapp import verifier
from infrastructure.record.entry_mapper import entry_of, event_of

RESTED_ON = frozenset(
    one.NAME
    for one in (
        KeyGenerated,
        KeyRotated,
        KeyRetired,
        RecheckerEnrolled,
        ScheduleAdopted,
        DocumentRegistered,
    )
)
"""Entries of the force that every deployment rests on. What concerns a single deployment, or could
tell of another one, is never among them."""

HALF_WRITTEN = ".half-written"


class PackError(DomainError):
    """No pack can be made; nothing was left behind."""


class NotCertifiedError(PackError):
    """A deployment cannot be certified; nothing was left behind.

    Args:
        reasons: what is left or wrong, in sentences.
    """

    def __init__(self, scope: str, reasons: Sequence[str]) -> None:
        super().__init__(f"deployment {scope[:8]} is not certified: {'; '.join(reasons)}")
        self.reasons = reasons


@dataclass(frozen=True, kw_only=True)
class Certifying:
    """What a pack needs to certify that nothing of its deployment is left."""

    as_of: datetime
    """Now: what is overdue by then is left."""
    page: Callable[[dict[str, Any]], str]
    """The certificate as a page for people."""


class Ends(Protocol):
    """Opens a commitment to the ends of all scopes."""

    def __call__(self, ends: Mapping[str, ScopeEnd], /, *, size: int, scope: str) -> Opening: ...


@dataclass(frozen=True, kw_only=True)
class SignedLog:
    """Where a pack comes from."""

    note: str
    """The checkpoint that the pack is made against, as it was signed."""
    key: VerifierKey
    """The log's key that signed it."""
    stored: Callable[[], AbstractContextManager[StoredLog]]
    """Opens the record's rows."""
    hash_at: HashAt
    """The hashes of the tree, at least as far as the checkpoint goes."""
    open_end: Ends
    tell: Callable[[Happened], str]
    """An event in words."""


@dataclass(frozen=True)
class Packed:
    """What a pack came to."""

    scope: str
    entries: int
    behind_the_commitment: int
    """So many of them stand behind the commitment: nothing shows that none follows them."""
    checkpoint: Checkpoint


def write_pack(
    target: Path, scope: str, log: SignedLog, *, certifying: Certifying | None = None
) -> Packed:
    """Write the pack of one deployment.

    Args:
        target: a name that is not taken.
        scope: the deployment.
        log: where it comes from.
        certifying: to put a deletion certificate into it; None for none.

    Raises:
        NotCertifiedError: something of the deployment is left, or does not add up.
        PackError: the target exists or cannot be written, or the log says too little of the
            deployment yet.
        RecordBrokenError: what is stored is not what was signed.
    """
    if os.path.lexists(target):
        raise PackError(f"expected a new name for the pack, found something at {target}")
    checkpoint = Checkpoint.parse(open_note(log.note, log.key))
    commitment = _last_commitment(log, checkpoint.size)
    try:
        folder = Path(
            tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=HALF_WRITTEN)
        )
        try:
            packed = _Packing(folder, scope, log, checkpoint, commitment, certifying).write()
            _sync(folder)
            folder.rename(target)
            sync_directory(target.parent)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise PackError(f"cannot write the pack {target}: {error.strerror}") from error
    return packed


@dataclass
class _Seen:
    """What one reading of the log brought together."""

    order: list[int] = field(default_factory=list)
    """The deployment's positions."""
    rested_on: list[int] = field(default_factory=list)
    """The positions of the entries of the force."""
    unsealed: int = 0
    """Entries of the deployment behind the checkpoint, where it is to be certified."""
    ends: dict[str, ScopeEnd] = field(default_factory=dict)
    """Of every scope, before the commitment."""
    names: set[str] = field(default_factory=set)
    schedules: Schedules = field(default_factory=Schedules)
    """The retention schedules and documents that the log tells of."""
    mode: str = ""
    newest: str = ""


class _Packing:
    """One pack that is being written below a folder."""

    def __init__(
        self,
        folder: Path,
        scope: str,
        log: SignedLog,
        checkpoint: Checkpoint,
        commitment: Entry,
        certifying: Certifying | None,
    ) -> None:
        self._folder = folder
        self._scope = scope
        self._log = log
        self._checkpoint = checkpoint
        self._commitment = commitment
        self._certifying = certifying
        self._seen = _Seen()

    def write(self) -> Packed:
        """Every file, and the check of the whole."""
        (self._folder / "data" / "schemas").mkdir(parents=True)
        self._write_entries()
        if not self._seen.order:
            raise PackError(
                f"the checkpoint covers {self._checkpoint.size} entries, and none of deployment "
                f"{self._scope}: seal the log first (plumbline sweep)"
            )
        opening = self._write_proofs()
        if self._certifying is not None:
            self._write_certificate(self._certifying, opening)
        self._write_what_is_for_people()
        self._write_manifests()
        self._check()
        return Packed(
            scope=self._scope,
            entries=len(self._seen.order),
            behind_the_commitment=len(self._seen.order) - opening.end.size,
            checkpoint=self._checkpoint,
        )

    def _write_entries(self) -> None:
        with (
            self._log.stored() as stored,
            self._open(packs.ENTRIES) as own,
            self._open(packs.EVENTS) as events,
            self._open(packs.FORCE) as force,
        ):
            for row in stored.rows:
                if row.position >= self._checkpoint.size:
                    if self._certifying is None:
                        break
                    self._seen.unsealed += row.scope == self._scope
                    continue
                if row.position < self._commitment.body["size"]:
                    self._seen.ends[row.scope] = ScopeEnd(row.scope_pos + 1, row.leaf)
                if row.scope == self._scope:
                    entry = self._take(row, own)
                    self._seen.order.append(entry.pos)
                    self._seen.mode = entry.mode
                    events.write(cloud_event(entry) + b"\n")
                elif row.position == self._commitment.pos or row.name in RESTED_ON:
                    entry = self._take(row, force)
                    self._seen.rested_on.append(entry.pos)
                    if entry.name in (ScheduleAdopted.NAME, DocumentRegistered.NAME):
                        self._seen.schedules.follow(event_of(entry_of(entry.raw)))

    def _take(self, row: StoredRow, file: BinaryIO) -> Entry:
        entry = _read(row)
        file.write(row.blob + b"\n")
        self._seen.names.add(entry.name)
        self._seen.newest = max(self._seen.newest, entry.recorded_at)
        return entry

    def _write_proofs(self) -> Opening:
        self._put(packs.CHECKPOINT, self._log.note.encode())
        hashes = multiproof(
            sorted(self._seen.order + self._seen.rested_on),
            size=self._checkpoint.size,
            hash_at=self._log.hash_at,
        )
        self._put(packs.MULTIPROOF, b"".join(hashes))
        try:
            opening = self._log.open_end(
                self._seen.ends, size=self._commitment.body["size"], scope=self._scope
            )
        except KeyError as error:
            raise PackError(
                f"no signed commitment of the log tells of deployment {self._scope} yet: seal the "
                "log first (plumbline sweep)"
            ) from error
        proof = PackProof(scope=self._scope, commitment=self._commitment.pos, opening=opening)
        self._put(packs.PROOF, proof.to_bytes())
        return opening

    def _write_certificate(self, certifying: Certifying, opening: Opening) -> None:
        named = packs.in_order(self._folder, own=self._seen.order, force=self._seen.rested_on)
        custody = followed(named, Custody(self._scope, positions=True)).verdict(
            as_of=certifying.as_of
        )
        reasons = list(certificates.why_not(custody))
        if self._seen.unsealed or len(self._seen.order) > opening.end.size:
            reasons.append("its last entries are not sealed yet: seal the log (plumbline sweep)")
        if reasons:
            raise NotCertifiedError(self._scope, reasons)
        told = certificates.certificate(
            custody, scope=self._scope, mode=self._seen.mode, checkpoint=self._checkpoint
        )
        self._put(certificates.CERTIFICATE, certificates.to_bytes(told))
        self._put(certificates.PAGE, certifying.page(told).encode())

    def _write_what_is_for_people(self) -> None:
        for name in sorted(self._seen.names & EVENTS.keys()):
            event_class = EVENTS[name]
            self._put(
                f"data/schemas/{name}.{event_class.SHAPE}.json", _json(body_schema(event_class))
            )
        self._put("data/retention.json", _json(_retention(self._seen.schedules.in_force)))
        self._put("data/documents.json", _json(_documents(self._seen.schedules)))
        self._put("data/log.vkey", f"{self._log.key.text()}\n".encode())
        self._put("data/verify.pyz", verifier())
        self._put("data/README.txt", _READ_ME.encode())
        with self._open("data/history.html") as page:
            for piece in _history_page().generate(
                mark=self._mark,
                scope=self._scope,
                log=self._checkpoint.origin,
                size=self._checkpoint.size,
                root=self._checkpoint.root.hex(),
                limits=LIMITS,
                entries=self._told(),
            ):
                page.write(piece.encode())

    def _told(self) -> Iterator[dict[str, object]]:
        """The deployment's entries in words."""
        with (self._folder / packs.ENTRIES).open("rb") as own:
            for line in own:
                entry = entry_of(line)
                event = event_of(entry)
                yield {
                    "position": entry["pos"],
                    "when": entry["occurred_at"],
                    "suspect": entry["clock"] == "suspect",
                    "role": entry["role"],
                    "name": event.NAME,
                    "sentence": self._log.tell(event),
                }

    @property
    def _mark(self) -> str:
        return "REHEARSAL " if self._seen.mode == "rehearsal" else ""

    def _write_manifests(self) -> None:
        payload = sorted(
            one.relative_to(self._folder).as_posix()
            for one in (self._folder / "data").rglob("*")
            if one.is_file()
        )
        octets = sum((self._folder / name).stat().st_size for name in payload)
        about = {
            "Bag-Software-Agent": "plumbline",
            "Bagging-Date": self._seen.newest[:10],
            "External-Description": f"{self._mark}Evidence pack of one deployment",
            "External-Identifier": self._scope,
            "Payload-Oxum": f"{octets}.{len(payload)}",
            "Plumbline-Checkpoint-Size": str(self._checkpoint.size),
            "Plumbline-Log": self._checkpoint.origin,
        }
        told = "".join(f"{name}: {value}\n" for name, value in about.items())
        self._put(bags.ABOUT, told.encode())
        self._put(bags.DECLARATION_NAME, bags.DECLARATION)
        self._put(bags.MANIFEST, self._manifest(payload))
        self._put(
            bags.TAG_MANIFEST, self._manifest([bags.ABOUT, bags.DECLARATION_NAME, bags.MANIFEST])
        )

    def _manifest(self, names: list[str]) -> bytes:
        return bags.manifest({name: bags.digest_of(self._folder / name, name) for name in names})

    def _check(self) -> None:
        """As whoever gets the pack will check it."""
        verdict: Verdict = verify_pack(self._folder, key=self._log.key)
        # A pack of a deployment that kept something too long is made too: it shows just that.
        if verdict.kind not in (Kind.SOUND, Kind.OVERDUE, Kind.INCOMPLETE):
            raise RecordBrokenError(f"the pack would not verify: {verdict.sentence}")

    def _put(self, name: str, content: bytes) -> None:
        with self._open(name) as file:
            file.write(content)

    def _open(self, name: str) -> BinaryIO:
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return open(descriptor, "wb")


def _last_commitment(log: SignedLog, size: int) -> Entry:
    """The newest commitment to the ends of all scopes that the checkpoint covers."""
    found = None
    with log.stored() as stored:
        for row in stored.rows:
            if row.position < size and row.name == ScopeHeadsCommitted.NAME:
                found = row
    if found is None:
        raise PackError(
            f"the checkpoint covers {size} entries, and no commitment to where each deployment "
            "ends: seal the log first (plumbline sweep)"
        )
    return _read(found)


def _read(row: StoredRow) -> Entry:
    try:
        return entries.read(row.blob)
    except EntryUnreadableError as error:
        raise RecordBrokenError(f"position {row.position}: {error}") from error


def _sync(folder: Path) -> None:
    """Make every file and every name below a folder durable."""
    for one in folder.rglob("*"):
        if one.is_dir():
            sync_directory(one)
            continue
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_directory(folder)


def _history_page() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.from_string(
        (files("infrastructure.packs") / "history.html.j2").read_text(encoding="utf-8")
    )


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _retention(schedule: RetentionSchedule) -> dict[str, object]:
    return {
        "version": schedule.version,
        "owner": schedule.owner,
        "classes": [
            {
                "item_class": item_class.value,
                "rule": rule.rule,
                "clock_starts": rule.starts.value,
                "limit_hours": rule.limit / timedelta(hours=1),
                "hold_may_extend": rule.hold_may_extend,
                "source": rule.source,
            }
            for item_class, rule in sorted(schedule.rules.items())
        ],
        "reading": "The schedule in force at the end of this pack; its adoption stands in "
        "force.jsonl. Limits are ceilings. The end of the deployment ends all but footage. The "
        "rule and the time that held for an item stand in its item.registered.",
    }


def _documents(schedules: Schedules) -> dict[str, object]:
    return {
        "documents": [
            {
                "document": one.document,
                "version": one.version,
                "published_on": one.published_on,
                "digest": one.digest,
            }
            for one in schedules.documents.values()
        ],
        "reading": "Documents that were registered with what they say of retention. What a "
        "decision named stands in the entry of the decision itself, such as the threshold and its "
        "justification in deployment.authorised.",
    }


_READ_ME = """\
EVIDENCE PACK OF ONE DEPLOYMENT

Check it:

    python3 verify.pyz PACK --key LOG.VKEY

It needs Python 3.11 or newer and the package "cryptography". PACK is the directory above this one.
Get the log's key (LOG.VKEY), and verify.pyz too if you can, from somewhere other than this pack:
whoever could change the pack could change them with it. A checkpoint that you or a witness kept
(--checkpoint, --witness-key) shows more than the key alone.

Covered by the log's signature
  entries.jsonl    the deployment's entries, byte for byte as they were hashed, one on each line
  events.jsonl     the same as CloudEvents 1.0; "data" is the entry
  force.jsonl      entries of the force that they rest on
  checkpoint       the signed checkpoint (C2SP tlog-checkpoint), with the witnesses' cosignatures
  multiproof.bin   hashes of 32 bytes: all these entries are under the checkpoint's root
  proof.json       that nothing of the deployment was cut off at its end

Recomputed from the entries by whoever verifies, where it is there
  certificate.json that nothing of the deployment is left, but what may still be

Covered by the digests of the bag only
  certificate.html the certificate to read, where there is one
  history.html     the history to read
  schemas/         the fields of each event (JSON Schema)
  retention.json   how long each class of personal data may be kept
  documents.json   which documents were in force, as far as the record says
  log.vkey         the log's key, for convenience
  verify.pyz       the verifier

No name, face, template or free text is in this pack.
"""
