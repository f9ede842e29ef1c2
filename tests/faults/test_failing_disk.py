"""A disk that is full or broken, in the middle of everything: nothing half-done is reported done.

Two kinds of fault, both real. A small file system of its own that runs out of room. And a system
call that fails with EIO, once or from then on, in every process that works there (``strace``).

Whatever failed, three things hold. Each process ends with words and one of its own exit codes.
What was answered for is on the record, and nothing that has a receipt is in the stores. And once
the disk is well again, the next start finishes what was begun, and everything verifies.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from api.bootstrap import mode_of, read_history
from domain.kernel.errors import DomainError
from domain.services.survey import Survey
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.media import MediaStore
from tests.rehearsal.conftest import spoken
from tests.support.required import need

ROOT = Path(__file__).parents[2]
DAY = [sys.executable, "-m", "tests.faults.a_whole_day"]
PLUMBLINE = [sys.executable, "-c", "from api.cli import main; main()"]
OUR_EXITS = {0, 3, 4, 5, 9, 10}
"""What the command line ends with (``api.cli.telling``, and the verifier's for what it cannot read
or what nobody signed)."""
ROOM = 8 << 20
SEED = 20261123

ANSWERED = {
    "applied": "deployment.applied_for",
    "entry accepted": "watchlist.entry_accepted",
    "list approved": "watchlist.approved",
    "started": "deployment.started",
    "recorded": "footage.segment_recorded",
    "alerted": "alert.raised",
    "decided": "alert.adjudicated",
    "reviewed": "item.consulted",
    "ended": "deployment.ended",
}
"""A step that was answered for, and the entry that must then be on the record."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    told: list[str]
    words: str

    def in_our_words(self) -> Ended:
        """The same; a traceback or an exit code of nobody's fails the test."""
        assert "Traceback" not in self.words, self.words
        assert self.code in OUR_EXITS, (self.code, self.words)
        return self


def run(command: list[str], *arguments: object) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    return Ended(done.returncode, done.stdout.splitlines(), done.stderr + done.stdout)


def well(*arguments: object) -> str:
    """A command on a disk that is well again, in this process: it must succeed."""
    code, told, complained = spoken(*map(str, arguments))
    assert code == 0, complained
    return told


@contextmanager
def a_small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)], capture_output=True
    )
    need("mount", present=mounted.returncode == 0, reason="root may mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, *, leaving: int) -> None:
    """Take all room but so many bytes."""
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as file, suppress(OSError):
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - leaving)))


def nothing_is_reported_that_is_not_so(data: Path, told: list[str]) -> bool:
    """Compare the record as it lies with what was answered for and with the stores.

    Returns:
        Whether there is a record at all.
    """
    try:
        mode_of(data)
        entries = list(read_history(data, None))
    except DomainError:
        assert not ANSWERED.keys() & set(told)
        return False
    names = {one.event.NAME for one in entries}
    assert {ANSWERED[step] for step in told if step in ANSWERED} <= names
    survey = Survey().take(entries)
    gone = {one.item for one in survey.items.values() if one.destroyed}
    assert gone.isdisjoint(in_the_stores(data))
    return True


def in_the_stores(data: Path) -> set[UUID]:
    """Every item of which there is a key or a ciphertext, as the stores lie."""
    database = data / "keystore" / "keystore.db"
    if not database.exists() or database.stat().st_size == 0:
        return set()
    with closing(sqlite3.connect(database)) as cut_off:
        # What was cut off is taken back here as by any next start; who only reads cannot do that.
        cut_off.execute("SELECT count(*) FROM sqlite_master").fetchone()
    keystore = Keystore(data / "keystore", only_reading=True)
    try:
        return keystore.items() | MediaStore(data / "media").items()
    finally:
        keystore.close()


def recovers(data: Path) -> None:
    """The next start finishes everything; the record verifies and the stores are as it says."""
    well("sweep", "--data", data)
    well("custody", "recheck", "--data", data)
    well("verify", data, "--key", data / "seal" / "log.vkey")
    survey = Survey().take(read_history(data, None))
    live = {one.item for one in survey.live()}
    assert live == in_the_stores(data)
    assert {one.item_class for one in survey.live()} <= {"footage_segment"}


def begins_again_or_recovers(data: Path, told: list[str]) -> None:
    """Once the disk is well."""
    if nothing_is_reported_that_is_not_so(data, told) and any(
        one.event.NAME == "deployment.applied_for" for one in read_history(data, None)
    ):
        recovers(data)
    else:
        again = run(DAY, data).in_our_words()
        assert (again.code, again.told[-1]) == (0, "rechecked"), again.words
        recovers(data)


