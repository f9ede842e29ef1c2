"""The people of the walk-past: cut out of their photographs and put into a drawn coat.

Outlines are pinned by hand, in pixels of the photograph, so that no edge of a photograph shows
and nothing has to be detected in order to draw. Lengths of a body are in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from api.demo.photographs import MediaError

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

EYES_APART_M = 0.063
"""Between the pupils of an adult, on average (0.0617 to 0.064 m in anthropometric surveys)."""
EYE_HEIGHT_M = 1.58
"""From the ground to the eyes."""
HIP_M = 1.02
"""From the eyes down to where the coat ends and the legs come out."""

_EYES_APART_PX = 64
_PX_PER_M = _EYES_APART_PX / EYES_APART_M
_HALF_WIDTH_M = 0.40
_ABOVE_EYES_M = 0.22
_BELOW_EYES_M = 1.18
_FEATHER_M = 0.003

# The right half of a coat, from the point of the neckline outwards and down; (0, 0) is the throat.
_COAT = (
    (0.000, 0.110),
    (0.042, 0.030),
    (0.060, -0.030),
    (0.085, -0.028),
    (0.145, 0.012),
    (0.195, 0.050),
    (0.226, 0.115),
    (0.244, 0.280),
    (0.256, 0.470),
    (0.250, 0.640),
    (0.215, 0.660),
    (0.202, 0.700),
    (0.210, 1.000),
)
_LAPEL = ((0.000, 0.110), (0.042, 0.030), (0.060, -0.030), (0.088, -0.026), (0.100, 0.070))
_INNER = ((0.000, 0.160), (0.070, 0.100), (0.072, -0.020), (0.050, -0.050))
_ARM = ((0.178, 0.160), (0.196, 0.380), (0.203, 0.640))
# Round the head, from the eyes: what covers a photograph that ends at the hairline and the chin.
_HAT = ((0.000, -0.142), (0.040, -0.134), (0.066, -0.106), (0.076, -0.066), (0.076, -0.050))
_HAT_BRIM = ((0.000, -0.070), (0.079, -0.064), (0.078, -0.036), (0.000, -0.042))
_SCARF = ((0.000, 0.094), (0.036, 0.088), (0.066, 0.062), (0.084, 0.110), (0.096, 0.190))


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Head and neck of one person in one photograph, and what they wear."""

    person: str
    """Who it is; two cuts of one person share it. Never a name."""
    photograph: str
    """The file's name among the demo's photographs."""
    outline: tuple[tuple[int, int], ...]
    """Round hair, face and neck, in pixels of the photograph."""
    eyes: tuple[float, float]
    """Half-way between the eyes, in pixels of the photograph."""
    eyes_apart: float
    """Pixels of the photograph between the pupils, if the face were seen from the front."""
    throat: tuple[int, int]
    """Where the collar closes, in pixels of the photograph."""
    coat: Colour
    inner: Colour
    """What shows between coat and neck."""
    clockwise_deg: float = 0.0
    """How far to turn the photograph so that the head stands upright."""
    hat_over: tuple[int, int] | None = None
    """Draw a woollen hat; the middle of the head at the height of the eyes, as seen, in pixels of
    the photograph."""
    scarf: bool = False
    """Draw a scarf up to the chin, where a photograph ends there."""
    mirrored: bool = False
    """Show the other side: a photograph that looks left then looks right."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gains of blue, green and red, where a photograph has no colour or too much."""


_LESS_WARM = (1.00, 0.90, 0.80)
"""Takes the lamp light out of a photograph that was taken indoors."""

