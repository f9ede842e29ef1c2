"""A pack that anyone had a hand in does not verify.

Three people. The clumsy one changes bytes. The careful one also writes the digests of the bag
anew, and every proof that can be worked out without a key. The thief has the log's key, and can
only be held to what was kept elsewhere or seen by a witness.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.cloud_events import cloud_event
from domain.assurance.cosignatures import WitnessSignerKey, add_cosignature, cosign
from domain.assurance.entries import EntryUnreadableError, canonical, read
from domain.assurance.packs import (
    CHECKPOINT,
    ENTRIES,
    EVENTS,
    FORCE,
    MULTIPROOF,
    PROOF,
    PROVEN,
    PackProof,
    verify_pack,
)
from domain.assurance.proofs import LevelHashes, multiproof
from domain.assurance.tree import leaf_hash
from domain.assurance.verification import Kind
from tests.contract.packs.packed import (
    OURS,
    contents,
    digests_made_anew,
    found,
    lived_through,
    ours,
    pack,
    verdict,
    written,
)
from tests.contract.seal.sealed import Sealed
from tests.support.stores import SQLiteStore

Files = dict[str, bytes]


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    """Two deployments of two entries each: a pack is the same from any store."""
    made = Sealed(SQLiteStore.fresh(tmp_path), tmp_path / "seal")
    lived_through(made, rounds=1)
    return made


@pytest.fixture
def files(sealed: Sealed, tmp_path: Path) -> Files:
    """A small pack."""
    pack(sealed, tmp_path / "original")
    return contents(tmp_path / "original")


def flips(raw: bytes, *, every: int = 1) -> Iterator[bytes]:
    """The bytes with one bit of one byte changed, for each in turn; which bit depends on where."""
    for at in range(0, len(raw), every):
        yield raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]


def test_a_byte_of_any_file_is_seen(sealed: Sealed, files: Files, tmp_path: Path) -> None:
    """Every byte of the lists and of what is signed; of the large files for people every 499th."""
    directory, key = written(tmp_path / "copy", files), sealed.verifier_key()
    assert found(directory, key) is Kind.SOUND
    for name, raw in files.items():
        large = name.startswith("data/") and name not in PROVEN
        for changed in flips(raw, every=499 if large else 1):
            (directory / name).write_bytes(changed)
            assert found(directory, key) is not Kind.SOUND, name
        (directory / name).write_bytes(raw)
    assert found(directory, key) is Kind.SOUND


def test_a_byte_of_what_is_signed_is_seen_though_the_digests_fit(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """The digests are no proof; the signature is."""
    directory, key = written(tmp_path / "copy", files), sealed.verifier_key()
    for name in PROVEN:
        for changed in flips(files[name], every=7 if len(files[name]) > 400 else 1):
            written(directory, digests_made_anew(files | {name: changed}))
            assert found(directory, key) is not Kind.SOUND, name
    written(directory, digests_made_anew(files))
    assert found(directory, key) is Kind.SOUND


def test_what_only_the_digests_cover_is_named_as_that(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """Whoever writes them anew is not seen, and no word of the verdict says otherwise."""
    page = files["data/history.html"].replace(b"Deployment", b"Undertaking")
    directory = written(tmp_path / "copy", digests_made_anew(files | {"data/history.html": page}))
    told = verdict(directory, sealed.verifier_key())
    assert told.kind is Kind.SOUND
    assert any("which anyone can write anew" in one for one in told.remarks)


@pytest.mark.parametrize("name", PROVEN)
def test_a_file_that_is_gone_empty_or_cut_is_seen(
    sealed: Sealed, files: Files, tmp_path: Path, name: str
) -> None:
    """With lists that never heard of it, or that have its new digest."""
    key = sealed.verifier_key()
    gone = {one: raw for one, raw in files.items() if one != name}
    assert found(written(tmp_path / "copy", gone), key) is Kind.MISSING
    assert found(written(tmp_path / "copy", digests_made_anew(gone)), key) is Kind.MISSING
    for cut in (b"", files[name][:-1], files[name][:40], files[name] + b"\n"):
        made = digests_made_anew(files | {name: cut})
        assert found(written(tmp_path / "copy", made), key) is not Kind.SOUND


# -- the careful one -----------------------------------------------------------------------------


def careful(sealed: Sealed, files: Files, own: list[bytes], **changed: bytes) -> Files:
    """The pack with these entries, and everything that can be worked out without the key."""
    entries = [read(blob) for blob in own]
    tree = LevelHashes()
    leaves = {one.pos: leaf_hash(one.raw) for one in entries}
    for position, leaf in enumerate(sealed.leaves()):
        tree.append(leaves.get(position, leaf))
    force = [read(blob) for blob in files[FORCE].splitlines()]
    size = tree.size
    positions = sorted({one.pos for one in (*entries, *force)})
    made = files | {
        ENTRIES: b"".join(blob + b"\n" for blob in own),
        EVENTS: b"".join(cloud_event(one) + b"\n" for one in entries),
        MULTIPROOF: b"".join(multiproof(positions, size=size, hash_at=tree.hash_at)),
    }
    return digests_made_anew(made | changed)


def rechained(entries: list[bytes], **fields: object) -> list[bytes]:
    """The entries with the chain that belongs to them; ``fields`` of the first are changed."""
    chained: list[bytes] = []
    for place, blob in enumerate(entries):
        entry = json.loads(blob) | (fields if place == 0 else {})
        entry["scope_pos"] = place
        entry["scope_prev"] = leaf_hash(chained[-1]).hex() if chained else None
        chained.append(canonical(entry))
    return chained


def event_of(blob: bytes) -> bytes:
    """The line beside an entry; of one that cannot be read, just anything."""
    try:
        return cloud_event(read(blob))
    except EntryUnreadableError:
        return blob


def own_entries(files: Files) -> list[bytes]:
    """The deployment's entries."""
    return files[ENTRIES].splitlines()


