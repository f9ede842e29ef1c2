"""What a person types about holds, arrests and copies; and what an import leaves lying."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.demo.watchlist import Listing
from api.rehearsal.imported import Left, exposure_of, removed
from domain.kernel.commands import Mode, Role
from recognition.engine import Engine
from tests.rehearsal.conftest import rehearse_command, run, spoken
from tests.support import builders as a
from tests.support.keeping import COPY, registered
from tests.support.scenarios import Scene, agreed


@dataclass(frozen=True)
class Played:
    """A rehearsal with footage, which left its list lying."""

    data: Path
    told: str

    def says(self, *words: str, code: int = 0) -> str:
        """What a command answers there, and on standard error."""
        ended, told, complained = spoken(*words, "--data", str(self.data))
        assert ended == code, told + complained
        return told + complained

    def json(self, *words: str) -> Any:
        """What it answers to a program, line by line where it has several."""
        _, told, _ = spoken(*words, "--json", "--data", str(self.data))
        return json.loads(told)

    def entries(self, deployment: str, kind: str) -> list[dict[str, Any]]:
        """The entries of a kind."""
        asked = ("replay", deployment, "--json", "--kind", kind, "--data", str(self.data))
        return [json.loads(line) for line in spoken(*asked)[1].splitlines()]


@pytest.fixture(scope="module")
def played(
    engine: Engine, clip: Path, listing: Listing, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """One rehearsal on the clip."""
    data = tmp_path_factory.mktemp("kept") / "data"
    arguments = [one for one in rehearse_command(listing, clip, data) if one != "--json"]
    done = run([*arguments, "--footage"])
    assert done.returncode == 0, done.stderr
    return Played(data, done.stdout)


def in_days(many: int) -> str:
    """A time so many days from now."""
    return (datetime.now(UTC) + timedelta(days=many)).isoformat(timespec="seconds")


# -- holds ---------------------------------------------------------------------------------------


def test_two_persons_keep_a_segment_and_one_of_them_lets_it_go(played: Played) -> None:
    """Asked for, refused to the asker, approved, listed, reviewed, released."""
    (segment,) = played.json("footage", "list")
    asked = ("hold", "request", segment["item"][:8], "--deployment", segment["deployment"])
    case = ("--ground", "complaint", "--case", "psd-2026-118", "--review-by", in_days(20))
    assert "nothing is kept until another" in played.says(*asked, *case, "--actor", "legal-1")
    (hold,) = played.json("hold", "list")
    assert (hold["state"], hold["items"], hold["ground"]) == ("requested", 1, "complaint")
    which = hold["hold"][:8]
    assert "same_person" in played.says("hold", "approve", which, "--actor", "legal-1", code=3)
    assert "code such as" in played.says("hold", "approve", which, "--actor", "Mr Smith", code=4)
    assert "keeps 1 items until" in played.says("hold", "approve", which, "--actor", "iao-1")
    assert played.json("hold", "list")[0]["state"] == "counts"
    review = ("hold", "review", which, "--review-by", in_days(27), "--actor", "iao-1")
    assert "keeps 1 items until" in played.says(*review)
    told = played.says("replay", segment["deployment"])
    assert "hold.approved" in told
    assert "item.held" in told
    assert "is released" in played.says("hold", "release", which, "--actor", "iao-1")
    assert played.json("hold", "list")[0]["state"] == "released"
    assert played.json("footage", "list")[0]["item"] == segment["item"]


def test_a_hold_on_what_is_no_footage_is_refused_on_the_record(played: Played) -> None:
    """A face is gone by then, and is no footage either."""
    (segment,) = played.json("footage", "list")
    face = next(
        entry["stream"]
        for entry in played.entries(segment["deployment"], "item")
        if entry["name"] == "item.registered" and entry["body"]["item_class"] == "face_crop"
    )
    told = played.says(
        *("hold", "request", face, "--deployment", segment["deployment"], "--ground", "mopi"),
        *("--case", "psd-1-1", "--review-by", in_days(5), "--actor", "legal-1"),
        code=3,
    )
    assert "biometric_no_exception" in told
    assert "hold.request_refused" in played.says("replay", segment["deployment"], "--refusals")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("hold", "approve", "ffff", "--actor", "iao-1"), "no hold"),
        (("hold", "approve", "ffff"), "Missing option"),
    ],
)
def test_what_cannot_be_meant_is_said(played: Played, words: tuple[str, ...], found: str) -> None:
    """With an exit code of the command line, never a traceback."""
    code, _, complained = spoken(*words, "--data", str(played.data))
    assert code in (2, 4)
    assert found.lower() in complained.lower()


# -- arrests -------------------------------------------------------------------------------------


def test_an_arrest_is_recorded_with_its_decision_or_not_at_all(played: Played) -> None:
    """Even when everything is gone: nothing moves is a decision too."""
    (deployment,) = {one["deployment"] for one in played.json("footage", "list")}
    alerts = played.entries(deployment, "alert")
    alert = next(one["stream"] for one in alerts if one["name"] == "alert.raised")
    viable = any(
        one["name"] == "alert.adjudicated" and one["body"]["decision"] == "viable"
        for one in alerts
        if one["stream"] == alert
    )
    told = played.says("alert", "arrest", alert[:8], "--actor", "officer-1", code=3)
    assert "retention_not_decided" in told
    decided = ("--decision", "nothing_moved", "--basis", "not-relevant", "--actor", "officer-1")
    told = played.says("alert", "arrest", alert[:8], *decided, code=0 if viable else 3)
    assert ("is recorded: nothing_moved" in told) == viable
    assert ("alert_not_viable" in told) != viable


# -- copies --------------------------------------------------------------------------------------


def test_what_an_import_leaves_is_registered_and_ends_with_two_persons(played: Played) -> None:
    """The file and the folder; then nothing is left of the list."""
    assert "copies of the list are left outside: csv, image_folder" in played.told
    (listed,) = played.json("copies", "list")
    assert {one["kind"]: one["state"] for one in listed["copies"]} == {
        "csv": "open",
        "image_folder": "open",
    }
    for one in listed["copies"]:
        destroyed = ("copies", "destroyed", one["copy"][:8], "--method", "unlinked")
        looked = ("copies", "verified", one["copy"][:8], "--probe", "looked-by-name")
        assert "another person has to look" in played.says(*destroyed, "--actor", "manager-1")
        assert "same_person" in played.says(*looked, "--actor", "manager-1", code=3)
        assert "is gone" in played.says(*looked, "--actor", "iao-1")
    assert "nothing is left of it" in played.says("copies", "list")
    kinds = ("--kind", "laptop", "--location", "vehicle", "--holder", "operator")
    found = ("copies", "register", "--watchlist", listed["watchlist"][:8], *kinds)
    assert "is registered" in played.says(*found, "--actor", "manager-1")
    assert "1 copies of 1 lists are open" in played.says("copies", "list")
    report = played.json("report", "custody")
    assert (report["copies"]["registered"], report["copies"]["gone"]) == (3, 2)
    assert [one["kind"] for one in report["copies"]["left"]] == ["laptop"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can reach."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        (0o600, "owner-only"),
        (0o640, "others-may-read"),
        (0o604, "others-may-read"),
        (0o620, "others-may-write"),
        (0o666, "others-may-write"),
    ],
)
def test_who_could_read_or_change_a_file_is_known(folder: Path, mode: int, found: str) -> None:
    """Its group are others too."""
    file = folder / "list.csv"
    file.touch()
    file.chmod(mode)
    assert exposure_of(file) == found


def test_a_folder_above_decides_too(folder: Path) -> None:
    """Closed, it hides what is below; open to write, what is below can be replaced."""
    inside = folder / "inside"
    inside.mkdir(mode=0o755)
    file = inside / "list.csv"
    file.touch()
    file.chmod(0o644)
    assert exposure_of(file) == "others-may-read"
    inside.chmod(0o777)
    assert exposure_of(file) == "others-may-write"
    inside.chmod(0o1777)
    assert exposure_of(file) == "others-may-read"
    inside.chmod(0o700)
    assert exposure_of(file) == "owner-only"
    other = Path(f"{folder}.link")
    other.symlink_to(file)
    inside.chmod(0o755)
    try:
        assert exposure_of(other) == "others-may-read"
    finally:
        other.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_anothers_can_be_changed_by_them(folder: Path) -> None:
    """Whatever its mode."""
    file = folder / "list.csv"
    file.touch()
    file.chmod(0o600)
    os.chown(file, 12345, -1)
    assert exposure_of(file) == "others-may-write"


def to_remove(scene: Scene, *files: Path, tells: list[str]) -> None:
    """Remove what was imported; the scene has registered it."""
    person = {"mode": Mode.REHEARSAL, "scope": a.DEPLOYMENT.hex, "role": Role.WATCHLIST_MANAGER}
    removed(
        scene.outside,
        [Left(COPY, "image_folder", files[0].parent, files)],
        watchlist=a.WATCHLIST,
        by={"actor": "stand-in:manager-1", **person},  # type: ignore[typeddict-item]
        verifier={"actor": "stand-in:manager-2", **person},  # type: ignore[typeddict-item]
        tell=tells.append,
    )


def test_what_was_imported_is_removed_and_nothing_else(folder: Path) -> None:
    """What else lies in the folder is not ours; an emptied folder goes too."""
    scene, tells = Scene().running(), list[str]()
    agreed(registered(scene, kind="image_folder"))
    mine, other = folder / "a.jpg", folder / "other.jpg"
    mine.touch()
    other.touch()
    to_remove(scene, mine, tells=tells)
    assert (mine.exists(), other.exists(), tells) == (False, True, [])
    assert scene.names()[-2:] == ["copy.destroyed", "copy.absence_verified"]


@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_removing_a_link_is_not_called_a_destruction(folder: Path, how: str) -> None:
    """The photograph lies elsewhere still: the copy stays open."""
    scene, tells = Scene().running(), list[str]()
    agreed(registered(scene, kind="image_folder"))
    real = folder / "real"
    real.mkdir()
    (real / "a.jpg").touch()
    link = folder / "a.jpg"
    if how == "symbolic":
        link.symlink_to(real / "a.jpg")
    else:
        link.hardlink_to(real / "a.jpg")
    to_remove(scene, link, tells=tells)
    assert link.exists()
    assert "linked" in tells[0]
    assert scene.names()[-1] == "copy.registered"


def test_what_cannot_be_removed_stays_open(folder: Path) -> None:
    """It was gone already: who removed it, nobody knows."""
    scene, tells = Scene().running(), list[str]()
    agreed(registered(scene, kind="image_folder"))
    to_remove(scene, folder / "never.jpg", tells=tells)
    assert "could not be removed" in tells[0]
    (copies,) = scene.survey().copies.values()
    assert [one.registered.copy for one in copies.open] == [COPY]


def test_a_rehearsal_that_deletes_what_it_imported(
    engine: Engine, clip: Path, listing: Listing, tmp_path: Path
) -> None:
    """And says in the record that a second person looked."""
    mine = Listing(tmp_path / "list.csv", tmp_path / "images")
    shutil.copy(listing.csv, mine.csv)
    shutil.copytree(listing.images, mine.images)
    data = tmp_path / "data"
    done = run([*rehearse_command(mine, clip, data), "--delete-imported"])
    assert done.returncode == 0, done.stderr
    assert not mine.csv.exists()
    assert not mine.images.exists()
    (listed,) = Played(data, done.stdout).json("copies", "list")
    assert (listed["destroyed"], {one["state"] for one in listed["copies"]}) == (True, {"gone"})
