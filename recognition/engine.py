"""The two networks at work: faces found in a frame, and one face turned into a template.

Promises: only the detector and the recogniser of a package that was checked at this load are
loaded; one thread, one pass for each frame; an embedding is written by the network straight into
the buffer of the template that will be wiped, and the crop and the network's input are
overwritten after use; nothing is printed, downloaded or reported.

What stays: the activations of the last face, inside onnxruntime's working memory, until the next
face or ``forget_last_face`` overwrites them. The template itself is not among them.

Documents: insightface 2.1 (``FaceAnalysis``, ``SCRFD``, ``ArcFaceONNX``); the five points that
faces are aligned to are those of ArcFace (Deng et al. 2019), which SFace shares.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.kernel.errors import DomainError
from recognition.detections import Detection
from recognition.models import ModelError, ModelPackage, load_package
from recognition.precautions import keep_in_memory
from recognition.templates import Template

ALIGNED_SIDE = 112
"""Pixels: the width and height of an aligned face."""

_ALIGNED_LANDMARKS = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)
"""Where the landmarks lie in an aligned face: shape (5, 2), (x, y) in pixels, as published."""

_GRID = 32
"""Pixels: both sides of a detector's input are multiples of its coarsest cell."""

_FAINT_SCORE = 0.3
"""Half of the score that counts as a face: what hides behind others, turns away or is blurred."""

_LONGEST_SIDE = 32_766
"""Pixels: OpenCV aligns from no larger image."""

Image = NDArray[np.uint8]
"""uint8, shape (height, width, 3), colour order BGR, 0 to 255."""


class ImageError(DomainError):
    """This image, or the landmarks said to be in it, cannot be used."""


