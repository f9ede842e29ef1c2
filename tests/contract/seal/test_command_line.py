"""What a person types: keys, export, a witness on a stick, and a start that is refused."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from api.bootstrap import open_node
from api.cli import main
from domain.kernel.commands import Mode
from infrastructure.seal.sealing import SealingPolicy
from tests.contract.record.examples import asked, viewed

ROOT = Path(__file__).parents[3]
PLUMBLINE = [sys.executable, "-c", "from api.cli import main; main()"]


def plumbline(*arguments: object, code: int = 0) -> str:
    """What the command says, on both outputs; it must end with this code.

    In this process: a fresh one would spend its time on importing what recognises faces.
    """
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["plumbline", *map(str, arguments)]),
        redirect_stdout(said),
        redirect_stderr(said),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert (ended.value.code or 0) == code, said.getvalue()
    return said.getvalue()


@contextmanager
def a_witness(state: Path, log: Path) -> Iterator[str]:
    """``witness serve`` in a process of its own; gives the line that names it."""
    arguments = ["witness", "serve", "--state", state, "--listen", "127.0.0.1:0", "--log", log]
    with subprocess.Popen(
        [*PLUMBLINE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            while "listening" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            key = re.search(r"^witness (\S+)$", said, re.M)
            where = re.search(r"listening at (\S+)", said)
            assert key and where
            yield f"{key[1]} {where[1]}"
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Premises with a few entries, sealed."""
    grow(tmp_path / "data", 3)
    return tmp_path / "data"


def grow(data: Path, entries: int, *, first: int = 0) -> list[str]:
    """Add entries and seal, as a node does; what its witnesses said."""
    with open_node(data, Mode.REHEARSAL) as node:
        node.record.append(*(viewed(first + one) for one in range(entries)), by=asked())
        node.seal()
        return node.witnessed


def sealed(data: Path) -> int:
    """The entries under the newest checkpoint."""
    return entries_under(data / "seal" / "checkpoint")


def entries_under(checkpoint: Path) -> int:
    """The second line of a checkpoint (c2sp.org/tlog-checkpoint)."""
    return int(checkpoint.read_text("utf-8").splitlines()[1])


def test_keys_are_shown_rotated_and_followed(data: Path, tmp_path: Path) -> None:
    """And what was signed before is sound under the key that signs now."""
    shutil.copy(data / "seal" / "log.vkey", tmp_path / "old.vkey")
    old = (tmp_path / "old.vkey").read_text("utf-8").strip()
    assert plumbline("keys", "show", "--data", data) == f"{old}  signs, kept in a file\n"
    said = plumbline("keys", "rotate", "--data", data)
    new = (data / "seal" / "log.vkey").read_text("utf-8").strip()
    (between,) = (data / "seal" / "retired").glob("*.checkpoint")
    last = entries_under(between)
    assert f"{old}  retired, its last checkpoint has {last} entries\n{new}  signs" in said
    followed = plumbline("keys", "follow", tmp_path / "old.vkey", "--data", data)
    assert followed == f"{new}  follows; both signed the checkpoint at {last} entries\n"
    assert "SOUND" in plumbline("verify", data, "--key", data / "seal" / "log.vkey")
    assert "PRIVATE" not in said + followed


def test_a_witness_that_knows_the_old_key_cosigns_where_both_signed(
    data: Path, tmp_path: Path
) -> None:
    """And nothing later before it is told of the new one."""
    log = tmp_path / "old.vkey"
    shutil.copy(data / "seal" / "log.vkey", log)
    with a_witness(tmp_path / "state", log) as line:
        (data / "seal" / "witnesses").write_text(f"{line}\n", "utf-8")
        plumbline("keys", "rotate", "--data", data)
        (between,) = (data / "seal" / "retired").glob("*.checkpoint")
        signers = [one.split(" ")[1] for one in between.read_text("utf-8").splitlines()[4:]]
        origin = log.read_text("utf-8").split("+")[0]
        assert signers == [origin, origin, line.split("+")[0]]
        assert "does not know the key" in plumbline("witness", "ask", "--data", data)
    plumbline("witness", "key", "--state", tmp_path / "state", "--log", data / "seal" / "log.vkey")
    with a_witness(tmp_path / "state", log) as line:
        (data / "seal" / "witnesses").write_text(f"{line}\n", "utf-8")
        said = plumbline("witness", "ask", "--data", data)
        assert f"cosigned {sealed(data)} entries" in said


