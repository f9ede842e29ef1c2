"""A pack is whole or absent, the same from the same record, and in the forms that others read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from domain.assurance.packs import ENTRIES, EVENTS, FORCE
from domain.assurance.verification import Kind
from domain.kernel.errors import RecordBrokenError
from infrastructure.packs.writer import PackError, write_pack
from tests.contract.packs.packed import (
    OTHER,
    OURS,
    contents,
    found,
    others,
    ours,
    pack,
    signed,
    verdict,
)
from tests.contract.seal.sealed import Sealed


def test_a_pack_verifies_and_says_how_far_it_reaches(sealed: Sealed, tmp_path: Path) -> None:
    """All entries of the one deployment, to the end, under the log's key."""
    packed = pack(sealed, tmp_path / "pack")
    assert (packed.entries, packed.behind_the_commitment) == (6, 0)
    told = verdict(tmp_path / "pack", sealed.verifier_key(), outside=sealed.note())
    assert (told.kind, told.size, told.anchored_size) == (Kind.SOUND, 6, 6)
    assert told.root == sealed.sealer.tree.root(packed.checkpoint.size)
    assert f"deployment {OURS}, rehearsal: entries 0 to 5" in told.remarks[0]
    assert any("digests of the bag only" in one for one in told.remarks)
    assert not any("No checkpoint from elsewhere" in one for one in told.remarks)
    alone = verdict(tmp_path / "pack", sealed.verifier_key())
    assert any("No checkpoint from elsewhere" in one for one in alone.remarks)


def test_the_bagit_program_takes_it_for_a_valid_bag(sealed: Sealed, tmp_path: Path) -> None:
    """And does not once a file is changed."""
    pack(sealed, tmp_path / "pack")

    def valid() -> bool:
        command = [sys.executable, "-m", "bagit", "--validate", str(tmp_path / "pack")]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert valid()
    with (tmp_path / "pack/data/retention.json").open("ab") as file:
        file.write(b" ")
    assert not valid()


def test_every_event_is_a_cloud_event_around_the_entry(sealed: Sealed, tmp_path: Path) -> None:
    """As another program reads it; the data are the entry, byte for byte."""
    pack(sealed, tmp_path / "pack")
    entries = (tmp_path / "pack" / ENTRIES).read_bytes().splitlines()
    lines = (tmp_path / "pack" / EVENTS).read_bytes().splitlines()
    assert len(lines) == len(entries) == 6
    stored = [row.blob for row in sealed.store.rows() if row.scope == OURS]
    assert entries == stored
    for line, blob in zip(lines, stored, strict=True):
        event = JSONFormat().read(CloudEvent, line)
        entry = json.loads(blob)
        assert event.get_data() == entry
        assert (event.get_id(), event.get_source()) == (str(entry["pos"]), entry["log"])
        assert (event.get_type(), event.get_subject()) == (entry["name"], entry["stream"])
        assert event.get_time() == datetime.fromisoformat(entry["occurred_at"])
        assert blob in line


def test_the_entries_of_the_force_that_it_rests_on_are_in_it(
    sealed: Sealed, tmp_path: Path
) -> None:
    """The log's keys and the commitment, each byte for byte, and no other."""
    pack(sealed, tmp_path / "pack")
    told = [json.loads(line) for line in (tmp_path / "pack" / FORCE).read_bytes().splitlines()]
    assert [one["name"] for one in told] == ["log.key_generated", "log.scope_heads_committed"]


def test_made_again_it_is_the_same_byte_for_byte(sealed: Sealed, tmp_path: Path) -> None:
    """On another day, and after the log went on and was sealed again."""
    pack(sealed, tmp_path / "first")
    kept = sealed.note()
    sealed.clock.at += timedelta(days=3)
    pack(sealed, tmp_path / "second")
    others(sealed, 90)
    sealed.sealing.seal()
    pack(sealed, tmp_path / "third", note=kept)
    first = contents(tmp_path / "first")
    assert contents(tmp_path / "second") == first
    assert contents(tmp_path / "third") == first
    pack(sealed, tmp_path / "fourth")
    assert contents(tmp_path / "fourth") != first
    assert found(tmp_path / "fourth", sealed.verifier_key()) is Kind.SOUND


def test_what_stands_behind_the_checkpoint_is_left_out(sealed: Sealed, tmp_path: Path) -> None:
    """No signature covers it."""
    ours(sealed, 50)
    assert pack(sealed, tmp_path / "pack").entries == 6
    assert found(tmp_path / "pack", sealed.verifier_key()) is Kind.SOUND