CAST: dict[str, Cut] = {
    "listed, first time": Cut(
        person="listed",
        photograph="obama.jpg",
        outline=(
            *((505, 28), (550, 35), (590, 60), (615, 100), (626, 140), (622, 185), (630, 195)),
            *((641, 205), (637, 250), (625, 290), (608, 297), (600, 330), (586, 372), (584, 420)),
            *((575, 480), (530, 580), (470, 680), (430, 600), (405, 520), (398, 450), (402, 400)),
            *((395, 372), (382, 330), (376, 297), (358, 290), (345, 250), (338, 202), (358, 190)),
            *((358, 150), (375, 100), (410, 60), (455, 35)),
        ),
        eyes=(496.5, 209.0),
        eyes_apart=107.0,
        throat=(486, 500),
        coat=(58, 42, 34),
        inner=(64, 48, 40),
    ),
    "listed, second time": Cut(
        person="listed",
        photograph="obama3.jpg",
        outline=(
            *((796, 220), (741, 228), (686, 253), (641, 296), (620, 341), (613, 391), (613, 416)),
            *((586, 413), (580, 441), (593, 500), (616, 523), (640, 513), (646, 550), (663, 583)),
            *((655, 603), (643, 640), (630, 660), (653, 716), (691, 783), (733, 833), (791, 783)),
            *((824, 716), (853, 658), (849, 620), (866, 575), (886, 550), (896, 553), (913, 516)),
            *((924, 466), (921, 450), (913, 453), (918, 400), (916, 341), (890, 294), (858, 257)),
        ),
        eyes=(793.5, 388.5),
        eyes_apart=117.0,
        throat=(745, 690),
        coat=(52, 44, 44),
        inner=(60, 52, 52),
    ),
    "passer-by 1": Cut(
        person="passer-by 1",
        photograph="t1.jpg",
        tint=_LESS_WARM,
        outline=(
            *((85, 234), (110, 236), (130, 246), (150, 265), (165, 290), (175, 315), (185, 345)),
            *((190, 375), (189, 395), (170, 398), (152, 407), (129, 419), (122, 430), (135, 458)),
            *((110, 490), (60, 480), (45, 450), (32, 420), (24, 390), (20, 350), (20, 310)),
            *((27, 280), (40, 262), (52, 250), (62, 243), (72, 236)),
        ),
        eyes=(112.0, 316.0),
        eyes_apart=46.0,
        throat=(116, 440),
        coat=(92, 116, 150),
        inner=(120, 150, 190),
        clockwise_deg=9.0,
    ),
    "passer-by 2": Cut(
        person="passer-by 2",
        photograph="t1.jpg",
        tint=_LESS_WARM,
        outline=(
            *((315, 103), (345, 105), (370, 115), (392, 127), (402, 136), (392, 150), (394, 175)),
            *((392, 190), (400, 214), (408, 240), (418, 270), (420, 320), (380, 350), (330, 310)),
            *((310, 290), (314, 280), (330, 266), (318, 255), (305, 240), (296, 231), (284, 218)),
            *((278, 203), (272, 187), (269, 175), (266, 168), (267, 150), (273, 135), (285, 120)),
        ),
        eyes=(302.0, 200.0),
        eyes_apart=44.0,
        throat=(372, 292),
        coat=(48, 40, 110),
        inner=(150, 180, 215),
        clockwise_deg=14.0,
    ),
    "passer-by 3": Cut(
        person="passer-by 3",
        photograph="t1.jpg",
        tint=_LESS_WARM,
        outline=(
            *((540, 218), (570, 222), (590, 238), (602, 255), (608, 275), (606, 295), (600, 315)),
            *((592, 330), (588, 342), (580, 355), (568, 366), (556, 374), (546, 388), (550, 420)),
            *((545, 450), (520, 480), (495, 450), (490, 425), (488, 405), (480, 390), (473, 372)),
            *((467, 352), (465, 335), (465, 310), (467, 290), (465, 265), (468, 250), (480, 235)),
            (500, 222),
        ),
        eyes=(514.0, 327.0),
        eyes_apart=50.0,
        throat=(516, 440),
        mirrored=True,
        coat=(74, 72, 66),
        inner=(60, 62, 64),
        clockwise_deg=-4.0,
    ),
    "passer-by 4": Cut(
        person="passer-by 4",
        photograph="t1.jpg",
        tint=_LESS_WARM,
        outline=(
            *((805, 300), (830, 303), (850, 318), (861, 340), (863, 360), (866, 372), (866, 382)),
            *((871, 395), (868, 410), (860, 422), (850, 425), (848, 440), (843, 458), (840, 480)),
            *((842, 520), (826, 550), (800, 505), (790, 482), (775, 476), (764, 465), (757, 445)),
            *((750, 425), (748, 410), (748, 395), (750, 372), (760, 345), (764, 330)),
            *((775, 312), (790, 303)),
        ),
        eyes=(788.0, 403.0),
        eyes_apart=45.0,
        throat=(818, 505),
        coat=(40, 38, 128),
        inner=(46, 60, 90),
        hat_over=(810, 402),
    ),
    "passer-by 5": Cut(
        person="passer-by 5",
        photograph="t1.jpg",
        outline=(
            *((985, 6), (1010, 11), (1028, 23), (1042, 41), (1052, 66), (1057, 100), (1057, 124)),
            *((1053, 131), (1060, 150), (1061, 190), (1055, 235), (1045, 280), (1018, 248)),
            *((1000, 228), (985, 210), (968, 208), (955, 206), (948, 199), (944, 190), (936, 180)),
            *((931, 166), (930, 156), (921, 151), (921, 136), (918, 122), (910, 112), (910, 100)),
            *((906, 85), (906, 66), (897, 57), (888, 50), (912, 40), (930, 27), (950, 15)),
        ),
        eyes=(934.0, 119.0),
        eyes_apart=48.0,
        throat=(1020, 222),
        mirrored=True,
        coat=(150, 150, 142),
        inner=(140, 140, 132),
    ),
    "passer-by 6": Cut(
        person="passer-by 6",
        photograph="t1.jpg",
        tint=_LESS_WARM,
        outline=(
            *((1175, 235), (1200, 241), (1222, 252), (1238, 267), (1250, 292), (1257, 330)),
            *((1261, 370), (1261, 424), (1245, 428), (1222, 430), (1212, 455), (1182, 490)),
            *((1162, 460), (1150, 432), (1138, 426), (1126, 414), (1125, 380), (1126, 340)),
            *((1128, 300), (1133, 276), (1146, 254), (1157, 241)),
        ),
        eyes=(1167.0, 321.0),
        eyes_apart=46.0,
        throat=(1182, 440),
        coat=(40, 40, 44),
        inner=(165, 190, 215),
    ),
    "passer-by 7": Cut(
        person="passer-by 7",
        photograph="Tom_Hanks_54745.png",
        outline=(
            *((16, 0), (78, 0), (82, 10), (83, 25), (83, 45), (81, 62), (78, 80), (73, 96)),
            *((67, 111), (40, 111), (30, 98), (22, 82), (15, 62), (11, 45), (11, 20)),
        ),
        eyes=(54.5, 50.0),
        eyes_apart=38.0,
        throat=(51, 130),
        coat=(70, 84, 60),
        inner=(60, 60, 120),
        hat_over=(54, 50),
        scarf=True,
        tint=(0.72, 0.86, 1.06),
    ),
    "passer-by 8": Cut(
        person="passer-by 8",
        photograph="astronaut.png",
        outline=(
            *((215, 20), (240, 19), (265, 26), (285, 40), (297, 65), (300, 90), (295, 110)),
            *((280, 123), (268, 128), (262, 145), (258, 165), (256, 190), (248, 225), (225, 245)),
            *((205, 225), (198, 190), (196, 170), (189, 155), (184, 138), (175, 122), (160, 110)),
            *((154, 90), (157, 66), (168, 44), (190, 26)),
        ),
        eyes=(223.5, 102.0),
        eyes_apart=43.0,
        throat=(225, 208),
        coat=(40, 88, 205),
        inner=(30, 28, 28),
    ),
}
"""Everyone who may pass.

They are dressed, tinted and mirrored so that nobody who is on no list comes near a reference
photograph. The video shows how the system works; it says nothing about how often it errs.
"""


