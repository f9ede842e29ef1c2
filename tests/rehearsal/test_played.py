"""A rehearsal keeps what it promises, as its summary, its record and its stores show."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from domain.custody.sealing import ItemLabel
from domain.kernel.commands import Mode
from domain.ports import KeyDestroyedError
from domain.services.survey import Survey
from infrastructure.clock import SystemClock
from infrastructure.premises import Premises
from tests.rehearsal.conftest import Played, command, run

SIX_STEPS = (
    "watchlist.approved",
    "deployment.started",
    "face.enrolled_and_discarded",
    "alert.raised",
    "alert.adjudicated",
    "item.destroyed",
)
SUMMARY = {
    "deployment": str,
    "mode": str,
    "frames": int,
    "faces_seen": int,
    "not_enrolled": int,
    "enrolled_and_discarded": int,
    "faces_alerted": int,
    "suppressed_sightings": int,
    "interrupted": int,
    "alerts": list,
    "items_registered": int,
    "items_destroyed": int,
    "items_remaining": int,
    "max_template_life_ms": int,
    "log_size": int,
    "checkpoint_root": str,
    "verified": bool,
    "duration_s": float,
}


def test_the_summary_is_one_json_object_with_the_agreed_fields(played: Played) -> None:
    """Programs read it, so its fields are fixed."""
    assert {name: type(value) for name, value in played.summary.items()} == SUMMARY
    assert {tuple(alert) for alert in played.summary["alerts"]} == {
        ("entry_ref", "first_seen_s", "camera")
    }


def test_the_man_who_passes_is_the_only_possible_match(played: Played) -> None:
    """One pass, one alert; nobody else raises any."""
    assert [alert["entry_ref"] for alert in played.summary["alerts"]] == ["demo-listed-1"]


def test_every_face_that_was_seen_has_one_outcome(played: Played) -> None:
    """The sums balance."""
    told = played.summary
    assert told["faces_seen"] == (
        told["not_enrolled"]
        + told["enrolled_and_discarded"]
        + told["faces_alerted"]
        + told["suppressed_sightings"]
        + told["interrupted"]
    )
    assert told["enrolled_and_discarded"] >= 3
    assert told["interrupted"] == 0


def test_nothing_is_left_of_what_was_kept(played: Played) -> None:
    """No key, no ciphertext, and every open by id is refused."""
    told = played.summary
    assert told["items_registered"] == told["items_destroyed"] > 0
    assert told["items_remaining"] == 0
    premises = Premises(played.data)
    vault = premises.open_vault()
    record = premises.open_record(Mode.REHEARSAL, SystemClock(), lambda size: None)
    items = Survey().take(record.history()).items.values()
    assert vault.keys() == vault.ciphertexts() == set()
    assert len(items) == told["items_registered"]
    for item in items:
        with pytest.raises(KeyDestroyedError):
            vault.open(
                ItemLabel(
                    item.item, item.item_class, item.deployment, "image/jpeg", item.due_at.date()
                )
            )
    vault.close()
    record.close()


def test_replay_shows_the_six_steps_in_words(played: Played) -> None:
    """Each line says REHEARSAL, and no full reference of anything is printed."""
    done = run(command("replay", played.summary["deployment"][:10], "--data", played.data))
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    of_the_log = _entries_of(played, "force")
    assert of_the_log.keys() == {
        "algorithm.evidence_attached",
        "dpia.advice_recorded",
        "dpia.approved",
        "dpia.screening_answered",
        "inventory.attested",
        "log.key_generated",
        "log.scope_heads_committed",
        "policy.published",
        "policy.registered",
        "rechecker.enrolled",
        "schedule.adopted",
        "training.recorded",
    }
    assert len(lines) == played.summary["log_size"] - sum(of_the_log.values())
    assert all(line.startswith("REHEARSAL ") for line in lines)
    assert all(any(f" {name} " in line for line in lines) for name in SIX_STEPS)


def test_the_play_ends_with_an_inventory_of_empty_stores(played: Played) -> None:
    """Of everything and of the deployment, so that its pack shows it too."""
    assert "0 keys, 0 ciphertexts, 0 missing, 0 orphans, 0 resurrected" in played.told
    done = run(command("replay", played.summary["deployment"], "--data", played.data, "--json"))
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["name"] == "inventory.attested"
    assert (last["body"]["keystore_count"], last["body"]["media_count"]) == (0, 0)


def test_replay_as_json_gives_the_entries_byte_for_byte(played: Played) -> None:
    """What a program gets is what was hashed."""
    done = run(command("replay", played.summary["deployment"], "--data", played.data, "--json"))
    entries = done.stdout.splitlines()
    stored = sqlite3.connect(played.data / "record" / "record.db").execute(
        "SELECT state FROM stored_events WHERE scope = ? ORDER BY rowid",
        (played.summary["deployment"],),
    )
    assert [entry.encode() for entry in entries] == [row[0] for row in stored]
    assert {json.loads(entry)["mode"] for entry in entries} == {"rehearsal"}


def test_the_record_says_that_no_footage_was_recorded_and_who_played(played: Played) -> None:
    """A rehearsal's entries declare its stand-ins and their rule."""
    done = run(command("replay", played.summary["deployment"], "--data", played.data, "--json"))
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    bodies = {entry["name"]: entry["body"] for entry in entries}
    assert bodies["deployment.started"]["footage_recorded"] is False
    assert bodies["alert.adjudicated"]["basis"] == "scripted-rule"
    assert all(entry["actor"].startswith(("stand-in:", "system:")) for entry in entries)


