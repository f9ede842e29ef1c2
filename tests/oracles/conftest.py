"""Programs that nobody here wrote, asked the same questions as ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracles.others import Oracle as Oracle
from tests.oracles.others import Program, Pymerkle, Sigstore
from tests.support.required import need

_SOURCE = Path(__file__).parent / "go" / "main.go"
_PACKAGES = Path("/usr/share/gocode")


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """The driver on golang.org/x/mod, built from source with Debian's Go and its packages."""
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
    with Oracle(folder / "oracle") as made:
        yield made


@pytest.fixture(scope="session", params=["go", "pymerkle", "sigstore"])
def other(request: pytest.FixtureRequest) -> Program:
    """Each of the others that read inclusion proofs."""
    if request.param == "go":
        found: Program = request.getfixturevalue("oracle")
        return found
    return Pymerkle() if request.param == "pymerkle" else Sigstore()