@dataclass(frozen=True)
class Figure:
    """One person from head to hem, ready to be placed in a frame.

    ``levels`` are uint8, shape (h, w, 4), blue green red alpha, colours already multiplied by
    alpha; each is half the one before, so that a small figure is not made from every n-th pixel.
    """

    levels: tuple[Image, ...]
    eyes_at: tuple[float, float]
    """Half-way between the eyes, in pixels of the first level."""
    throat_at: tuple[float, float]
    """Where the collar closes: the body hangs from there."""
    coat: Colour

    @property
    def px_per_m(self) -> float:
        """Pixels of the first level to a metre of the person."""
        return _PX_PER_M


def figure(cut: Cut, photograph: Path) -> Figure:
    """Cut a person out and dress them.

    Raises:
        MediaError: the photograph cannot be decoded.
    """
    image = cv2.imread(str(photograph), cv2.IMREAD_COLOR)
    if image is None:
        raise MediaError(
            f"expected a photograph that can be decoded, found {photograph.name}, which cannot"
        )
    pixels = np.asarray(image, np.uint8)
    placed = _placing(cut)
    shape = (
        round((_ABOVE_EYES_M + _BELOW_EYES_M) * _PX_PER_M),
        round(2 * _HALF_WIDTH_M * _PX_PER_M),
    )
    canvas = np.zeros((*shape, 4), np.float32)
    throat = placed @ np.array([*cut.throat, 1.0])
    eyes = placed @ np.array([*cut.eyes, 1.0])

    _paint(canvas, _mask(shape, _mirrored(_INNER), throat), _cloth(shape, cut.inner, throat))
    _paint(canvas, _head_mask(cut, placed, shape), _head(cut, pixels, placed, shape))
    _paint(canvas, _mask(shape, _mirrored(_COAT), throat), _coat(cut, shape, throat))
    if cut.scarf:
        _paint(canvas, _mask(shape, _mirrored(_SCARF), eyes), _cloth(shape, cut.inner, eyes))
    if cut.hat_over is not None:
        head = placed @ np.array([*cut.hat_over, 1.0])
        wool = _cloth(shape, cut.inner, head)
        _paint(canvas, _mask(shape, _mirrored(_HAT), head), wool * 0.85)
        _paint(canvas, _mask(shape, _mirrored(_HAT_BRIM), head), wool)
    if cut.mirrored:
        canvas = canvas[:, ::-1]
        eyes[0], throat[0] = shape[1] - 1 - eyes[0], shape[1] - 1 - throat[0]
    return Figure(
        levels=_halved(np.clip(canvas, 0, 255).astype(np.uint8)),
        eyes_at=(float(eyes[0]), float(eyes[1])),
        throat_at=(float(throat[0]), float(throat[1])),
        coat=cut.coat,
    )


