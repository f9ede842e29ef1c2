"""Scores of one face against a gallery, and the decision over a track.

Promises: below the threshold nothing leaves (no nearest entry, no score); one very high score does
not decide by itself; scores of different models are never mixed; what was in memory of a face can
be wiped.

A similarity is a cosine in [-1, 1]. It is not a probability, and is comparable only between
embeddings of one model digest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, NewType
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.kernel.errors import DomainError

Threshold = NewType("Threshold", float)
"""From here on a similarity is a possible match. Made by :func:`threshold` only."""

Similarity = NewType("Similarity", float)

MIN_FRAMES = 3
"""Frames of a track that must have been embedded before anything is decided."""
MIN_AGREEING = 2
"""Frames that must each reach the threshold by themselves, less ``HYSTERESIS``."""
HYSTERESIS = 0.03
"""Same unit as a similarity."""

COOL_DOWN_MS = 10_000

_UNIT_TOLERANCE = 1e-3
"""Of a length that should be 1. A float32 embedding of 512 values is within 1e-6."""


class ThresholdError(DomainError):
    """The number is no threshold."""


class GalleryError(DomainError):
    """The references do not make a gallery."""


class ModelMismatchError(DomainError):
    """Probe and gallery were made by different models."""


class WipedError(Exception):
    """It was wiped: zeros would be mistaken for faces that resemble nobody."""


def threshold(value: float) -> Threshold:
    """The number as a threshold.

    Raises:
        ThresholdError: it is not between 0 and 1, both excluded. NaN is not.
    """
    if not 0.0 < value < 1.0:
        raise ThresholdError(f"expected a threshold between 0 and 1, both excluded, found {value}")
    return Threshold(float(value))


class PossibleMatch(NamedTuple):
    """An entry whose similarity over the track reached the threshold."""

    entry: UUID
    similarity: Similarity
    """The quality-weighted mean over the frames, in [-1, 1]."""


class Gallery:
    """The reference embeddings of a sealed watchlist, in one array that can be wiped.

    The array is taken over, not copied, so that there is one place to wipe. Several rows may belong
    to one entry, in any order.

    Args:
        references: float32, shape (n, d), C-contiguous and writeable, each row of unit length.
        entries: for each row, whose it is.
        model_digest: of the model that made the references.

    Raises:
        GalleryError: one of these does not hold.
    """

    def __init__(
        self, references: NDArray[np.float32], entries: Sequence[UUID], model_digest: str
    ) -> None:
        _check_references(references, entries)
        if not model_digest:
            raise GalleryError("expected the digest of the model, found none")
        self.model_digest = model_digest
        self.entries: tuple[UUID, ...] = tuple(dict.fromkeys(entries))
        """Each entry once, in the order of its first row."""
        number = {entry: index for index, entry in enumerate(self.entries)}
        self._entry_of_row = np.array([number[entry] for entry in entries], np.intp)
        self._owned = references
        self._wiped = False
        self._dropped: set[UUID] = set()

    @property
    def references(self) -> NDArray[np.float32]:
        """float32, shape (n, d), read-only, each row of unit length.

        Raises:
            WipedError: the gallery was wiped.
        """
        if self._wiped:
            raise WipedError("expected a gallery, found one that was wiped")
        view = self._owned.view()
        view.flags.writeable = False
        return view

    def best_per_entry(self, scores: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """The best score among each entry's rows.

        Args:
            scores: float32, shape (n,), one per row.
            out: float32, shape (len(entries),): written.
        """
        out.fill(-np.inf)
        np.maximum.at(out, self._entry_of_row, scores)

    def drop(self, entry: UUID) -> None:
        """Overwrite an entry's references with zeros: no track is a possible match of it any more.

        What tracks worked out before stays in them until they end; an entry that was dropped is
        left out of what they answer.

        Raises:
            KeyError: there is no such entry.
        """
        number = {one: index for index, one in enumerate(self.entries)}[entry]
        self._owned[self._entry_of_row == number] = 0
        self._dropped.add(entry)

    def holds(self, entry: UUID) -> bool:
        """Whether the entry is one of the gallery's and was not dropped."""
        return entry in self.entries and entry not in self._dropped

    @property
    def size(self) -> int:
        """How many entries are left."""
        return len(self.entries) - len(self._dropped)

    def wipe(self) -> None:
        """Overwrite the references with zeros. The gallery answers nothing after that."""
        self._owned.fill(0)
        self._wiped = True


