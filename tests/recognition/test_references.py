"""Reference photographs: what one face in a whole photograph is, and everything that is not."""

import io
import random
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFile, ImageOps

from recognition import references
from recognition.references import ReferenceReader, ReferenceUnfitError, read_image
from tests.recognition.conftest import installed_photograph

_TO_UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Each orientation of EXIF, and how the pixels of an upright picture lie in such a file."""


@pytest.fixture
def reader(engine):
    """Finds faces with the default models."""
    return ReferenceReader(engine.detect)


@pytest.fixture
def portrait(astronaut):
    """The one person, higher than wide: Pillow, 300 x 500, RGB."""
    return _pillow(astronaut).crop((100, 0, 400, 500))


def test_the_one_face_of_a_photograph_is_found(reader, astronaut):
    """With the photograph as it was decoded, and nothing that speaks against it."""
    reference = reader.examine(_encoded(astronaut, ".png"))
    assert np.array_equal(reference.image, astronaut)
    assert reference.detection.box == pytest.approx((179, 63, 269, 174), abs=3)
    assert reference.unfit is None


def test_a_photograph_of_six_people_is_refused_with_their_number(reader):
    """Which of them is meant, nobody could say later."""
    photograph = installed_photograph("insightface", "images/t1.jpg").read_bytes()
    assert _refusal(reader, photograph) == ("two_faces", "expected one face, found 6")


@pytest.mark.parametrize("name", ["brick.png", "coffee.png", "chelsea.png"])
def test_a_photograph_without_a_face_is_refused(reader, name):
    """A wall, a cup and a cat."""
    photograph = installed_photograph("skimage", name).read_bytes()
    assert _refusal(reader, photograph) == ("no_face", "expected one face, found none")


@pytest.mark.parametrize("score", [0.69, 0.7])
def test_what_the_detector_is_unsure_of_is_no_second_face(engine, astronaut, score):
    """At the least score it is one."""
    (face,) = engine.detect(astronaut)
    ghost = type(face)(box=(0, 0, 40, 50), landmarks=face.landmarks, score=score)
    reader = ReferenceReader(lambda image: [face, ghost])
    photograph = _encoded(astronaut, ".png")
    if score < references.LEAST_SCORE:
        assert reader.examine(photograph).detection is face
    else:
        assert _refusal(reader, photograph)[0] == "two_faces"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda image: cv2.GaussianBlur(image, (0, 0), 3), "blur"),
        (lambda image: cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=3), "resolution"),
        (lambda image: (image * 0.1).astype(np.uint8), "light"),
        (lambda image: image[:158], "occlusion"),
    ],
    ids=["blurred", "tiny", "dark", "cut off at the mouth"],
)
def test_a_face_that_is_not_good_enough_is_found_and_told_unfit(reader, astronaut, spoil, reason):
    """It is shown to whoever compiles the list, with the reason, and may not be enrolled."""
    spoilt = np.ascontiguousarray(spoil(astronaut))
    assert reader.examine(_encoded(spoilt, ".png")).unfit == reason


@pytest.mark.parametrize("orientation", _TO_UNDO)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_photograph_is_turned_upright_as_its_camera_noted(reader, portrait, orientation, kind):
    """Both decoders agree, so nobody is shown another picture than the one that was compared."""
    photograph = _turned(portrait, orientation, kind)
    expected = _bgr(portrait)
    with Image.open(io.BytesIO(photograph)) as image:
        assert image.getexif()[ExifTags.Base.Orientation] == orientation
        by_pillow = _bgr(ImageOps.exif_transpose(image))
    by_opencv = read_image(photograph)
    assert _difference(by_opencv, expected) == pytest.approx(0, abs=0 if kind == "PNG" else 3)
    assert _difference(by_opencv, by_pillow) < 1
    assert reader.examine(photograph).detection.box == pytest.approx((79, 63, 169, 174), abs=3)


def test_a_photograph_on_its_side_without_a_note_stays_so(portrait):
    """The tests above would pass on a reader that guesses, or on pixels that were never turned."""
    turned = portrait.transpose(_TO_UNDO[6])
    assert np.array_equal(read_image(_saved(turned, "PNG")), _bgr(turned))


def test_a_note_of_the_camera_that_makes_no_sense_is_no_reason_to_refuse(reader, portrait):
    """Cameras write odd notes; Pillow only warns, and warnings are errors in this test."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"\x0f\x01\x02\0\xff\xff\xff\0\xff\xff\0\0" * 2
    photograph = _saved(portrait, "JPEG", exif=exif)
    with pytest.warns(UserWarning), Image.open(io.BytesIO(photograph)):
        pass
    assert reader.examine(photograph).unfit is None