def test_with_nothing_changed_the_careful_one_makes_the_same_pack(
    sealed: Sealed, files: Files
) -> None:
    """So that what is refused below is refused for what was changed."""
    assert careful(sealed, files, own_entries(files)) == files


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda own: own[:-1], Kind.TRUNCATED),
        (lambda own: own[1:], Kind.MISSING),
        (lambda own: rechained(own[1:]), Kind.FORKED),
        (lambda own: [own[0], own[0]], Kind.REORDERED),
        (lambda own: own[::-1], Kind.REORDERED),
        (lambda own: [], Kind.MISSING),
        (lambda own: rechained(own, role="auditor"), Kind.FORKED),
        (lambda own: rechained(own, occurred_at="2026-11-23T09:31:00.000Z"), Kind.FORKED),
        (lambda own: rechained(own, scope="d2" * 16), Kind.ALTERED),
        (lambda own: rechained(own, log="example.org/another"), Kind.ALTERED),
        (lambda own: rechained(own, pos=900_000), Kind.UNANCHORED),
        (lambda own: rechained(own, version=2), Kind.MISSING),
        (lambda own: [own[0], own[1].replace(b'"v":1', b'"v":2')], Kind.UNREADABLE),
    ],
)
def test_entries_that_were_changed_left_out_or_moved_are_seen(
    sealed: Sealed,
    files: Files,
    tmp_path: Path,
    change: Callable[[list[bytes]], list[bytes]],
    kind: Kind,
) -> None:
    """Every digest, link and proof worked out again, without the key."""
    own = change(own_entries(files))
    try:
        made = careful(sealed, files, own)
    except (ValueError, EntryUnreadableError):
        # what no proof can be made of is put in with the proof that was there
        made = digests_made_anew(
            files
            | {
                ENTRIES: b"".join(blob + b"\n" for blob in own),
                EVENTS: b"".join(event_of(blob) + b"\n" for blob in own),
            }
        )
    directory = written(tmp_path / "copy", made)
    assert found(directory, sealed.verifier_key()) is kind