def test_what_stands_behind_the_commitment_is_said(sealed: Sealed, tmp_path: Path) -> None:
    """A checkpoint over entries that came after the last commitment covers them; nothing more."""
    ours(sealed, 50)
    sealed.sealer.seal(sealed.record, now=sealed.clock.now())
    assert pack(sealed, tmp_path / "pack").behind_the_commitment == 2
    told = verdict(tmp_path / "pack", sealed.verifier_key())
    assert told.kind is Kind.SOUND
    assert any(one.startswith("The last 2 entries stand behind") for one in told.remarks)


def test_a_name_that_is_taken_is_refused(sealed: Sealed, tmp_path: Path) -> None:
    """By a file, a directory, a link to nowhere, or an earlier pack; it is left as it was."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("directory", "file", "link"):
        with pytest.raises(PackError, match="expected a new name"):
            pack(sealed, tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "directory").iterdir()) == []


@pytest.mark.parametrize("scope", ["d3" * 16, "force "])
def test_a_deployment_that_nothing_tells_of_makes_no_pack(
    sealed: Sealed, tmp_path: Path, scope: str
) -> None:
    """Nor does one that began after the last sealing; nothing is left behind."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PackError, match="seal the log first"):
        pack(sealed, tmp_path / "pack", scope=scope)
    assert sorted(tmp_path.iterdir()) == before


def test_a_pack_that_is_broken_off_leaves_nothing_behind(sealed: Sealed, tmp_path: Path) -> None:
    """Least of all something under its name."""
    before = sorted(tmp_path.iterdir())
    standing: list[str] = []

    def tell(event: object) -> str:
        standing.extend(one.name for one in tmp_path.iterdir() if one not in before)
        raise KeyboardInterrupt

    log = signed(sealed)
    with pytest.raises(KeyboardInterrupt):
        write_pack(tmp_path / "pack", OURS, type(log)(**{**vars(log), "tell": tell}))
    assert sorted(tmp_path.iterdir()) == before
    assert len(standing) == 1
    assert standing[0].endswith(".half-written")


def test_no_pack_is_made_of_a_record_that_is_not_what_was_signed(
    sealed: Sealed, tmp_path: Path
) -> None:
    """It is checked before it gets its name."""
    sealed.store.close()
    sealed.store.drop_triggers()
    row = next(one for one in sealed.store.rows() if one.scope == OURS)
    changed = row.blob.replace(b'"role":"operator"', b'"role":"operatoR"')
    assert changed != row.blob
    sealed.store.execute(
        "UPDATE stored_events SET state = :state WHERE position = :position",
        state=changed,
        position=row.position,
    )
    with pytest.raises(RecordBrokenError, match="the pack would not verify"):
        pack(sealed, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_the_history_can_be_read_and_leads_nowhere(sealed: Sealed, tmp_path: Path) -> None:
    """Marked as a rehearsal, times in UTC, nothing from outside, and no text becomes markup."""
    pack(sealed, tmp_path / "pack")
    page = (tmp_path / "pack/data/history.html").read_text("utf-8")
    assert "REHEARSAL: stand-in officers" in page
    assert page.count("<tr>") == 7
    assert "2026-11-23T09:30:00.000Z" in page
    assert "this is alert.viewed &lt;script&gt;" in page
    assert not re.search(r"<script|<link|<img|<iframe|href=|src=|@import|url\(|https?:", page)
    about = (tmp_path / "pack/bag-info.txt").read_text("utf-8")
    assert "External-Description: REHEARSAL" in about


def test_what_is_for_people_says_what_the_record_says(sealed: Sealed, tmp_path: Path) -> None:
    """A schema for each event in it, the retention schedule, and that no document is recorded."""
    pack(sealed, tmp_path / "pack")
    data = tmp_path / "pack" / "data"
    assert sorted(one.name for one in (data / "schemas").iterdir()) == [
        "alert.viewed.1.json",
        "face.enrolled_and_discarded.1.json",
        "log.key_generated.1.json",
        "log.scope_heads_committed.1.json",
    ]
    classes = json.loads((data / "retention.json").read_text())["classes"]
    assert {one["item_class"]: one["rule"] for one in classes}["face_crop"] == "RT-03"
    assert json.loads((data / "documents.json").read_text())["documents"] == []
    assert (data / "log.vkey").read_text() == f"{sealed.verifier_key().text()}\n"


def test_the_other_deployment_has_a_pack_of_its_own(sealed: Sealed, tmp_path: Path) -> None:
    """From the same log, under the same checkpoint."""
    assert pack(sealed, tmp_path / "pack", scope=OTHER).entries == 6
    assert found(tmp_path / "pack", sealed.verifier_key()) is Kind.SOUND
