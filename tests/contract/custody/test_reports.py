"""``plumbline report``: the verifier's own figures, as a page, as JSON and as a certificate."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest

from domain.assurance.verification import LIMITS, Kind
from domain.kernel.commands import Mode
from domain.kernel.time import written
from domain.services.inventory import take_stock
from domain.services.rechecking import enrol
from infrastructure.premises import Premises
from infrastructure.seal.rotation import KeyRegister
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealing import Sealing
from tests.contract.packs.test_verifier_alone import plumbline
from tests.support.builders import AT, DAY, DEPLOYMENT, WINDOW
from tests.support.memory import MemoryRecord
from tests.support.scenarios import Scene

ITEMS = 7
EVERYTHING = {
    "class",
    "registered",
    "destroyed_in_time",
    "destroyed_late",
    "held",
    "remaining",
    "oldest_age_s",
    "limit_s",
}


@contextmanager
def on_premises(path: Path) -> Iterator[Scene]:
    """A scene over the stores of a node, which is stocked and sealed at its end."""
    premises, scene = Premises(path), Scene()
    with premises.alone():
        premises.found(Mode.REHEARSAL)
        record = premises.open_record(Mode.REHEARSAL, scene.clock)
        vault = premises.open_vault()
        sealer = premises.sealer(record.origin, new=True)
        sealing = Sealing(record, scene.clock, sealer, ScopeSecrets(premises.seal))
        KeyRegister(sealing).settle()
        scene.record = cast(MemoryRecord, record)
        rechecker = premises.rechecker(enrol=lambda name, key: enrol(scene.outside, name, key))
        scene.outside = type(scene.outside)(record, vault, scene.clock, scene.identities, rechecker)
        try:
            yield scene
            take_stock(scene.outside, rechecker)
            sealing.seal()
        finally:
            rechecker.close()
            vault.close()
            record.close()


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment of which nothing is left."""
    path = tmp_path_factory.mktemp("emptied") / "data"
    with on_premises(path) as scene:
        scene.running().alerted().later(timedelta(hours=1)).stopped().ended()
    return path


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment whose possible match was kept for a second too long."""
    path = tmp_path_factory.mktemp("late") / "data"
    with on_premises(path) as scene:
        scene.running().alerted().later(DAY + timedelta(seconds=1)).stopped().ended()
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment that was never ended."""
    path = tmp_path_factory.mktemp("running") / "data"
    with on_premises(path) as scene:
        scene.running().alerted()
    return path


def report(data: Path, *options: object, code: int = 0) -> dict[str, Any]:
    """The JSON of a report."""
    done = plumbline("report", "custody", "--json", "--data", data, *options)
    assert done.returncode == code, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_report_says_what_was_asked_for(emptied: Path) -> None:
    """Class by class, the inventory, the signs of life, and whether all is well."""
    told = report(emptied)
    assert all(one.keys() >= EVERYTHING for one in told["classes"])
    assert sum(one["registered"] for one in told["classes"]) == ITEMS
    assert sum(one["destroyed_in_time"] for one in told["classes"]) == ITEMS
    assert {"keystore", "media", "orphans", "resurrected", "at"} <= told["inventory"].keys()
    assert (told["sound"], told["heartbeat_gaps"]) == (True, [])
    assert set(LIMITS) <= set(told["not_shown"])
    assert {one["levels"]["L3"] for one in told["classes"]} == {1}
    assert all("L5" not in one["levels"] for one in told["classes"])


def test_every_figure_can_be_added_up_again(late: Path) -> None:
    """From the entries at the places that are listed, and no other."""
    told = report(late, code=Kind.OVERDUE.exit_code)
    entries = {}
    with closing(sqlite3.connect(late / "record/record.db")) as connection:
        for position, state in connection.execute("SELECT position, state FROM stored_events"):
            entries[position] = json.loads(state)
    kinds = {"registered": "item.registered"}
    for one in told["classes"]:
        assert one["positions"].keys() <= {
            *("registered", "destroyed_in_time", "destroyed_late", "L3", "L4")
        }
        for figure, places in one["positions"].items():
            if figure in one:
                assert len(set(places)) == one[figure]
            found = [entries[place] for place in places]
            assert {entry["name"] for entry in found} == {kinds.get(figure, "item.destroyed")}
            assert {entry["body"]["item_class"] for entry in found} == {one["class"]}
    assert sum(one["destroyed_late"] for one in told["classes"]) == 4