def _placing(cut: Cut) -> NDArray[np.float64]:
    """The affine map, shape (2, 3), from pixels of the photograph to pixels of the figure."""
    turned = cv2.getRotationMatrix2D(cut.eyes, -cut.clockwise_deg, _EYES_APART_PX / cut.eyes_apart)
    turned[:, 2] += np.array([_HALF_WIDTH_M, _ABOVE_EYES_M]) * _PX_PER_M - np.array(cut.eyes)
    return turned.astype(np.float64)


def _mirrored(half: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """A closed outline, shape (n, 2), metres, from its right half."""
    right = np.array(half)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def _mask(
    shape: tuple[int, int], outline_m: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Opacity, float32 in [0, 1], of an outline in metres about an origin in pixels."""
    return _filled(shape, outline_m * _PX_PER_M + origin)


def _filled(shape: tuple[int, int], outline_px: NDArray[np.float64]) -> NDArray[np.float32]:
    """Opacity, float32 in [0, 1], of an outline in pixels: soft at the edge."""
    mask = np.zeros(shape, np.float32)
    cv2.fillPoly(mask, [np.rint(outline_px).astype(np.int32)], 1.0)
    soft = cv2.GaussianBlur(mask, (0, 0), _FEATHER_M * _PX_PER_M)
    return np.asarray(soft, np.float32)


def _head_mask(
    cut: Cut, placed: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Opacity of the head: its outline, drawn in by the feather so that no background shows."""
    outline = np.array(cut.outline, np.float64) @ placed[:, :2].T + placed[:, 2]
    return np.asarray(np.clip(_filled(shape, outline) * 2.0 - 1.0, 0.0, 1.0), np.float32)


def _head(
    cut: Cut, image: NDArray[np.uint8], placed: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """The photograph, float32, shape (h, w, 3), placed and tinted."""
    shrunk, placed = _shrunk(image, placed)
    laid = cv2.warpAffine(
        shrunk, placed, shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return laid.astype(np.float32) * np.array(cut.tint, np.float32)


def _shrunk(
    image: NDArray[np.uint8], placed: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The photograph at the size at which it is shown, and the map for that size.

    A photograph that is larger is averaged down first; one that is smaller stays as it is.
    """
    scale = float(np.hypot(placed[0, 0], placed[0, 1]))
    if scale >= 1.0:
        return image, placed
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), placed @ np.diag([1 / scale, 1 / scale, 1.0])


def _paint(
    canvas: NDArray[np.float32], opacity: NDArray[np.float32], colours: NDArray[np.float32]
) -> None:
    """Lay colours, shape (h, w, 3), over the canvas, shape (h, w, 4), multiplied by alpha."""
    over = opacity[..., None]
    canvas[..., :3] = canvas[..., :3] * (1 - over) + colours * over
    canvas[..., 3:] = canvas[..., 3:] * (1 - over) + 255 * over


def _cloth(
    shape: tuple[int, int], colour: Colour, origin: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Cloth, float32, shape (h, w, 3): folds, weave, and shade towards the sides."""
    random = np.random.default_rng(20)
    folds = cv2.resize(
        random.normal(0, 1, (8, 14)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    weave = random.normal(0, 1, shape).astype(np.float32)
    across = (np.arange(shape[1], dtype=np.float32) - np.float32(origin[0])) / _PX_PER_M
    shade = 1.1 - 0.45 * np.clip(np.abs(across) / 0.26, 0, 1.2) ** 2
    light = shade * (1 + 0.07 * folds + 0.05 * weave)
    return np.asarray(light[..., None] * np.array(colour, np.float32), np.float32)


def _coat(cut: Cut, shape: tuple[int, int], throat: NDArray[np.float64]) -> NDArray[np.float32]:
    """The coat's cloth with lapels, a buttoned front and arms."""
    cloth = _cloth(shape, cut.coat, throat)
    cloth *= 1 + 0.25 * _mask(shape, _mirrored(_LAPEL), throat)[..., None]
    seams = np.zeros(shape, np.float32)
    lines = [((0.0, 0.11), (0.01, 0.5), (0.0, 1.2)), _ARM, tuple((-x, y) for x, y in _ARM)]
    for line in lines:
        points = np.rint(np.array(line) * _PX_PER_M + throat).astype(np.int32)
        cv2.polylines(seams, [points], False, 1.0, 8)
    cloth *= 1 - 0.45 * cv2.GaussianBlur(seams, (0, 0), 5)[..., None]
    return cloth


def _halved(image: Image) -> tuple[Image, ...]:
    """The image, then halves of it down to a few pixels."""
    levels = [image]
    while min(levels[-1].shape[:2]) >= 64:
        smaller = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(smaller, np.uint8))
    return tuple(levels)
