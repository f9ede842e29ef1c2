"""A real browser without a screen: what a page shows, and whatever it asked for elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.required import need

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass(frozen=True)
class Seen:
    """What came of opening a page."""

    shown: str
    """The page's tree, as the browser has it after everything ran."""
    asked_for: frozenset[str]
    """Every address with a host that the page led to a request for."""
    picture: Path


def opened(page: Path, folder: Path) -> Seen:
    """Open a file in a browser, and look.

    Args:
        page: the file.
        folder: an empty folder for what the browser writes.
    """
    program = shutil.which("chromium") or ""
    need("browser", present=bool(program), reason="apt-get install chromium")
    log, picture = folder / "net.json", folder / "page.png"
    shown = subprocess.run(
        [
            program,
            *_QUIET,
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            "--window-size=1280,1600",
            f"--screenshot={picture}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    return Seen(shown, _addresses(json.loads(log.read_text())), picture)


def _addresses(log: dict[str, list[dict[str, object]]]) -> frozenset[str]:
    """What the page asked for; what the browser asks for on its own account names no origin."""
    found = set()
    for event in log["events"]:
        asked = event.get("params")
        if not isinstance(asked, dict) or "initiator" not in asked:
            continue
        address = str(asked.get("url", ""))
        of_the_page = asked["initiator"] != "not an origin" or "file://" in str(
            asked.get("network_isolation_key")
        )
        if of_the_page and address.startswith(("http:", "https:", "ws:", "wss:", "ftp:")):
            found.add(address)
    return frozenset(found)