def test_an_entry_in_the_place_of_one_of_the_force_is_seen(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """It would be proven by the other's hash; anyone who holds the pack could have added it."""
    own = own_entries(files)
    for other in files[FORCE].splitlines():
        invented = json.loads(own[-1]) | {
            "pos": read(other).pos,
            "scope_pos": len(own),
            "scope_prev": leaf_hash(own[-1]).hex(),
            "stream": "7" * 32,
            "version": 1,
        }
        more = [*own, canonical(invented)]
        made = digests_made_anew(
            files
            | {
                ENTRIES: b"".join(blob + b"\n" for blob in more),
                EVENTS: b"".join(cloud_event(read(blob)) + b"\n" for blob in more),
            }
        )
        name = tmp_path / str(read(other).pos)
        assert found(written(name, made), sealed.verifier_key()) in (Kind.ALTERED, Kind.REORDERED)


def test_an_event_that_says_something_else_than_its_entry_is_seen(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """Who reads only one of the two files is told the same."""
    for change in (
        files[EVENTS].replace(b"operator", b"auditor", 1),
        files[EVENTS].replace(b'"specversion":"1.0"', b'"specversion":"1.0","x":1', 1),
        files[EVENTS] + files[EVENTS].splitlines(keepends=True)[0],
        files[EVENTS].splitlines(keepends=True)[0],
    ):
        made = digests_made_anew(files | {EVENTS: change})
        assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is Kind.ALTERED


def test_an_opening_of_something_else_is_seen(sealed: Sealed, files: Files, tmp_path: Path) -> None:
    """Of fewer entries, of another entry, of another place, without the commitment."""
    proof = PackProof.from_bytes(files[PROOF])
    own = own_entries(files)
    opening, end = proof.opening, proof.opening.end
    shorter = replace(end, size=1, leaf=leaf_hash(own[0]))
    for changed in (
        replace(proof, opening=replace(opening, end=shorter)),
        replace(proof, opening=replace(opening, end=replace(end, size=3))),
        replace(proof, opening=replace(opening, token=bytes(32))),
        replace(proof, opening=replace(opening, index=opening.index ^ 1)),
        replace(proof, opening=replace(opening, count=opening.count + 1)),
        replace(proof, opening=replace(opening, proof=opening.proof[:-1])),
        replace(proof, commitment=proof.commitment - 1),
        replace(proof, commitment=0),
        replace(proof, scope="d2" * 16),
    ):
        made = digests_made_anew(files | {PROOF: changed.to_bytes()})
        assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is not Kind.SOUND


def test_an_older_commitment_does_not_hide_what_came_after(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """The end that was true then, under the checkpoint of now: the verdict says how far it goes."""
    older = PackProof.from_bytes(files[PROOF])
    ours(sealed, 7)
    sealed.sealing.seal()
    pack(sealed, tmp_path / "newer")
    newer = contents(tmp_path / "newer")
    force = [read(blob) for blob in (*files[FORCE].splitlines(), *newer[FORCE].splitlines())]
    both = {one.pos: one.raw for one in force}
    own = own_entries(newer)[: older.opening.end.size]
    made = careful(
        sealed,
        newer | {FORCE: b"".join(both[pos] + b"\n" for pos in sorted(both))},
        own,
        **{PROOF: older.to_bytes()},
    )
    told = verdict(written(tmp_path / "copy", made), sealed.verifier_key())
    commitment = read(both[older.commitment])
    assert told.kind is Kind.SOUND
    assert any(f"complete up to position {commitment.pos}" in one for one in told.remarks)


def test_an_entry_of_another_deployment_has_no_place_in_it(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """Neither among the deployment's nor among the force's."""
    row = next(one for one in sealed.store.rows() if one.scope == "d2" * 16)
    force = sorted([*files[FORCE].splitlines(), row.blob], key=lambda blob: read(blob).pos)
    made = digests_made_anew(files | {FORCE: b"".join(blob + b"\n" for blob in force)})
    assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is Kind.ALTERED


# -- names, links and sizes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../outside", "data/../../outside", "/etc/hostname", "data//twice", "data/a b", ".."]
)
def test_a_name_that_leads_elsewhere_is_refused(
    sealed: Sealed, files: Files, tmp_path: Path, name: str
) -> None:
    """Nothing outside the pack is opened."""
    line = f"{'0' * 64}  {name}\n".encode()
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        raw = b"".join(sorted([*files[manifest].splitlines(keepends=True), line]))
        made = written(tmp_path / "copy", files | {manifest: raw})
        assert found(made, sealed.verifier_key()) not in (Kind.SOUND, Kind.MISSING)


def test_a_name_that_comes_twice_is_refused(sealed: Sealed, files: Files, tmp_path: Path) -> None:
    """The second digest could be that of another file."""
    lines = files["manifest-sha256.txt"].splitlines(keepends=True)
    made = files | {"manifest-sha256.txt": b"".join([lines[0], *lines])}
    assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is not Kind.SOUND


def test_a_link_out_of_the_pack_is_not_followed(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """Though it leads to the very bytes that should be there."""
    directory = written(tmp_path / "copy", files)
    for name in (ENTRIES, CHECKPOINT, "bagit.txt"):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_bytes(files[name])
        (directory / name).unlink()
        (directory / name).symlink_to(elsewhere)
        assert found(directory, sealed.verifier_key()) is Kind.UNREADABLE
        (directory / name).unlink()
        (directory / name).write_bytes(files[name])
    (directory / "data/more").symlink_to(tmp_path)
    assert found(directory, sealed.verifier_key()) is Kind.UNREADABLE


def test_a_file_in_no_list_is_seen(sealed: Sealed, files: Files, tmp_path: Path) -> None:
    """A page that was slipped in beside the history."""
    made = written(tmp_path / "copy", files | {"data/history-2.html": b"<p>"})
    assert found(made, sealed.verifier_key()) is Kind.ALTERED


def test_a_line_without_end_is_not_read_into_memory(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """An entry has at most 65,535 bytes."""
    made = digests_made_anew(files | {ENTRIES: b"{" * 300_000})
    assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is Kind.UNREADABLE


@pytest.mark.parametrize(
    "value", [b"[]", b"{}", b"[" * 60_000, b'{"scope":NaN}', b"\xff", b"1e999"]
)
def test_a_proof_that_is_none_is_a_finding(
    sealed: Sealed, files: Files, tmp_path: Path, value: bytes
) -> None:
    """And never a crash."""
    made = digests_made_anew(files | {PROOF: value})
    assert found(written(tmp_path / "copy", made), sealed.verifier_key()) is Kind.UNREADABLE


# -- the thief -----------------------------------------------------------------------------------

WITNESS = WitnessSignerKey("w1.example", bytes(range(32)))


def test_a_history_that_was_rewritten_with_the_key_is_held_to_what_others_have(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """It agrees with itself; with a checkpoint kept elsewhere it does not, nor has a witness
    seen it."""
    kept = sealed.note()
    original, key = written(tmp_path / "original", files), sealed.verifier_key()
    own = rechained(own_entries(files), role="auditor")
    rewritten = resigned(sealed, files, own)
    made = written(tmp_path / "copy", rewritten)
    assert found(made, key) is Kind.FORKED, "the commitment is to the entries that were"
    assert found(made, key, outside=kept) is Kind.FORKED
    witness = WITNESS.verifier()
    unseen = verify_pack(made, key=key, witnesses=[witness])
    assert unseen.kind is Kind.UNSIGNED
    note = add_cosignature(kept, cosign(kept, WITNESS, at=1_795_426_200))
    seen = written(tmp_path / "seen", digests_made_anew(files | {CHECKPOINT: note.encode()}))
    told = verify_pack(seen, key=key, witnesses=[witness])
    assert (told.kind, told.cosigned[0].witness) == (Kind.SOUND, "w1.example")
    assert found(original, key, outside=note) is Kind.SOUND


def test_a_checkpoint_of_another_size_cannot_be_compared_and_is_not_called_sound(
    sealed: Sealed, files: Files, tmp_path: Path
) -> None:
    """A pack holds no consistency proof."""
    ours(sealed, 3)
    sealed.sealing.seal()
    made = written(tmp_path / "copy", files)
    assert found(made, sealed.verifier_key(), outside=sealed.note()) is Kind.UNANCHORED
    of_another = sign(Checkpoint("example.org/other", 6, bytes(32)), sealed.real_key())
    assert found(made, sealed.verifier_key(), outside=of_another) is Kind.UNSIGNED


def resigned(sealed: Sealed, files: Files, own: list[bytes]) -> Files:
    """The pack with these entries under a checkpoint that the stolen key signed."""
    tree = LevelHashes()
    changed = {read(blob).pos: leaf_hash(blob) for blob in own}
    for position, leaf in enumerate(sealed.leaves()):
        tree.append(changed.get(position, leaf))
    note = sign(Checkpoint(sealed.record.origin, tree.size, tree.root()), sealed.real_key())
    return careful(sealed, files, own, **{CHECKPOINT: note.encode()})


def test_the_scope_in_the_names_is_the_one_of_the_pack(files: Files) -> None:
    """So that the changes above are changes."""
    assert PackProof.from_bytes(files[PROOF]).scope == OURS
