"""Scores and decisions: what reaches the threshold is told, and nothing else leaves."""

from __future__ import annotations

import math
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.matching import (
    COOL_DOWN_MS,
    CoolDown,
    Gallery,
    GalleryError,
    ModelMismatchError,
    ThresholdError,
    TrackScore,
    WipedError,
    similarities,
    threshold,
)

MODEL = "sha256:" + "1" * 64
ANOTHER_MODEL = "sha256:" + "2" * 64

ALICE, BOB, CAROL = (UUID(int=number) for number in (1, 2, 3))

AT_04 = threshold(0.4)


def unit_rows(rows: int, dimension: int = 128, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def a_gallery(*entries: UUID) -> Gallery:
    """One row for each entry given, in that many dimensions plus one: row k is axis k."""
    return Gallery(np.eye(len(entries), len(entries) + 1, dtype=np.float32), entries, MODEL)


def a_probe(*wanted: float) -> np.ndarray:
    """A probe whose similarity to row k of :func:`a_gallery` is the kth number."""
    rest = math.sqrt(1 - sum(number**2 for number in wanted))
    return np.array([*wanted, rest], np.float32)


def a_track(*frames: tuple[float, ...], qualities: tuple[float, ...] = (), **limits) -> TrackScore:
    """A track of frames with these similarities to Alice, Bob, Carol as far as they go."""
    gallery = a_gallery(*(ALICE, BOB, CAROL)[: len(frames[0])])
    score = TrackScore(gallery, **limits)
    for wanted, quality in zip(frames, qualities or (0.5,) * len(frames), strict=True):
        score.add(a_probe(*wanted), model_digest=MODEL, quality=quality)
    return score


# --- similarities ------------------------------------------------------------------------------


def test_a_similarity_is_the_cosine_to_each_reference() -> None:
    references, probe = unit_rows(50), unit_rows(1, seed=1)[0]
    gallery = Gallery(references, [UUID(int=n) for n in range(50)], MODEL)
    found = similarities(probe, gallery, model_digest=MODEL)
    assert found.dtype == np.float32
    assert found.shape == (50,)
    for row in range(50):
        by_hand = sum(float(a) * float(b) for a, b in zip(references[row], probe, strict=True))
        assert found[row] == pytest.approx(by_hand, abs=1e-6)


def test_a_face_is_most_like_itself() -> None:
    references = unit_rows(50)
    gallery = Gallery(references, [UUID(int=n) for n in range(50)], MODEL)
    for row in (0, 17, 49):
        found = similarities(references[row].copy(), gallery, model_digest=MODEL)
        assert int(found.argmax()) == row
        assert found[row] == pytest.approx(1, abs=1e-6)


def test_scores_are_written_where_they_can_be_wiped() -> None:
    gallery = a_gallery(ALICE, BOB)
    place = np.full(2, 9, np.float32)
    found = similarities(a_probe(0.6, 0.3), gallery, model_digest=MODEL, out=place)
    assert found is place
    assert place == pytest.approx([0.6, 0.3])


@pytest.mark.parametrize(
    ("probe", "model"),
    [
        (a_probe(0.6, 0.3), ANOTHER_MODEL),
        (a_probe(0.6, 0.3), ""),
        (a_probe(0.6), MODEL),
        (a_probe(0.6, 0.3)[np.newaxis], MODEL),
    ],
)
def test_scores_of_different_models_are_never_mixed(probe: np.ndarray, model: str) -> None:
    """Another digest, or a number of dimensions that this model does not make."""
    gallery = a_gallery(ALICE, BOB)
    with pytest.raises(ModelMismatchError, match=f"by model {MODEL}, found"):
        similarities(probe, gallery, model_digest=model)
    with pytest.raises(ModelMismatchError):
        TrackScore(gallery).add(probe, model_digest=model, quality=0.5)


@pytest.mark.parametrize("spoilt", [0.0, 0.99, 1.01, 2.0, math.nan, math.inf])
def test_a_probe_that_is_not_of_unit_length_is_refused(spoilt: float) -> None:
    """NaN would compare as below every threshold, and a longer probe as above it."""
    with (
        np.errstate(invalid="ignore", over="ignore"),
        pytest.raises(ValueError, match="expected a probe of unit length"),
    ):
        similarities(a_probe(0.6) * np.float32(spoilt), a_gallery(ALICE), model_digest=MODEL)


# --- gallery -----------------------------------------------------------------------------------


def spoilt(row: int, value: float) -> np.ndarray:
    references = unit_rows(3)
    references[row] *= np.float32(value)
    return references


def read_only() -> np.ndarray:
    references = unit_rows(3)
    references.flags.writeable = False
    return references


@pytest.mark.parametrize(
    ("references", "told"),
    [
        (unit_rows(3).astype(np.float64), r"float32 references of shape \(n, d\), found float64"),
        (unit_rows(3)[0], r"found float32 of shape \(128,\)"),
        (np.asfortranarray(unit_rows(3)), "one piece of memory that can be wiped"),
        (unit_rows(6)[::2], "one piece of memory that can be wiped"),
        (read_only(), "one piece of memory that can be wiped"),
        (unit_rows(4), "an entry for each of 4 references, found 3"),
        (spoilt(1, math.nan), "unit length, found length nan in row 1"),
        (spoilt(2, math.inf), "in row 2"),
        (spoilt(0, 0), "unit length, found length 0.0 in row 0"),
        (spoilt(2, 1.01), "found length 1.0.* in row 2"),
    ],
)
def test_references_that_make_no_gallery_are_refused(references, told: str) -> None:
    """The positive control is every other test: three rows of unit length are taken."""
    with np.errstate(invalid="ignore"), pytest.raises(GalleryError, match=told):
        Gallery(references, [ALICE, BOB, CAROL], MODEL)


def test_a_gallery_without_its_models_digest_is_refused() -> None:
    with pytest.raises(GalleryError, match="digest of the model"):
        Gallery(unit_rows(3), [ALICE, BOB, CAROL], "")


def test_a_gallery_hands_out_its_references_to_be_read_only() -> None:
    gallery = a_gallery(ALICE, BOB)
    with pytest.raises(ValueError, match="read-only"):
        gallery.references[0, 0] = 1


def test_a_wiped_gallery_leaves_nothing_and_answers_nothing() -> None:
    """Zeros would be scored as faces that resemble nobody, and everybody would pass unseen."""
    references = unit_rows(3)
    gallery = Gallery(references, [ALICE, BOB, CAROL], MODEL)
    view, track = gallery.references, TrackScore(gallery)
    assert references.any()
    gallery.wipe()
    assert not references.any()
    assert not view.any()
    probe = unit_rows(1)[0]
    for answer in (
        lambda: gallery.references,
        lambda: similarities(probe, gallery, model_digest=MODEL),
        lambda: track.add(probe, model_digest=MODEL, quality=0.5),
    ):
        with pytest.raises(WipedError, match="wiped"):
            answer()


def test_an_empty_gallery_matches_nobody() -> None:
    """Every entry was withdrawn while the run went on: faces are still counted."""
    gallery = Gallery(np.zeros((0, 128), np.float32), [], MODEL)
    track = TrackScore(gallery)
    for _ in range(5):
        track.add(unit_rows(1)[0], model_digest=MODEL, quality=1)
    assert track.above(AT_04) is None


# --- the decision over a track -----------------------------------------------------------------


def test_a_track_that_keeps_resembling_an_entry_is_a_possible_match() -> None:
    found = a_track((0.6, 0.1), (0.5, 0.2), (0.55, 0.1)).above(AT_04)
    assert found is not None
    assert found.entry == ALICE
    assert found.similarity == pytest.approx(0.55)


def test_one_very_high_score_raises_nothing_by_itself() -> None:
    """Also where it lifts the mean above the threshold, and whatever its quality."""
    one_high = ((0.99,), (0.2,), (0.2,))
    mean = sum(score for (score,) in one_high) / 3
    assert mean > AT_04
    assert a_track(*one_high).above(AT_04) is None
    assert a_track(*one_high, qualities=(1, 0.01, 0.01)).above(AT_04) is None
    assert a_track(*one_high, min_agreeing=1).above(AT_04) is not None  # so that was the reason


def test_nothing_is_decided_before_enough_frames() -> None:
    for frames in (1, 2):
        assert a_track(*[(0.9,)] * frames).above(AT_04) is None
    assert a_track(*[(0.9,)] * 3).above(AT_04) is not None
    assert a_track(*[(0.9,)] * 3, min_frames=4).above(AT_04) is None


def test_frames_weigh_as_much_as_they_are_good() -> None:
    """The same scores decide otherwise if the poor frames are the similar ones."""
    frames = ((0.6,), (0.45,), (0.2,))
    good_ones_similar = a_track(*frames, qualities=(0.9, 0.9, 0.1)).above(AT_04)
    assert good_ones_similar is not None
    # (0.6 * 0.9 + 0.45 * 0.9 + 0.2 * 0.1) / 1.9
    assert good_ones_similar.similarity == pytest.approx(0.5079, abs=1e-4)
    assert a_track(*frames, qualities=(0.1, 0.1, 0.9)).above(AT_04) is None


def test_frames_agree_if_they_reach_the_threshold_less_the_hysteresis() -> None:
    """The mean is 0.43; the second best frame decides."""
    assert a_track((0.55,), (0.375,), (0.365,), hysteresis=0.03).above(AT_04) is not None
    assert a_track((0.55,), (0.375,), (0.365,), hysteresis=0.02).above(AT_04) is None
    assert a_track((0.55,), (0.365,), (0.375,), hysteresis=0.03).above(AT_04) is not None


@pytest.mark.parametrize("agreeing", [1, 2, 3, 4])
def test_as_many_frames_as_asked_for_must_agree(agreeing: int) -> None:
    for high in range(6):
        track = a_track(*[(0.9,)] * high, *[(0.35,)] * (6 - high), min_agreeing=agreeing)
        reached = (0.9 * high + 0.35 * (6 - high)) / 6 >= AT_04
        assert (track.above(AT_04) is not None) == (reached and high >= agreeing)


def test_the_threshold_itself_is_reached() -> None:
    assert a_track(*[(0.5,)] * 3).above(threshold(0.5)) is not None
    assert a_track(*[(0.5,)] * 3).above(threshold(0.5001)) is None


def test_every_possible_match_is_told_the_most_alike_first() -> None:
    track = a_track((0.45, 0.6, 0.1), (0.5, 0.6, 0.1), (0.49, 0.6, 0.39))
    assert [found.entry for found in track.exceeding(AT_04)] == [BOB, ALICE]
    assert [found.similarity for found in track.exceeding(AT_04)] == pytest.approx([0.6, 0.48])
    assert track.above(AT_04) == track.exceeding(AT_04)[0]
    assert [found.entry for found in track.exceeding(threshold(0.55))] == [BOB]


def test_an_entry_with_several_references_scores_by_its_best_one_in_each_frame() -> None:
    """Its rows need not stand together, and it is told once."""
    references = np.eye(3, 4, dtype=np.float32)
    gallery = Gallery(references, [ALICE, BOB, ALICE], MODEL)
    assert gallery.entries == (ALICE, BOB)
    track = TrackScore(gallery)
    for wanted in ((0.6, 0.1, 0.2), (0.1, 0.1, 0.5), (0.4, 0.1, 0.1)):
        track.add(a_probe(*wanted), model_digest=MODEL, quality=0.5)
    (found,) = track.exceeding(AT_04)
    assert found.entry == ALICE
    assert found.similarity == pytest.approx(0.5)


def test_below_the_threshold_nothing_leaves() -> None:
    """No nearest entry and no score, by any name that a caller may use."""
    track = a_track((0.39, 0.3), (0.39, 0.3), (0.39, 0.3))
    assert track.above(AT_04) is None
    assert track.exceeding(AT_04) == []
    assert track.above(threshold(0.38)) is not None  # the scores are there
    public = {name for name in dir(track) if not name.startswith("_")}
    assert public == {"add", "above", "exceeding", "frames", "wipe"}
    assert track.frames == 3
    assert track.add(a_probe(0.39, 0.3), model_digest=MODEL, quality=0.5) is None
    assert not any(digits in repr(track) + str(track) for digits in ("0.3", ALICE.hex, str(ALICE)))


def test_a_wiped_track_leaves_nothing_and_answers_nothing() -> None:
    track = a_track((0.6, 0.1), (0.5, 0.2), (0.55, 0.1))
    arrays = [value for value in vars(track).values() if isinstance(value, np.ndarray)]
    assert len(arrays) >= 4
    assert all(array.any() for array in arrays)
    track.wipe()
    assert not any(array.any() for array in arrays)
    for answer in (
        lambda: track.above(AT_04),
        lambda: track.exceeding(AT_04),
        lambda: track.add(a_probe(0.6, 0.1), model_digest=MODEL, quality=0.5),
    ):
        with pytest.raises(WipedError):
            answer()


@pytest.mark.parametrize("quality", [0, -0.1, 1.01, math.nan, math.inf])
def test_a_quality_that_is_no_weight_is_refused(quality: float) -> None:
    """A weight of NaN would make every later mean NaN, which is below every threshold."""
    track = TrackScore(a_gallery(ALICE))
    with pytest.raises(ValueError, match="expected a quality above 0"):
        track.add(a_probe(0.6), model_digest=MODEL, quality=quality)
    assert track.frames == 0


@pytest.mark.parametrize(
    "limits",
    [{"min_frames": 0}, {"min_agreeing": 0}, {"hysteresis": -0.1}, {"hysteresis": math.nan}],
)
def test_limits_that_would_decide_nothing_are_refused(limits: dict) -> None:
    with pytest.raises(ValueError, match="expected at least 1 frame"):
        TrackScore(a_gallery(ALICE), **limits)


scores = st.floats(-0.3, 0.95)


@settings(max_examples=80)
@given(
    frames=st.lists(st.tuples(scores, scores.filter(lambda x: abs(x) < 0.3)), max_size=8),
    weights=st.lists(st.floats(0.01, 1), min_size=8, max_size=8),
    at=st.floats(0.1, 0.9),
)
def test_the_decision_is_the_one_worked_out_by_hand(frames, weights, at) -> None:
    """Against the definition written out with plain lists."""
    track = TrackScore(a_gallery(ALICE, BOB))
    for frame, weight in zip(frames, weights, strict=False):
        track.add(a_probe(*frame), model_digest=MODEL, quality=weight)
    for number, entry in enumerate((ALICE, BOB)):
        each = [np.float32(frame[number]) for frame in frames]
        weighted = sum(float(s) * w for s, w in zip(each, weights, strict=False))
        mean = weighted / sum(weights[: len(each)]) if each else 0.0
        second = sorted(each)[-2] if len(each) > 1 else -1.0
        if min(abs(mean - at), abs(float(second) - (at - 0.03))) < 1e-5:
            continue  # too near to call in float32
        expected = len(each) >= 3 and mean >= at and second >= at - 0.03
        assert (entry in {found.entry for found in track.exceeding(threshold(at))}) == expected


# --- threshold and cool-down -------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, -0.4, 1.4, math.nan, math.inf, -math.inf])
def test_a_number_that_is_no_threshold_is_refused(value: float) -> None:
    """With NaN nobody would ever be found, with 0 everybody."""
    with pytest.raises(ThresholdError, match="between 0 and 1, both excluded, found"):
        threshold(value)


def test_a_threshold_is_its_number() -> None:
    assert threshold(0.4) == 0.4
    assert type(threshold(np.float32(0.5))) is float


def test_an_entry_is_suppressed_until_ten_seconds_after_it_was_last_seen() -> None:
    cool_down = CoolDown()
    assert COOL_DOWN_MS == 10_000
    assert not cool_down.suppresses(ALICE, 5000)
    cool_down.seen(ALICE, 5000)
    assert cool_down.suppresses(ALICE, 5000)
    assert cool_down.suppresses(ALICE, 14_999)
    assert not cool_down.suppresses(ALICE, 15_000)
    assert not cool_down.suppresses(BOB, 5000)


def test_being_seen_while_suppressed_prolongs_it() -> None:
    """A person who stays in the picture raises one alert, however long they stay."""
    cool_down = CoolDown(limit_ms=1000)
    for captured_ms in range(0, 60_000, 900):
        cool_down.seen(ALICE, captured_ms)
        assert cool_down.suppresses(ALICE, captured_ms + 900)
    assert not cool_down.suppresses(ALICE, captured_ms + 1000)


def test_an_older_sighting_does_not_shorten_the_cool_down() -> None:
    """Tracks of one frame come in any order."""
    cool_down = CoolDown(limit_ms=1000)
    cool_down.seen(ALICE, 5000)
    cool_down.seen(ALICE, 4000)
    assert cool_down.suppresses(ALICE, 5999)


def test_asking_whether_an_entry_is_suppressed_is_not_seeing_it() -> None:
    cool_down = CoolDown(limit_ms=1000)
    cool_down.seen(ALICE, 0)
    assert cool_down.suppresses(ALICE, 900)
    assert not cool_down.suppresses(ALICE, 1500)


def test_an_entry_that_was_dropped_is_nobodys_possible_match_any_more() -> None:
    """Neither of tracks that began before nor of those after, and its reference is gone."""
    references = np.eye(2, 3, dtype=np.float32)
    gallery = Gallery(references, (ALICE, BOB), MODEL)
    track = TrackScore(gallery, min_frames=1, min_agreeing=1)
    track.add(a_probe(0.6, 0.7), model_digest=MODEL, quality=1)
    assert [one.entry for one in track.exceeding(AT_04)] == [BOB, ALICE]
    gallery.drop(BOB)
    assert [one.entry for one in track.exceeding(AT_04)] == [ALICE]
    assert (gallery.size, gallery.holds(BOB), gallery.holds(ALICE)) == (1, False, True)
    assert not references[1].any() and references[0].any()
    later = TrackScore(gallery, min_frames=1, min_agreeing=1)
    later.add(a_probe(0.1, 0.9), model_digest=MODEL, quality=1)
    assert later.exceeding(AT_04) == []
    with pytest.raises(KeyError):
        gallery.drop(CAROL)