class Engine:
    """One process's own networks. Nothing that it is given is kept."""

    def __init__(
        self,
        package: ModelPackage,
        *,
        frame_size: tuple[int, int] | None = None,
        long_side: int = 640,
    ) -> None:
        """Check the package again, load its two networks and try each once.

        Args:
            package: what ``recognition.models.load_package`` answered.
            frame_size: (width, height) in pixels of the frames to come. One is tried at once, so
                that the first real one is not slower than the others.
            long_side: pixels, a multiple of 32: the longer side that a frame is scaled to for
                detection. Half of it takes a quarter of the time, and a face must be twice as
                large to be found.

        Raises:
            ModelError: the package is not (any more) what was loaded, or its networks are not a
                detector with five landmarks and a recogniser of the stated dimension.
            ValueError: a frame without pixels, or a long side that is no multiple of 32.
        """
        if long_side < _GRID or long_side % _GRID:
            raise ValueError(f"expected a long side in multiples of {_GRID}, found {long_side}")
        width, height = frame_size or (long_side, long_side)
        if width < 1 or height < 1:
            raise ValueError(f"expected a frame of 1 x 1 pixels or more, found {width} x {height}")
        found = load_package(package.path)
        if found.digest != package.digest:
            raise ModelError(
                f"expected the models {package.digest} in {package.path}, found {found.digest}: "
                "the package was exchanged since it was loaded"
            )
        self.package = package
        self.long_side = long_side
        self._detector, self._recogniser = _load(package.path)
        self._try(np.zeros((height, width, 3), np.uint8))

    def detect(self, image_bgr: Image, *, min_score: float = 0.6) -> list[Detection]:
        """Find the faces in one frame, in one pass of the detector.

        The frame is scaled to the long side, laid into the top left corner of a black rectangle
        of ``detection_size``, and what is found there is scaled back.

        Args:
            image_bgr: uint8, shape (height, width, 3), BGR.
            min_score: the least score of the detector that counts as a face, in (0, 1].

        Returns:
            The faces, highest score first. Boxes and landmarks are in pixels of the frame given;
            they may reach beyond it.

        Raises:
            ImageError: another form of array.
            ValueError: a score outside (0, 1].
        """
        _require_image(image_bgr)
        if not 0 < min_score <= 1:
            raise ValueError(f"expected a least score above 0 and up to 1, found {min_score}")
        height, width = image_bgr.shape[:2]
        size = detection_size(width, height, long_side=self.long_side)
        scale = self.long_side / max(width, height)
        scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = np.zeros((size[1], size[0], 3), np.uint8)
        canvas[: scaled[1], : scaled[0]] = cv2.resize(image_bgr, scaled)
        boxes, landmarks = self._detector.detect(canvas, input_size=size, det_thresh=min_score)
        back = np.array([width / scaled[0], height / scaled[1]])
        return [_detection(box, points, back) for box, points in zip(boxes, landmarks, strict=True)]

    def detect_faint(self, image_bgr: Image) -> list[Detection]:
        """Find also what may be a face: to mask one too many is better than to overlook one.

        Args:
            image_bgr: uint8, shape (height, width, 3), BGR.

        Returns:
            As ``detect``, down to a score of 0.3.

        Raises:
            ImageError: another form of array.
        """
        return self.detect(image_bgr, min_score=_FAINT_SCORE)

    def align(self, image_bgr: Image, landmarks: NDArray[np.float32]) -> Image:
        """Turn, scale and shift a face so that its landmarks lie where the recogniser expects them.

        Args:
            image_bgr: uint8, shape (height, width, 3), BGR.
            landmarks: shape (5, 2), as in ``Detection``.

        Returns:
            uint8, shape (112, 112, 3), BGR, black where the image does not reach. The caller
            wipes it.

        Raises:
            ImageError: another form of array, or landmarks that are not finite or all in one
                place.
        """
        _require_image(image_bgr)
        aligned = np.empty((ALIGNED_SIDE, ALIGNED_SIDE, 3), np.uint8)
        matrix = alignment_matrix(landmarks)
        cv2.warpAffine(image_bgr, matrix, (ALIGNED_SIDE, ALIGNED_SIDE), dst=aligned)
        return aligned

    def embed(self, image_bgr: Image, landmarks: NDArray[np.float32]) -> Template:
        """Turn one face into a template, and leave nothing else of it behind.

        Args:
            image_bgr: uint8, shape (height, width, 3), BGR.
            landmarks: shape (5, 2), as in ``Detection``.

        Returns:
            A live template. The caller wipes it.

        Raises:
            ImageError: as for ``align``.
            TemplateError: the network gave no direction.
        """
        crop = self.align(image_bgr, landmarks)
        try:
            embedding = self._embedding(crop)
        finally:
            crop.fill(0)
        return Template(embedding, model_digest=self.package.digest)

    def forget_last_face(self) -> None:
        """Overwrite what onnxruntime's working memory still holds of the last face, with black."""
        self._embedding(np.zeros((ALIGNED_SIDE, ALIGNED_SIDE, 3), np.uint8))

    def _embedding(self, crop: Image) -> NDArray[np.float32]:
        """The recogniser's answer to an aligned face, in a buffer that nobody else has.

        Returns:
            float32, shape (d,), not of unit length.
        """
        network = self._recogniser
        embedding = np.empty(self.package.dimension, np.float32)
        blob = np.empty((1, 3, ALIGNED_SIDE, ALIGNED_SIDE), network.input_dtype)
        for buffer in (embedding, blob):
            keep_in_memory(buffer)
        try:
            blob[0] = crop[:, :, ::-1].transpose(2, 0, 1)  # planes in the order RGB
            if network.preprocessing != "embedded":
                blob -= np.float32(network.input_mean)
                blob *= np.float32(1 / network.input_std)
            binding = network.session.io_binding()
            place = ("cpu", 0)
            binding.bind_input(
                network.input_name, *place, blob.dtype.type, blob.shape, blob.ctypes.data
            )
            binding.bind_output(
                network.output_names[0],
                *place,
                np.float32,
                (1, len(embedding)),
                embedding.ctypes.data,
            )
            network.session.run_with_iobinding(binding)
        finally:
            blob.fill(0)
        return embedding

    def _try(self, frame: Image) -> None:
        """Run both networks once on black pixels.

        Raises:
            ModelError: one of them does not answer in the form that the manifest promises.
        """
        if not self._detector.use_kps:
            raise ModelError(
                f"expected a detector that answers five landmarks in {self.package.path}, found "
                f"{self.package.detector_file} with {len(self._detector.output_names)} outputs"
            )
        try:
            self.detect(frame)
            self._embedding(np.zeros((ALIGNED_SIDE, ALIGNED_SIDE, 3), np.uint8))
        except _failures() as error:
            raise ModelError(
                f"expected the networks in {self.package.path} to answer faces, and templates of "
                f"{self.package.dimension} numbers, as the manifest says: {error}"
            ) from error