def similarities(
    probe_values: NDArray[np.float32],
    gallery: Gallery,
    *,
    model_digest: str,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Score one face against every reference of a gallery: one matrix-vector product.

    For evaluation and for :class:`TrackScore`; nobody else sees scores below a threshold.

    Args:
        probe_values: float32, shape (d,), unit length.
        gallery: n references.
        model_digest: of the model that made the probe.
        out: float32, shape (n,): written and returned, so that scores have one place to be wiped.

    Returns:
        float32, shape (n,), each in [-1, 1]; higher is more alike.

    Raises:
        ModelMismatchError: another model made the probe.
        ValueError: the probe is not of unit length (NaN is not).
        WipedError: the gallery was wiped.
    """
    references = gallery.references
    if model_digest != gallery.model_digest or probe_values.shape != references.shape[1:]:
        raise ModelMismatchError(
            f"expected a probe of shape {references.shape[1:]} by model {gallery.model_digest}, "
            f"found shape {probe_values.shape} by model {model_digest}"
        )
    length = math.sqrt(float(np.dot(probe_values, probe_values)))
    if not abs(length - 1) <= _UNIT_TOLERANCE:
        raise ValueError(f"expected a probe of unit length, found length {length}")
    return np.matmul(references, probe_values, out=out)


class TrackScore:
    """What the frames of one track say together about each entry.

    An entry is a possible match if the quality-weighted mean of its similarity reaches the
    threshold, over at least ``min_frames`` frames, of which at least ``min_agreeing`` reach the
    threshold less ``hysteresis`` by themselves. So one very high score raises nothing: with a
    threshold of 0.40, scores of 0.99, 0.20 and 0.20 have a mean of 0.46, but only one agrees.

    Args:
        gallery: what the track is compared with.
        min_frames: at least 1.
        min_agreeing: at least 1.
        hysteresis: at least 0; same unit as a similarity.

    Raises:
        ValueError: one of them is less.
    """

    def __init__(
        self,
        gallery: Gallery,
        *,
        min_frames: int = MIN_FRAMES,
        min_agreeing: int = MIN_AGREEING,
        hysteresis: float = HYSTERESIS,
    ) -> None:
        if not (min_frames >= 1 and min_agreeing >= 1 and hysteresis >= 0):
            raise ValueError(
                "expected at least 1 frame, 1 agreeing frame and a hysteresis of 0, "
                f"found {min_frames}, {min_agreeing} and {hysteresis}"
            )
        self.frames = 0
        """Frames taken in so far."""
        self._gallery = gallery
        self._min_frames = min_frames
        self._hysteresis = hysteresis
        entries = len(gallery.entries)
        self._scores = np.zeros(len(gallery.references), np.float32)
        self._best = np.zeros(entries, np.float32)
        self._spare = np.zeros(entries, np.float32)
        self._weighted = np.zeros(entries, np.float64)
        self._weight = 0.0
        # Row k holds each entry's (k+1)th highest similarity so far: "at least k frames reach x"
        # is "the kth highest reaches x", whatever x will be.
        self._highest = np.full((min_agreeing, entries), -np.inf, np.float32)
        self._wiped = False

    def add(self, probe_values: NDArray[np.float32], *, model_digest: str, quality: float) -> None:
        """Take in one embedded frame.

        Args:
            probe_values: float32, shape (d,), unit length.
            model_digest: of the model that made it.
            quality: its weight, above 0 and at most 1.

        Raises:
            ModelMismatchError: another model made the probe.
            ValueError: the probe is not of unit length, or the quality out of range.
            WipedError: the track or the gallery was wiped.
        """
        self._check_not_wiped()
        if not 0 < quality <= 1:
            raise ValueError(f"expected a quality above 0 and at most 1, found {quality}")
        similarities(probe_values, self._gallery, model_digest=model_digest, out=self._scores)
        self._gallery.best_per_entry(self._scores, out=self._best)
        self.frames += 1
        self._weight += quality
        np.multiply(self._best, quality, out=self._spare)
        self._weighted += self._spare
        offered, spare = self._best, self._spare
        for row in self._highest:  # what a row gives up is offered to the next
            np.minimum(row, offered, out=spare)
            np.maximum(row, offered, out=row)
            offered, spare = spare, offered

    def above(self, threshold: Threshold) -> PossibleMatch | None:
        """The entry that the track resembles most, if it is a possible match.

        Raises:
            WipedError: the track was wiped.
        """
        return next(iter(self.exceeding(threshold)), None)

    def exceeding(self, threshold: Threshold) -> list[PossibleMatch]:
        """Every possible match, the most alike first.

        Raises:
            WipedError: the track was wiped.
        """
        self._check_not_wiped()
        if self.frames < self._min_frames:
            return []
        mean = self._weighted / self._weight
        agrees = self._highest[-1] >= threshold - self._hysteresis
        found = np.flatnonzero((mean >= threshold) & agrees)
        return [
            PossibleMatch(self._gallery.entries[index], Similarity(float(mean[index])))
            for index in found[np.argsort(-mean[found], kind="stable")]
            if self._gallery.holds(self._gallery.entries[index])
        ]

    def wipe(self) -> None:
        """Overwrite everything that was worked out. The track answers nothing after that."""
        for array in (self._scores, self._best, self._spare, self._weighted, self._highest):
            array.fill(0)
        self._weight = 0.0
        self._wiped = True

    def _check_not_wiped(self) -> None:
        if self._wiped:
            raise WipedError("expected the scores of a track, found ones that were wiped")


class CoolDown:
    """Which entries were seen so recently that another alert would tell nobody anything.

    Counted from when the entry was last seen, not from the alert, and in capture time: a recording
    played at double speed, or a slow worker, changes nothing.

    Args:
        limit_ms: of capture time, at least 0.
    """

    def __init__(self, limit_ms: int = COOL_DOWN_MS) -> None:
        self._limit_ms = limit_ms
        self._last_seen_ms: dict[UUID, int] = {}

    def seen(self, entry: UUID, captured_ms: int) -> None:
        """Note that the entry was seen, whether or not that raised an alert."""
        self._last_seen_ms[entry] = max(captured_ms, self._last_seen_ms.get(entry, captured_ms))

    def suppresses(self, entry: UUID, captured_ms: int) -> bool:
        """Whether less than the limit has passed since the entry was last seen."""
        last_seen_ms = self._last_seen_ms.get(entry)
        return last_seen_ms is not None and captured_ms - last_seen_ms < self._limit_ms


def _check_references(references: NDArray[np.float32], entries: Sequence[UUID]) -> None:
    if references.dtype != np.float32 or references.ndim != 2:
        raise GalleryError(
            f"expected float32 references of shape (n, d), "
            f"found {references.dtype} of shape {references.shape}"
        )
    if not (references.flags.c_contiguous and references.flags.writeable):
        raise GalleryError("expected references in one piece of memory that can be wiped")
    if len(entries) != len(references):
        raise GalleryError(
            f"expected an entry for each of {len(references)} references, found {len(entries)}"
        )
    lengths = np.sqrt(np.einsum("ij,ij->i", references, references))
    unit = np.abs(lengths - 1) <= _UNIT_TOLERANCE  # false for NaN and infinity
    if not unit.all():
        row = int(np.argmin(unit))
        raise GalleryError(
            f"expected references of unit length, found length {lengths[row]} in row {row}"
        )
