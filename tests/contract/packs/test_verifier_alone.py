"""The verifier in a pack needs Python and ``cryptography``, and nothing of ours."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.bootstrap import open_node, sealed_log
from api.cli import main
from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.verification import LIMITS, Kind
from domain.deployments.events import DeploymentAppliedFor
from domain.kernel.commands import Mode
from infrastructure.packs.zipapp import verifier
from tests.contract.packs.packed import OURS
from tests.contract.record.examples import DEPLOYMENT, asked, changed, face, usual
from tests.support.exports import KEY as ANOTHER_LOGS_KEY


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's data directory, sealed, with one deployment."""
    path = tmp_path_factory.mktemp("premises") / "data"
    with open_node(path, Mode.REHEARSAL) as node:
        applied = changed(usual(DeploymentAppliedFor), originator_id=DEPLOYMENT)
        node.record.append(applied, by=asked())
        node.record.append(*(face(number) for number in range(300)), by=asked())
        node.seal()
    return path


@pytest.fixture(scope="module")
def export(premises: Path) -> Path:
    """Its log as files."""
    directory = premises.parent / "export"
    with sealed_log(premises) as log:
        log.export(directory, public=False)
    return directory


@pytest.fixture(scope="module")
def packed(premises: Path) -> Path:
    """The deployment's pack, from the command line."""
    target = premises.parent / "pack"
    done = plumbline("pack", OURS[:6], "-o", target, "--data", premises)
    assert done.returncode == 0, done.stderr
    assert f"{target}: 301 entries of deployment {OURS[:8]}" in done.stdout
    return target


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cryptography`` and what it is made of, and no other package."""
    folder = tmp_path_factory.mktemp("alone")
    for name in ("cryptography", "cffi", "_cffi_backend"):
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None
        place = Path(found.origin)
        place = place.parent if place.name == "__init__.py" else place
        (folder / place.name).symlink_to(place)
    return folder


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def plumbline(*arguments: object) -> Told:
    """The command line that a person would type, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["plumbline", *map(str, arguments)]
    code: object = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    return Told(int(str(code or 0)), out.getvalue(), err.getvalue())


def verify_alone(
    folder: Path, pyz: Path, arguments: Sequence[object], *, where: Path
) -> subprocess.CompletedProcess[str]:
    """Run the one file with the standard library and that folder, from a place without source."""
    environment = {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-S", "-P", str(pyz), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=where,
        env=environment,
        timeout=60,
    )


def test_the_folder_holds_no_package_of_ours(alone: Path) -> None:
    """So that what the tests below import comes from the one file."""
    foreign = "import msgspec, sqlalchemy, domain"
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", foreign],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(alone)},
        cwd=alone,
    )
    assert "ModuleNotFoundError: No module named 'msgspec'" in done.stderr


@pytest.mark.parametrize("target", ["pack", "export", "premises", "database"])
def test_it_verifies_whatever_there_is(
    alone: Path, packed: Path, export: Path, premises: Path, tmp_path: Path, target: str
) -> None:
    """A pack, an export, a data directory, a database; with the key and a checkpoint from
    elsewhere."""
    pyz, key = packed / "data/verify.pyz", premises / "seal/log.vkey"
    paths = {
        "pack": packed,
        "export": export,
        "premises": premises,
        "database": premises / "record/record.db",
    }
    asked_for = [paths[target], "--key", key, "--checkpoint", premises / "seal/checkpoint"]
    done = verify_alone(alone, pyz, asked_for, where=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith("SOUND: ")
    assert "unanchored tail: 0" in done.stdout
    assert all(limit in done.stdout for limit in LIMITS)


def test_plumbline_verify_says_the_same(packed: Path, export: Path, premises: Path) -> None:
    """It is the same code."""
    key = premises / "seal/log.vkey"
    for target in (packed, export, premises, premises / "record/record.db"):
        done = plumbline("verify", target, "--key", key)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("SOUND: ")


def test_another_key_and_another_checkpoint_are_refused(
    alone: Path, packed: Path, export: Path, premises: Path, tmp_path: Path
) -> None:
    """Each with the exit code of its finding; wrong usage is 2, and nothing is looked at."""
    pyz, key = packed / "data/verify.pyz", premises / "seal/log.vkey"
    (tmp_path / "other.vkey").write_text(ANOTHER_LOGS_KEY.verifier().text())
    (tmp_path / "other").write_text(
        sign(Checkpoint(ANOTHER_LOGS_KEY.name, 1, bytes(32)), ANOTHER_LOGS_KEY)
    )
    for target in (packed, export, premises):
        for arguments, code in (
            (["--key", tmp_path / "other.vkey"], Kind.UNSIGNED.exit_code),
            (["--key", key, "--checkpoint", tmp_path / "other"], Kind.UNSIGNED.exit_code),
            (["--key", tmp_path / "missing"], 2),
            (["--key", premises / "seal/checkpoint"], 2),
            (["--key", key, "--witness-key", key], 2),
            ([], 2),
        ):
            done = verify_alone(alone, pyz, [target, *arguments], where=tmp_path)
            assert done.returncode == code, (target, arguments, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
    done = verify_alone(alone, pyz, [tmp_path / "nothing", "--key", key], where=tmp_path)
    assert done.returncode == Kind.UNREADABLE.exit_code


def test_the_file_is_the_same_every_day_and_holds_the_proofs_only(packed: Path) -> None:
    """No time, no order of a disk, nothing compressed."""
    raw = (packed / "data/verify.pyz").read_bytes()
    assert raw == verifier()
    with zipfile.ZipFile(packed / "data/verify.pyz") as archive:
        assert archive.testzip() is None
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        names = archive.namelist()
    assert names == sorted(names)
    assert names[:2] == ["__main__.py", "domain/__init__.py"]
    assert all(name.startswith("domain/assurance/") for name in names[2:])


def test_a_pack_is_refused_in_words(packed: Path, premises: Path, tmp_path: Path) -> None:
    """A name that is taken, a deployment that is unknown, a checkpoint of another log."""
    (tmp_path / "other").write_text(
        sign(Checkpoint(ANOTHER_LOGS_KEY.name, 1, bytes(32)), ANOTHER_LOGS_KEY)
    )
    for arguments, words in (
        ([OURS, "-o", packed], "expected a new name for the pack"),
        (["ffff", "-o", tmp_path / "pack"], "no deployment begins with"),
        ([OURS, "-o", tmp_path / "no" / "such" / "pack"], "cannot write the pack"),
        (
            [OURS, "-o", tmp_path / "pack", "--checkpoint", tmp_path / "other"],
            "not signed by a key of this log",
        ),
    ):
        done = plumbline("pack", *arguments, "--data", premises)
        assert (done.returncode, words in done.stderr) == (4, True), done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "pack").exists()
