"""SoftHSM with one token, for the whole process: the driver reads its settings once."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tests.support.required import need

PIN = "4711-of-a-test"
LABEL = "a token"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((Path(one) for one in MODULES if Path(one).exists()), None)


def need_softhsm() -> None:
    """Skip the test unless it is installed."""
    need(
        "softhsm",
        present=MODULE is not None and shutil.which("softhsm2-util") is not None,
        reason="apt-get install softhsm2",
    )


def uri(folder: Path, *, object_label: str) -> str:
    """What a person would set for the token, with a PIN file in this folder."""
    need_softhsm()
    _token()
    pin = folder / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
    return (
        f"pkcs11:token={quote(LABEL)};object={object_label}"
        f"?module-path={MODULE}&pin-source=file:{quote(str(pin))}"
    )


@cache
def _token() -> None:
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    make = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "87654321"]
    subprocess.run([*make, "--pin", PIN], check=True, capture_output=True)
