"""Bad input gets a clear error and loses nothing: exit code not 0, and the record verifies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api.bootstrap import verify_premises
from api.cli import main
from api.demo.watchlist import Listing
from domain.assurance.verification import Kind
from recognition.engine import Engine

Spoil = Callable[[Listing, Path, Path], dict[str, object]]


def _csv(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
        listing.csv.write_bytes(change(listing.csv.read_bytes()))
        return {}

    return spoil


def _image(content: bytes) -> Spoil:
    def spoil(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
        (listing.images / "listed-2.jpg").write_bytes(content)
        return {}

    return spoil


def _video(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
        (folder / "spoilt.mp4").write_bytes(change(clip.read_bytes()))
        return {"--video": folder / "spoilt.mp4"}

    return spoil


def _option(name: str, value: object) -> Spoil:
    return lambda listing, clip, folder: {name: value}


def _no_image(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
    (listing.images / "listed-2.jpg").unlink()
    return {}


def _extra_image(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
    (listing.images / "someone.jpg").write_bytes(b"x")
    return {}


def _two_faces(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
    import cv2
    import numpy as np

    one = cv2.imread(str(listing.images / "listed-1.jpg"))
    assert one is not None
    both = np.concatenate([one, one], axis=1)
    cv2.imwrite(str(listing.images / "listed-2.jpg"), both)
    return {}


def _no_face(listing: Listing, clip: Path, folder: Path) -> dict[str, object]:
    import cv2
    import numpy as np

    cv2.imwrite(str(listing.images / "listed-2.jpg"), np.full((400, 300, 3), 90, np.uint8))
    return {}


def _damaged(content: bytes) -> bytes:
    """Noise over a piece of the pictures' own bytes, behind the first second."""
    third = len(content) // 3
    return content[:third] + bytes(range(256)) * 64 + content[third + 256 * 64 :]


BAD = {
    "corrupt video": (_video(_damaged), 4, "found damage"),
    "zero-length video": (_video(lambda content: b""), 4, "spoilt.mp4"),
    "video that is no video": (_video(lambda content: b"hello" * 1000), 4, "spoilt.mp4"),
    "video that ends mid-stream": (
        _video(lambda content: content[: len(content) // 2]),
        4,
        "spoilt.mp4",
    ),
    "video that is missing": (_option("--video", "/nonexistent/x.mp4"), 4, "x.mp4"),
    "a live address": (
        _option("--video", "rtsp://user:secret@camera.invalid/stream"),
        3,
        "source_does_not_fit_the_mode",
    ),
    "a live address over http": (
        _option("--video", "http://camera.invalid/"),
        3,
        "source_does_not_fit_the_mode",
    ),
    "an address of another kind": (
        _option("--video", "file:///tmp/walk.mp4"),
        3,
        "expected file in rehearsal use, found another kind",
    ),
    "a directory of somebody's photographs as --data": (
        lambda listing, clip, folder: {"--data": listing.images},
        4,
        "is not empty and holds 2 things",
    ),
    "an empty text as --data": (_option("--data", ""), 4, "found an empty text"),
    "a device": (_option("--video", "/dev/video0"), 3, "source_does_not_fit_the_mode"),
    "NaN threshold": (_option("--threshold", "NaN"), 4, "NaN"),
    "a threshold of 1": (_option("--threshold", "1"), 4, "above 0 and below 1"),
    "a threshold that is a word": (_option("--threshold", "high"), 4, "high"),
    "wrong CSV encoding": (_csv(lambda raw: raw.decode().encode("utf-16")), 4, "UTF-16"),
    "Latin-1 in the CSV": (_csv(lambda raw: raw + "é".encode("latin-1")), 4, "at byte"),
    "a column for a name": (
        _csv(lambda raw: raw.replace(b"entry_ref,", b"surname,entry_ref,", 1)),
        4,
        "column surname would hold a name",
    ),
    "a column for a date of birth": (
        _csv(lambda raw: raw.replace(b"entry_ref,", b"Date of Birth,entry_ref,", 1)),
        4,
        "would hold a date of birth",
    ),
    "an unknown code": (_csv(lambda raw: raw.replace(b",W2,", b",W9,")), 4, "unknown_code"),
    "an image that is no image": (_image(b"not a jpeg"), 4, "line 3"),
    "an image of zero bytes": (_image(b""), 4, "image_unreadable"),
    "an image without a face": (_no_face, 4, "no_face"),
    "an image with two faces": (_two_faces, 4, "two_faces"),
    "a row without an image": (_no_image, 4, "row_without_image"),
    "an image without a row": (_extra_image, 4, "image_without_row"),
    "a folder that is missing": (_option("--images", "/nonexistent"), 4, "/nonexistent"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_clearly_and_leaves_nothing(
    case: str,
    engine: Engine,
    clip: Path,
    own_listing: Listing,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error says what is wrong; nothing half-imported stays; the record still verifies."""
    spoil, code, words = BAD[case]
    data = tmp_path / "data"
    options: dict[str, object] = {
        "--watchlist": own_listing.csv,
        "--images": own_listing.images,
        "--video": clip,
        "--data": data,
    }
    options |= spoil(own_listing, clip, tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["plumbline", "rehearse", *(str(x) for pair in options.items() for x in pair)]
    )
    with pytest.raises(SystemExit) as exit_code:
        main()
    told = capfd.readouterr().err
    assert (exit_code.value.code, words in told) == (code, True), told
    assert "Traceback" not in told and "secret" not in told
    if data.exists():
        assert not [path for path in (data / "media").rglob("*") if path.is_file()]
        key = (data / "seal" / "log.vkey").read_text(encoding="utf-8")
        verdict = verify_premises(data, key_text=key, outside_checkpoint=None)
        assert verdict.kind is Kind.SOUND, verdict
        assert b"secret" not in (data / "record" / "record.db").read_bytes()