def test_the_log_is_exported_and_sound_for_the_verifier(data: Path, tmp_path: Path) -> None:
    """The verifier that is packaged alone; and another directory is left alone."""
    out = tmp_path / "out"
    said = plumbline("log", "export", out, "--data", data)
    assert f"{out}: {sealed(data)} entries, " in said
    verified = subprocess.run(
        [sys.executable, "-m", "domain.assurance", out, "--key", out / "log.vkey"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert verified.returncode == 0 and verified.stdout.startswith("SOUND"), verified
    assert "things that are not of an export" in plumbline(
        "log", "export", data, "--data", data, code=4
    )
    assert "found none" in plumbline("log", "export", data, "--data", tmp_path / "x", code=4)


def test_a_witness_is_asked_on_a_stick(data: Path, tmp_path: Path) -> None:
    """Request, signature, answer; each a file; each step says what is wrong with it."""
    state, request, answer = (tmp_path / name for name in ("state", "request", "answer"))
    log = data / "seal" / "log.vkey"
    key = plumbline("witness", "key", "--state", state, "--log", log, "--name", "w.example")
    assert key.startswith("w.example+")
    assert "found 0" in plumbline("witness", "request", "-o", request, "--data", data, code=4)
    (data / "seal" / "witnesses").write_text(f"{key.strip()} offline\n", "utf-8")
    size = sealed(data)
    said = plumbline("witness", "request", "-o", request, "--data", data)
    assert f"{request}: {size} entries" in said
    plumbline("witness", "sign", request, "--state", state, "-o", answer)
    said = plumbline("witness", "accept", answer, "--data", data)
    assert f"the witness w.example cosigned {size} entries" in said
    assert "\u2014 w.example " in (data / "seal" / "checkpoint").read_text("utf-8")
    again = plumbline("witness", "sign", request, "--state", state, "-o", answer, code=3)
    assert f"witness request --old {size}" in again
    assert "no signature of a witness" in plumbline(
        "witness", "accept", request, "--data", data, code=4
    )


def test_a_log_that_was_brought_back_from_an_older_copy_is_only_read(
    data: Path, tmp_path: Path
) -> None:
    """Exit code 5 with a sentence that says which witness holds what; nothing is changed."""
    with a_witness(tmp_path / "state", data / "seal" / "log.vkey") as line:
        (data / "seal" / "witnesses").write_text(f"{line}\n", "utf-8")
        shutil.copytree(data, tmp_path / "older")
        (told,) = grow(data, 2, first=10)
        older, newer = sealed(tmp_path / "older"), sealed(data)
        assert newer == older + 3  # two of ours, and that the node started
        assert f"cosigned {newer} entries" in told
        before = (tmp_path / "older" / "record" / "record.db").read_bytes()
        said = plumbline("sweep", "--data", tmp_path / "older", code=5)
        assert re.search(
            rf"STOP: the log has {older} entries, but the witness .* holds {newer}", said
        )
        assert (tmp_path / "older" / "record" / "record.db").read_bytes() == before
        assert "SOUND" in plumbline(
            "verify", tmp_path / "older", "--key", data / "seal" / "log.vkey"
        )
    shutil.copytree(data / "seal", tmp_path / "older" / "seal", dirs_exist_ok=True)
    said = plumbline("sweep", "--data", tmp_path / "older", code=5)
    assert f"STOP: the log has {older} entries, but this log itself signed {newer}" in said
    (tmp_path / "older" / "seal" / "checkpoint").unlink()
    said = plumbline("sweep", "--data", tmp_path / "older", code=5)
    assert re.search(
        rf"STOP: the log has {older} entries, but the witness .* cosigned {newer} at 20", said
    )


@pytest.mark.parametrize("listen", ["8765", "127.0.0.1:", "127.0.0.1:99999", ":80"])
def test_an_address_to_listen_at_is_checked(tmp_path: Path, listen: str) -> None:
    """In words."""
    arguments = ("witness", "serve", "--state", tmp_path / "s", "--listen", listen)
    assert "expected an address" in plumbline(*arguments, code=4)


def test_a_process_that_writes_is_sealed_meanwhile(tmp_path: Path) -> None:
    """As often as its policy says, without waiting for its end; a failure is told."""
    told: list[str] = []
    policy = SealingPolicy(entries=5, seconds=3600)
    with open_node(tmp_path / "data", Mode.REHEARSAL) as node:
        with node.sealed_meanwhile(on_trouble=told.append, policy=policy):
            for number in range(4):
                node.record.append(viewed(number), by=asked())
            assert node.sealer.last() is None
            node.record.append(viewed(9), by=asked())
            wait_for(lambda: node.sealer.checkpoint_file.exists())
            (tmp_path / "data" / "seal" / "log.key").chmod(0o644)
            node.record.append(*(viewed(20 + number) for number in range(5)), by=asked())
            wait_for(lambda: bool(told))
            (tmp_path / "data" / "seal" / "log.key").chmod(0o600)
        assert "could not be sealed" in told[0] and "run chmod 600" in told[0]
        assert node.seal().size == node.record.size()
        assert node.verified()


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until it has, for a bounded time."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)