def detection_size(width: int, height: int, *, long_side: int) -> tuple[int, int]:
    """The smallest rectangle in steps of 32 pixels that holds a frame scaled to the long side.

    1280 x 720 at 640 is 640 x 360 when scaled, so it needs 640 x 384.

    Returns:
        (width, height) in pixels.
    """
    longer = max(width, height)
    # -(-a // b) is a / b rounded up.
    steps = (-(-side * long_side // (longer * _GRID)) for side in (width, height))
    across, down = steps
    return across * _GRID, down * _GRID


def alignment_matrix(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """The turn, scale and shift that best lays five landmarks onto those of an aligned face.

    With both sets of points written as complex numbers and centred, a similarity is p -> a p, and
    the a with the least squares is sum(conj(p) q) / sum(|p|^2): |a| scales, its angle turns.

    Args:
        landmarks: shape (5, 2), (x, y) in pixels of the image.

    Returns:
        float64, shape (2, 3): from pixels of the image to pixels of the aligned face.

    Raises:
        ImageError: another shape, not finite, or all in one place.

    Source: Umeyama 1991, "Least-squares estimation of transformation parameters between two point
        patterns", equations 40 to 42, in two dimensions and without reflection.
    """
    if landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        raise ImageError(
            f"expected five finite landmarks of shape (5, 2), found shape {landmarks.shape}"
        )
    points = landmarks.astype(np.float64) @ (1, 1j)
    targets = _ALIGNED_LANDMARKS @ (1, 1j)
    centred = points - points.mean()
    spread = np.vdot(centred, centred).real
    if spread == 0:
        raise ImageError("expected five landmarks of a face, found all of them in one place")
    factor = np.vdot(centred, targets - targets.mean()) / spread
    shift = targets.mean() - factor * points.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def _detection(
    box: NDArray[np.float32], landmarks: NDArray[np.float32], back: NDArray[np.float64]
) -> Detection:
    """One answer of the detector in pixels of the frame.

    Args:
        box: shape (5,): x1, y1, x2, y2 on the canvas, and the score.
        landmarks: shape (5, 2), on the canvas.
        back: shape (2,): from the canvas to the frame, for x and y.
    """
    x1, y1, x2, y2 = (box[:4].astype(np.float64) * np.tile(back, 2)).tolist()
    return Detection(
        box=(x1, y1, x2, y2),
        landmarks=(landmarks * back).astype(np.float32),
        score=float(box[4]),
    )


def _require_image(image: Image) -> None:
    """Refuse what OpenCV would misread in silence.

    Raises:
        ImageError: not uint8, not of shape (height, width, 3), or with a side of 0 or beyond what
            OpenCV takes.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"expected an image as a numpy array, found {type(image).__name__}")
    shape = image.shape
    if image.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        raise ImageError(
            f"expected an image of uint8 and shape (height, width, 3), found {image.dtype} of "
            f"shape {shape}"
        )
    if not all(0 < side <= _LONGEST_SIDE for side in shape[:2]):
        raise ImageError(
            f"expected an image with sides of 1 to {_LONGEST_SIDE} pixels, found {shape[1]} x "
            f"{shape[0]}"
        )


def _load(path: Path) -> tuple[Any, Any]:
    """insightface's detector and recogniser, on one thread that sleeps while it has no work.

    Raises:
        ModelError: the files are not networks that insightface can load.
    """
    # Imported here: most of a second and 100 MB, for processes that look at pictures only.
    import onnxruntime
    from insightface.app import FaceAnalysis

    logging.getLogger("insightface").setLevel(logging.CRITICAL)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    try:
        networks = FaceAnalysis(
            name=str(path.resolve()),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
            sess_options=options,
            static_shape_sessions=False,  # one session for frames of any size
        ).models
    except _failures() as error:
        raise ModelError(
            f"expected two networks that insightface can load in {path}: {error}"
        ) from error
    return networks["detection"], networks["recognition"]


def _failures() -> tuple[type[Exception], ...]:
    """What insightface and onnxruntime raise for files that are not the networks they expect."""
    from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

    return (
        AssertionError,
        IndexError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        onnx_errors.Fail,
        onnx_errors.InvalidArgument,
        onnx_errors.InvalidGraph,
        onnx_errors.InvalidProtobuf,
        onnx_errors.NotImplemented,
    )
