"""A record of two deployments beside each other, and packs of the one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from domain.alerts.events import AlertViewed
from domain.assurance.bags import ABOUT, DECLARATION_NAME, MANIFEST, TAG_MANIFEST, manifest
from domain.assurance.notes import VerifierKey
from domain.assurance.packs import verify_pack
from domain.assurance.verification import Kind, Verdict
from domain.kernel.events import NEXT_VERSION
from domain.sightings.events import FaceEnrolledAndDiscarded
from infrastructure.packs.writer import Packed, SignedLog, write_pack
from tests.contract.record.examples import (
    ANOTHER_DEPLOYMENT,
    DEPLOYMENT,
    asked,
    face,
    stream,
    viewed,
)
from tests.contract.seal.sealed import Sealed
from tests.support.stores import HALF_PAST_NINE

OURS, OTHER = DEPLOYMENT.hex, ANOTHER_DEPLOYMENT.hex
OTHER_ACTOR = "stand-in:operator-7702"
OTHER_COMMAND = UUID("9e" * 16)
OTHER_RUN = UUID("8c" * 16)
OTHER_DAY = HALF_PAST_NINE + timedelta(days=40, hours=3, minutes=21)


def lived_through(sealed: Sealed, *, rounds: int = 3) -> None:
    """Both deployments go on by turns, and the log is sealed."""
    for number in range(rounds):
        sealed.clock.at = HALF_PAST_NINE + timedelta(minutes=number)
        ours(sealed, number)
        sealed.clock.at = OTHER_DAY + timedelta(minutes=number)
        others(sealed, number)
    # the log's own entries stand at a time that is neither's
    sealed.clock.at = OTHER_DAY + timedelta(days=1)
    sealed.sealing.seal()


def ours(sealed: Sealed, number: int) -> None:
    """Two entries of the deployment that a pack is about."""
    by = asked(at=sealed.clock.at)
    sealed.record.append(
        replace(viewed(number), timestamp=sealed.clock.at),
        replace(face(number), timestamp=sealed.clock.at),
        by=by,
    )


def others(sealed: Sealed, number: int) -> None:
    """Two entries of the deployment that the pack must not tell of."""
    by = asked(scope=OTHER, actor=OTHER_ACTOR, command_id=OTHER_COMMAND, at=sealed.clock.at)
    sealed.record.append(
        AlertViewed(
            originator_id=stream(700 + number),
            originator_version=1,
            timestamp=sealed.clock.at,
            officer=OTHER_ACTOR,
        ),
        FaceEnrolledAndDiscarded(
            originator_id=stream(800),
            originator_version=NEXT_VERSION,
            timestamp=sealed.clock.at,
            run=OTHER_RUN,
            camera="camera-of-the-other",
            ordinal=number,
            template_life_ms=38,
        ),
        by=by,
    )


def pack(sealed: Sealed, target: Path, *, scope: str = OURS, note: str | None = None) -> Packed:
    """The pack of a deployment, against the newest checkpoint or another."""
    return write_pack(target, scope, signed(sealed, note=note))


def signed(sealed: Sealed, *, note: str | None = None) -> SignedLog:
    """What a pack is made from."""
    return SignedLog(
        note=sealed.note() if note is None else note,
        key=sealed.verifier_key(),
        stored=sealed.store.database.stored,
        hash_at=sealed.sealer.tree.hash_at,
        open_end=sealed.scope_secrets.open_end,
        tell=lambda event: f"this is {event.NAME} <script>alert('told')</script>",
    )


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        one.relative_to(directory).as_posix(): one.read_bytes()
        for one in sorted(directory.rglob("*"))
        if one.is_file()
    }


def written(directory: Path, files: Mapping[str, bytes]) -> Path:
    """These files below a directory, and no others."""
    for one in list(directory.rglob("*")) if directory.exists() else []:
        if one.is_file() and one.relative_to(directory).as_posix() not in files:
            one.unlink()
    for name, raw in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != raw:
            file.write_bytes(raw)
    return directory


def digests_made_anew(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same files under manifests that fit them: whoever changes a pack can do that much."""
    made = {name: raw for name, raw in files.items() if name not in (MANIFEST, TAG_MANIFEST)}
    made[MANIFEST] = _listed(made, [name for name in made if name.startswith("data/")])
    made[TAG_MANIFEST] = _listed(made, [ABOUT, DECLARATION_NAME, MANIFEST])
    return made


def found(directory: Path, key: VerifierKey, *, outside: str | None = None) -> Kind:
    """What the verifier says of a pack, in one word."""
    return verdict(directory, key, outside=outside).kind


def verdict(directory: Path, key: VerifierKey, *, outside: str | None = None) -> Verdict:
    """What the verifier says of a pack."""
    return verify_pack(directory, key=key, outside_checkpoint=outside)


def _listed(files: Mapping[str, bytes], names: list[str]) -> bytes:
    return manifest({name: hashlib.sha256(files[name]).hexdigest() for name in names})