def test_report_and_verifier_say_the_same(emptied: Path, late: Path) -> None:
    """It is the same fold: same exit code, same findings."""
    for data in (emptied, late):
        told = plumbline("report", "custody", "--json", "--data", data)
        verified = plumbline("verify", data, "--key", data / "seal/log.vkey")
        assert verified.returncode == told.returncode
        findings = re.findall(r"finding at position (\d+): .* \((\w+)\)", verified.stdout)
        assert [
            (str(one["position"]), one["code"]) for one in json.loads(told.stdout)["findings"]
        ] == (findings)


def test_a_time_asks_how_it_was_or_will_be(running: Path) -> None:
    """What was recorded by then; and what is overdue by then though nothing was recorded since."""
    hours = timedelta(hours=9)
    told = report(running, "--as-of", written(AT + hours))
    assert {one["remaining"] for one in told["classes"]} == {1}
    face = next(one for one in told["classes"] if one["class"] == "face_crop")
    assert (face["oldest_age_s"], face["limit_s"]) == (9 * 3600, 24 * 3600)
    assert face["next_due_at"] == written(AT + DAY)
    late = report(
        running, "--as-of", written(AT + DAY + timedelta(seconds=1)), code=Kind.OVERDUE.exit_code
    )
    assert Counter(one["code"] for one in late["findings"]) == {"overdue": 4}
    assert report(running, "--as-of", written(AT - hours))["classes"] == []
    key = ["--key", running / "seal/log.vkey"]
    then = ["--as-of", written(AT + WINDOW + DAY + timedelta(seconds=1))]
    assert plumbline("verify", running, *key).returncode == 0
    assert plumbline("verify", running, *key, *then).returncode == Kind.OVERDUE.exit_code
    assert plumbline("verify", running, *key, "--as-of", "noon").returncode == 2


class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    VOID = frozenset({"meta", "polygon", "polyline", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.labels: list[str] = []
        self.attributes: Counter[str] = Counter()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Each must be closed again."""
        self.attributes.update(name for name, _ in attrs)
        if tag == "svg":
            told = dict(attrs)
            assert told["role"] == "img"
            self.labels.append(told["aria-label"] or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing to close."""

    def handle_endtag(self, tag: str) -> None:
        """The one that was opened last."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("which", ["emptied", "late", "running"])
def test_the_page_can_be_read_by_anyone_and_leads_nowhere(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Well formed, a text beside each plot, marked as a rehearsal, nothing from outside."""
    data = request.getfixturevalue(which)
    plumbline("report", "custody", "--data", data, "-o", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.labels) == ITEMS
    assert all("of its limit" in one for one in page.labels)
    assert not page.attributes.keys() & {"src", "href", "onload", "onclick"}
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?:", text)
    assert "REHEARSAL" in text
    assert all(limit in text for limit in LIMITS)
    assert ("LATE" in text or "had to be gone" in text) is (which == "late")


def test_a_certificate_from_the_command_line(emptied: Path, late: Path, tmp_path: Path) -> None:
    """Of what is gone; verified with the key alone."""
    for name, data, code in (("yes", emptied, 0), ("late", late, Kind.OVERDUE.exit_code)):
        target = tmp_path / name
        done = plumbline("report", "certificate", DEPLOYMENT.hex, "-o", target, "--data", data)
        assert done.returncode == 0, done.stderr
        Page((target / "data/certificate.html").read_text("utf-8"))
        verified = plumbline("verify", target, "--key", data / "seal/log.vkey")
        assert verified.returncode == code
        assert "CERTIFICATE as of" in verified.stdout


def test_a_deployment_that_is_not_empty_is_refused_in_words(running: Path, tmp_path: Path) -> None:
    """Which are left, and nothing is written."""
    done = plumbline(
        "report", "certificate", DEPLOYMENT.hex, "-o", tmp_path / "no", "--data", running
    )
    assert done.returncode == 4
    assert "is not certified: the deployment is not over; 1 of class alert_detail are left" in (
        done.stderr
    )
    assert list(tmp_path.iterdir()) == []