# -- a full disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("leaving", [0, 240, 620, 900, 1_180])
def test_a_disk_that_fills_up_leaves_nothing_half_done(tmp_path: Path, leaving: int) -> None:
    """From no room at all to nearly enough, in KiB."""
    with a_small_disk(tmp_path) as disk:
        fill(disk, leaving=leaving << 10)
        ended = run(DAY, disk / "data").in_our_words()
        assert ended.code != 0 or leaving > 1_000, ended.told
        nothing_is_reported_that_is_not_so(disk / "data", ended.told)
        (disk / "filler").unlink()
        begins_again_or_recovers(disk / "data", ended.told)


@pytest.fixture(scope="module")
def a_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Premises after a whole day."""
    data = tmp_path_factory.mktemp("day") / "data"
    assert run(DAY, data).code == 0
    return data


SCHEDULE = "domain/custody/retention_schedule.toml"

COMMANDS = {
    "sweep": ("sweep",),
    "work": ("custody", "work", "--once"),
    "recheck": ("custody", "recheck"),
    "plan": ("custody", "plan"),
    "report": ("report", "custody", "-o", "OUT/report.html"),
    "rotate": ("keys", "rotate"),
    "export": ("log", "export", "OUT/export"),
    "pack": ("pack", "DEPLOYMENT", "-o", "OUT/pack"),
    "play": ("footage", "play", "SEGMENT", "-o", "OUT/segment.mkv", "--actor", "dpo-1"),
    "rebuild": ("projections", "rebuild", "--all"),
    "token": ("tokens", "make", "dpo"),
    "adopt": ("schedule", "adopt", SCHEDULE, "--actor", "dpo-1"),
    "replay": ("replay", "DEPLOYMENT"),
}
MAY_BE_REFUSED = {"adopt"}
"""The rules say no to it, disk or not: the schedule is in force already."""


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_reports_what_a_full_disk_did_not_take(
    tmp_path: Path, a_day: Path, name: str
) -> None:
    """It succeeds without room, or says what it could not do; afterwards it can be given again."""
    segment = next(iter(Survey().take(read_history(a_day, None)).live()))
    given = {"DEPLOYMENT": segment.deployment.hex, "SEGMENT": segment.item.hex}
    with a_small_disk(tmp_path) as disk:
        data = disk / "data"
        shutil.copytree(a_day, data)
        words = [given.get(one, one.replace("OUT", str(disk))) for one in COMMANDS[name]]
        fill(disk, leaving=0)
        full = run(PLUMBLINE, *words, "--data", data).in_our_words()
        nothing_is_reported_that_is_not_so(data, [])
        (disk / "filler").unlink()
        if full.code in (4, 5):
            again = run(PLUMBLINE, *words, "--data", data).in_our_words()
            assert again.code == 0 or name in MAY_BE_REFUSED, again.words
        recovers(data)


# -- a disk that fails -----------------------------------------------------------------------------


def can_trace() -> bool:
    """Whether there is a tracer, and the system lets it trace."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True)
    return tried.returncode == 0


def faults() -> list[tuple[str, str]]:
    """Which call fails, and when: once, or from then on as a disk that died."""
    chosen = random.Random(SEED)
    most = {"pwrite64": 1000, "fsync": 80, "fdatasync": 95, "rename": 20, "unlink": 40}
    return [
        (call, f"{chosen.randint(1, count)}{then}")
        for call, count in most.items()
        for then in ("", "+")
    ]


@pytest.mark.parametrize(("call", "when"), faults())
def test_a_disk_that_fails_leaves_nothing_half_done(tmp_path: Path, call: str, when: str) -> None:
    """An I/O error in any call, of any process that works there."""
    need("strace", present=can_trace(), reason="it makes a call fail")
    data, log = tmp_path / "data", tmp_path / "calls"
    broken = ["strace", "-f", "--seccomp-bpf", "-o", str(log), "-e", f"trace={call}"]
    broken += ["-e", f"inject={call}:error=EIO:when={when}"]
    ended = run([*broken, *DAY], data).in_our_words()
    assert "INJECTED" in log.read_text("utf-8"), "the call was never made so often"
    nothing_is_reported_that_is_not_so(data, ended.told)
    begins_again_or_recovers(data, ended.told)


def test_what_is_reported_and_not_so_would_be_found(a_day: Path, tmp_path: Path) -> None:
    """The positive control: a receipt for what is still there, and a step that is not recorded."""
    data = tmp_path / "data"
    shutil.copytree(a_day, data)
    gone = next(
        one for one in Survey().take(read_history(data, None)).items.values() if one.destroyed
    )
    assert nothing_is_reported_that_is_not_so(data, ["ended"])
    place = data / "media" / gone.item.hex[:2]
    place.mkdir(parents=True, exist_ok=True)
    (place / gone.item.hex).write_bytes(b"x" * 100)
    with pytest.raises(AssertionError):
        nothing_is_reported_that_is_not_so(data, [])
    listed = json.loads(well("footage", "list", "--json", "--data", a_day))
    assert len(listed) == 1