def test_the_callers_own_reference_is_in_no_entry(played: Played) -> None:
    """It could be followed across deployments, so it lives and dies in the vault."""
    stored = (played.data / "record" / "record.db").read_bytes()
    assert b"demo-listed" not in stored
    assert b"stand-in:applicant-1" in stored, "the search must find what is there"


def test_progress_is_told_while_it_works(played: Played) -> None:
    """With the size of the log after the last COMMIT."""
    assert "possible matches [log " in played.told


def test_verify_is_sound_and_a_changed_copy_is_not(played: Played, tmp_path: Path) -> None:
    """The auditor's check, and that it can fail."""
    done = run(command("verify", played.data, "--key", played.key))
    assert done.returncode == 0 and done.stdout.startswith("SOUND")

    copy = tmp_path / "copy"
    shutil.copytree(played.data, copy)
    with sqlite3.connect(copy / "record" / "record.db") as database:
        database.execute("DROP TRIGGER stored_events_no_update")
        database.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), "
            "'engagement-officer-1', 'engagement-officer-2') AS BLOB) "
            "WHERE topic = 'alert.adjudicated'"
        )
    done = run(command("verify", copy, "--key", played.key))
    assert done.returncode == 3 and done.stdout.startswith("ALTERED at position")


def test_a_cut_tail_shows_with_a_checkpoint_from_elsewhere(played: Played, tmp_path: Path) -> None:
    """Without one it is shown as unanchored."""
    copy, elsewhere = tmp_path / "copy", tmp_path / "checkpoint"
    shutil.copytree(played.data, copy)
    shutil.move(copy / "seal" / "checkpoint", elsewhere)
    with sqlite3.connect(copy / "record" / "record.db") as database:
        for trigger in ("stored_events_no_delete", "log_head_only_grows", "scope_head_only_grows"):
            database.execute(f"DROP TRIGGER {trigger}")
        size = _cut(database, 5)
    with_it = run(command("verify", copy, "--key", played.key, "--checkpoint", elsewhere))
    without = run(command("verify", copy, "--key", played.key))
    assert with_it.returncode == 7 and with_it.stdout.startswith("TRUNCATED")
    assert without.returncode == 10 and f"unanchored tail: {size}" in without.stdout


def _cut(database: sqlite3.Connection, entries: int) -> int:
    """Cut the last entries and put the heads in order, as a careful forger would."""
    from domain.assurance.tree import Frontier, leaf_hash

    database.execute(
        "DELETE FROM stored_events WHERE position >= (SELECT MAX(position) + 1 - ? "
        "FROM stored_events)",
        (entries,),
    )
    tree = Frontier()
    ends: dict[str, tuple[int, str]] = {}
    for scope, blob in database.execute("SELECT scope, state FROM stored_events ORDER BY rowid"):
        leaf = leaf_hash(blob)
        tree.append(leaf)
        ends[scope] = (ends.get(scope, (0, ""))[0] + 1, leaf.hex())
    database.execute("UPDATE log_head SET size = ?, frontier = ?", (tree.size, tree.to_bytes()))
    for scope, (size, leaf_hex) in ends.items():
        database.execute(
            "UPDATE scope_head SET size = ?, leaf = ? WHERE scope = ?", (size, leaf_hex, scope)
        )
    return tree.size


def _entries_of(played: Played, scope: str) -> dict[str, int]:
    """How many entries of each stored name a scope has."""
    return dict(
        sqlite3.connect(played.data / "record" / "record.db").execute(
            "SELECT topic, COUNT(*) FROM stored_events WHERE scope = ? GROUP BY topic", (scope,)
        )
    )