_TAKEN = {
    "grey PNG": lambda image: _saved(_pillow(image).convert("L"), "PNG"),
    "grey JPEG": lambda image: _saved(_pillow(image).convert("L"), "JPEG"),
    "grey with transparency": lambda image: _saved(_pillow(image).convert("LA"), "PNG"),
    "RGBA, all transparent": lambda image: _saved(_see_through(image), "PNG"),
    "palette": lambda image: _saved(_pillow(image).quantize(256), "PNG"),
    "CMYK": lambda image: _saved(_pillow(image).convert("CMYK"), "JPEG"),
    "progressive": lambda image: _saved(_pillow(image), "JPEG", progressive=True),
    "16 bits": lambda image: _encoded(image.astype(np.uint16) * 257, ".png"),
    "16 bits, grey": lambda image: _encoded(
        cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257, ".png"
    ),
    "animated PNG": lambda image: _saved(_pillow(image), "PNG", **_second_picture(image)),
    "two pictures in a JPEG": lambda image: _saved(_pillow(image), "MPO", **_second_picture(image)),
}


@pytest.mark.parametrize("kind", _TAKEN)
def test_every_kind_of_jpeg_and_png_is_read_as_eight_bits_of_blue_green_red(
    reader, astronaut, kind
):
    """The face is where it is, and fit; of several pictures the first counts."""
    reference = reader.examine(_TAKEN[kind](astronaut))
    assert (reference.image.shape, reference.image.dtype) == ((512, 512, 3), np.uint8)
    assert reference.detection.box == pytest.approx((179, 63, 269, 174), abs=4)
    assert reference.unfit is None
    expected = astronaut
    if "grey" in kind:
        grey = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
        expected = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    assert _difference(reference.image, expected) < 10, "these are its own colours"


_REFUSED = {
    "nothing": lambda image: b"",
    "a text": lambda image: b"not a photograph\n" * 100,
    "the beginning of a JPEG": lambda image: b"\xff\xd8\xff",
    "the beginning of a PNG": lambda image: b"\x89PNG\r\n\x1a\n",
    "half a JPEG": lambda image: _half(_encoded(image, ".jpg")),
    "half a PNG": lambda image: _half(_encoded(image, ".png")),
    "a JPEG without its last bytes": lambda image: _encoded(image, ".jpg")[:-2000],
    "a PNG with a flipped bit": lambda image: _flipped(_encoded(image, ".png")),
    "a PNG of no width": lambda image: _png_of_size(0, 5),
    "a PNG without its pixels": lambda image: _png_of_size(500, 500),
    "a PNG higher than OpenCV reads": lambda image: _saved(Image.new("L", (1, 1_048_577)), "PNG"),
    "GIF": lambda image: _saved(_pillow(image), "GIF"),
    "animated GIF": lambda image: _saved(_pillow(image), "GIF", **_second_picture(image)),
    "WebP": lambda image: _saved(_pillow(image), "WEBP"),
    "TIFF": lambda image: _saved(_pillow(image), "TIFF"),
    "BMP": lambda image: _saved(_pillow(image), "BMP"),
}


@pytest.mark.parametrize("kind", _REFUSED)
def test_what_is_no_whole_jpeg_or_png_is_refused(reader, astronaut, kind):
    """A cut or damaged one too: what OpenCV fills with grey is no part of the photograph."""
    code, sentence = _refusal(reader, _REFUSED[kind](astronaut))
    assert code == "image_unreadable"
    assert sentence.startswith("expected a whole JPEG or PNG photograph")


@pytest.mark.parametrize(
    ("width", "height"),
    [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (12_000, 10_000), (60_000_001, 1), (7746, 7746)],
)
def test_a_picture_that_says_it_is_huge_is_refused_before_anything_is_decoded(
    reader, monkeypatch, width, height
):
    """A few bytes may unpack to gigabytes, so neither decoder is asked."""

    def asked(*arguments):
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(cv2, "imdecode", asked)
    monkeypatch.setattr(ImageFile.ImageFile, "load", asked)
    bomb = _png_of_size(width, height)
    assert len(bomb) < 100
    code, sentence = _refusal(reader, bomb)
    assert code == "image_too_large"
    assert sentence.startswith("expected at most 60000000 pixels, found ")
    with pytest.raises(AssertionError, match="a decoder was asked"):
        read_image(_png_of_size(7745, 7745))


