"""Programs that nobody here wrote, asked the same questions as ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.required import need

_SOURCE = Path(__file__).parent / "go" / "main.go"
_PACKAGES = Path("/usr/share/gocode")


class Oracle:
    """The driver on golang.org/x/mod."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ask(self, *arguments: str, given: str = "") -> tuple[bool, str]:
        """Whether it agrees, and its words."""
        told = subprocess.run(
            [str(self._program), *arguments], input=given, capture_output=True, text=True
        )
        assert told.returncode in (0, 1), told.stderr
        return told.returncode == 0, told.stdout

    def accepts(self, export: Path) -> bool:
        """Whether it takes an exported log for sound."""
        return self.ask("check", str(export))[0]

    def accepts_inclusion(
        self, *, size: int, root: bytes, index: int, leaf: bytes, proof: list[bytes]
    ) -> bool:
        """Whether it takes an inclusion proof for valid."""
        hexes = [one.hex() for one in proof]
        return self.ask("record", str(size), root.hex(), str(index), leaf.hex(), *hexes)[0]

    def accepts_consistency(
        self, *, new: int, new_root: bytes, old: int, old_root: bytes, proof: list[bytes]
    ) -> bool:
        """Whether it takes a consistency proof for valid."""
        hexes = [one.hex() for one in proof]
        return self.ask("tree", str(new), new_root.hex(), str(old), old_root.hex(), *hexes)[0]


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """The driver, built from source with Debian's Go and its packages."""
    go = shutil.which("go")
    need(
        "go",
        present=go is not None and (_PACKAGES / "src/golang.org/x/mod").is_dir(),
        reason="apt-get install golang-go golang-golang-x-mod-dev",
    )
    folder = tmp_path_factory.mktemp("oracle")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(_PACKAGES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    built = subprocess.run(
        [str(go), "build", "-o", str(folder / "oracle"), str(_SOURCE)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return Oracle(folder / "oracle")
