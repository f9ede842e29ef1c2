"""Every report of a rehearsal opens in a real browser, and asks for nothing from anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.rehearsal.conftest import Played, spoken
from tests.support.browser import opened

REPORTS = {
    "deployment": ("deployment", "DEPLOYMENT"),
    "application": ("application", "DEPLOYMENT"),
    "decisions": ("decisions",),
    "refusals": ("refusals",),
    "operations": ("operations", "--purpose", "self-monitoring"),
    "annual": ("annual", "--from", "2000-01-01", "--to", "2099-12-31"),
    "equality": ("equality",),
    "processing": ("processing",),
    "dpia": ("dpia",),
    "camera-code": ("camera-code",),
    "custody": ("custody",),
}


def written(played: Played, name: str, folder: Path) -> Path:
    """The page of a report."""
    deployment = played.summary["deployment"]
    asked = [deployment if one == "DEPLOYMENT" else one for one in REPORTS[name]]
    target = folder / ("custody.html" if name == "custody" else name)
    ended, _, complained = spoken("report", *asked, "--data", str(played.data), "-o", str(target))
    assert ended == 0, complained
    return target if name == "custody" else next(target.glob("*.html"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_opens_and_asks_for_nothing(played: Played, tmp_path: Path, name: str) -> None:
    page = written(played, name, tmp_path)
    seen = opened(page, tmp_path)
    assert "REHEARSAL" in seen.shown and "</h2>" in seen.shown
    assert seen.asked_for == frozenset()
    with Image.open(seen.picture) as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=picture.width * picture.height)
    assert colours is not None and len(colours) > 10, "the page is not blank"


def test_a_page_that_asks_for_something_is_found_out(tmp_path: Path) -> None:
    """The control: one picture from elsewhere, on a port that nobody listens on."""
    page = tmp_path / "page.html"
    page.write_text('<table></table><img src="http://127.0.0.1:9/face.png">')
    assert opened(page, tmp_path).asked_for == {"http://127.0.0.1:9/face.png"}


def test_a_report_keeps_a_page_from_asking(played: Played, tmp_path: Path) -> None:
    """Even if something were written into it: its own policy lets nothing be loaded."""
    page = written(played, "dpia", tmp_path)
    spoilt = page.read_text().replace("<h1>", '<img src="http://127.0.0.1:9/face.png"><h1>')
    assert spoilt != page.read_text()
    page.write_text(spoilt)
    assert opened(page, tmp_path).asked_for == frozenset()