def test_the_largest_picture_that_is_read(monkeypatch, astronaut):
    """One pixel more is one too many."""
    photograph = _encoded(astronaut, ".png")
    monkeypatch.setattr(references, "MOST_PIXELS", 512 * 512)
    assert read_image(photograph).shape == (512, 512, 3)
    monkeypatch.setattr(references, "MOST_PIXELS", 512 * 512 - 1)
    with pytest.raises(ReferenceUnfitError, match="found 512 x 512"):
        read_image(photograph)


def test_a_photograph_of_twelve_megapixels_is_shrunk_and_its_face_found(reader, portrait):
    """The long side becomes 1280 pixels, and the short one keeps to it; no other is enlarged."""
    photograph = _saved(portrait.resize((2700, 4500)), "JPEG")
    reference = reader.examine(photograph)
    assert reference.image.shape == (1280, 768, 3)
    scale = 1280 / 500
    expected = [side * scale for side in (79, 63, 169, 174)]
    assert reference.detection.box == pytest.approx(expected, abs=5 * scale)
    assert reference.unfit is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 3), (3, 1280, 3)),
        ((1281, 3), (3, 1280, 3)),
        ((20_000, 1), (1, 1280, 3)),
        ((5, 20_000), (1280, 1, 3)),
        ((1, 1), (1, 1, 3)),
    ],
)
def test_a_line_of_pixels_keeps_at_least_one(reader, size, expected):
    """It is no photograph of anybody, and no crash either."""
    photograph = _saved(Image.new("RGB", size, (99, 99, 99)), "PNG")
    assert read_image(photograph).shape == expected
    assert _refusal(reader, photograph)[0] == "no_face"


def test_no_damage_leads_to_anything_but_a_picture_or_a_refusal(astronaut):
    """Whatever bytes are changed, taken away or slipped in, in the notes or in the pixels."""
    small = _pillow(astronaut).resize((64, 64))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    originals = [
        _saved(small, "JPEG", exif=exif, progressive=True),
        _saved(small.convert("CMYK"), "JPEG"),
        _saved(small, "PNG", exif=exif),
        _saved(small.quantize(16), "PNG", transparency=3),
        _saved(small, "MPO", save_all=True, append_images=[small]),
    ]
    chance = random.Random(20261123)
    answers = set()
    for _ in range(1000):
        photograph = _damaged(chance.choice(originals), chance)
        try:
            assert read_image(photograph).ndim == 3
            answers.add("read")
        except ReferenceUnfitError as error:
            answers.add(error.code)
    assert answers >= {"read", "image_unreadable"}


def _refusal(reader, photograph):
    """The code and the sentence with which a photograph is refused."""
    with pytest.raises(ReferenceUnfitError) as refused:
        reader.examine(photograph)
    return refused.value.code, str(refused.value)


def _encoded(image_bgr, kind):
    return cv2.imencode(kind, image_bgr)[1].tobytes()


def _pillow(image_bgr):
    return Image.fromarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB))


def _bgr(image):
    return cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)


def _saved(image, kind, **options):
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def _turned(upright, orientation, kind):
    """A file that a camera held otherwise would write: turned pixels, and a note."""
    undo = _TO_UNDO[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    quality = {"quality": 95} if kind == "JPEG" else {}
    return _saved(upright if undo is None else upright.transpose(undo), kind, exif=exif, **quality)


def _see_through(image_bgr):
    image = _pillow(image_bgr)
    image.putalpha(0)
    return image


def _second_picture(image_bgr):
    """What Pillow needs to write another picture behind the first."""
    return {"save_all": True, "append_images": [_pillow(np.zeros_like(image_bgr))]}


def _difference(one, other):
    """The mean difference of two pictures of one size."""
    assert one.shape == other.shape
    return np.abs(one.astype(int) - other).mean()


def _half(content):
    return content[: len(content) // 2]


def _flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _png_of_size(width, height):
    """A PNG that says how large it is, and has no pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _damaged(content, chance):
    """One to five changes, most of them near the beginning, where the notes are."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 5)):
        place = int(chance.random() ** 2 * len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[place : place + 1] = chance.choice([b"\0", b"\xff", chance.randbytes(1)])
            case 1:
                del damaged[place : place + chance.randint(1, 8)]
            case 2:
                damaged[place:place] = chance.randbytes(chance.randint(1, 8))
            case 3:
                damaged[place : place + 4] = chance.randbytes(4)
    return bytes(damaged)
