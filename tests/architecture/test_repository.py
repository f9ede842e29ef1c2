"""What is kept in the repository: text; no face, no model, nothing of anybody's machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from infrastructure.record.schema import MIGRATIONS

REPOSITORY = Path(__file__).parents[2]
LARGEST = 900 * 1024


@cache
def files() -> tuple[Path, ...]:
    """What git tracks, and what it would track once added."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    asked = [*git, "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode()
    # a link may point out of the repository; a file may have been removed and not yet committed
    paths = [REPOSITORY / name for name in told.split("\0") if name]
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


# Written so that no pattern is an example of itself.
MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:home|root|Users|work|mnt|workspace)/[\w.]")
REGISTRY = re.compile(
    rb"(?:pypi|pythonhosted|npmjs|conda\.anaconda)\.(?:org|com)|registry\.\w|/simple/?[\"'\s]"
    rb"|--(?:extra-)?index-url[ =]\S|find-links[ =]\S"
)
BINARY = re.compile(
    rb"\A(?:\x89PNG|\xff\xd8\xff|GIF8[79]a|BM.{4}\x00\x00\x00\x00|II\x2a\x00|MM\x00\x2a|RIFF....WEBP"
    rb"|RIFF....AVI |.{4}ftyp|\x1a\x45\xdf\xa3|\x00\x00\x01[\xb3\xba]|FLV|\x93NUMPY|PK\x03\x04"
    rb"|\x1f\x8b|\x80[\x02-\x05]|SQLite format 3|\x89HDF|\x08[\x01-\x0a]\x12)",
    re.DOTALL,
)
"""How images, videos, arrays, archives, pickles, databases and ONNX models begin."""
BINARY_NAME = re.compile(
    r".*\.(?:png|jpe?g|gif|bmp|tiff?|webp|heic|avif|ico|mp4|m4v|mov|avi|mkv|webm|onnx|pt|pth|"
    r"tflite|pb|h5|safetensors|bin|npy|npz|pkl|pickle|zip|gz|tgz|whl|db|sqlite3?|pyc|so)",
    re.IGNORECASE,
)


def too_large(path: Path) -> bool:
    """More than anyone could review."""
    return path.stat().st_size > LARGEST


def names_the_machine(path: Path) -> bool:
    """A path that exists on somebody's machine only."""
    return MACHINE_PATH.search(path.read_bytes()) is not None


def names_a_registry(path: Path) -> bool:
    """The address of a package index, or the option that gives one."""
    return REGISTRY.search(path.read_bytes()) is not None


def is_binary(path: Path) -> bool:
    """An image, a video, a model, an archive: by its name, its first bytes, or not being text."""
    content = path.read_bytes()
    return (
        BINARY_NAME.fullmatch(path.name) is not None
        or BINARY.match(content) is not None
        or b"\0" in content
    )


Search = Callable[[Path], bool]


@pytest.mark.parametrize("search", [too_large, names_the_machine, names_a_registry, is_binary])
def test_no_file_in_the_repository_is_what_it_must_not_be(search: Search) -> None:
    """Every file, whatever its kind."""
    assert len(files()) > 100
    assert [str(path.relative_to(REPOSITORY)) for path in files() if search(path)] == []


@pytest.mark.parametrize(
    ("search", "name", "content"),
    [
        (too_large, "notes.txt", b"x" * (LARGEST + 1)),
        (names_the_machine, "a.py", b"DATA = '/ho" + b"me/someone/data'"),
        (names_the_machine, "a.md", b"see /ro" + b"ot/.cache"),
        (names_a_registry, "a.toml", b"https://py" + b"pi.org/"),
        (names_a_registry, "a.lock", b"--index" + b"-url https://example.org"),
        (names_a_registry, "a.sh", b"mirror.example.org/sim" + b"ple\n"),
        (is_binary, "face.txt", b"\x89PNG\r\n\x1a\n"),
        (is_binary, "face.dat", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        (is_binary, "walk.txt", b"\x00\x00\x00\x18ftypmp42"),
        (is_binary, "model.txt", b"\x08\x08\x12\x07pytorch"),
        (is_binary, "templates", b"\x93NUMPY\x01\x00"),
        (is_binary, "face.PNG", b"text under the wrong name"),
        (is_binary, "anything", b"text with a \0 in it"),
    ],
)
def test_a_file_that_must_not_be_there_is_found(
    tmp_path: Path, search: Search, name: str, content: bytes
) -> None:
    """So the searches above can fail; and plain text is let through by each."""
    (tmp_path / name).write_bytes(content)
    assert search(tmp_path / name)
    (tmp_path / "plain.py").write_text("# ~/.cache, /tmp/x and the /work of a day; simple é\n")
    assert not search(tmp_path / "plain.py")


def test_the_migrations_are_in_the_repository() -> None:
    """Found from where the code lies, and kept where everyone gets them."""
    scripts = [path for path in files() if path.parent == MIGRATIONS / "versions"]
    assert MIGRATIONS / "env.py" in files()
    assert MIGRATIONS / "versions" / "0001_record.py" in scripts
