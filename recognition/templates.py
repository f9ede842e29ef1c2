"""A face template that can be destroyed, and that says how long it lived.

Promises: the numbers exist in one writable buffer of this object, never in ``bytes``, which
Python cannot overwrite; a wipe overwrites them with zeros wherever they are still looked at; the
life that a record states (``template_life_ms``) is measured here, from the filling of the buffer
to the wipe; and a template is neither copied, pickled nor printed by accident.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NoReturn, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from domain.kernel.errors import DomainError

_NANOSECONDS_PER_MILLISECOND = 1_000_000


class TemplateError(DomainError):
    """These numbers cannot be a template, or the template is not in the state that was asked of."""


class Template:
    """One face as a unit vector. Comparable only with templates of the same model digest."""

    __slots__ = (
        "_buffer",
        "_filled_ns",
        "_life_ns",
        "_monotonic_ns",
        "model_digest",
        "norm_before",
    )

    model_digest: str
    """``ModelPackage.digest`` of the models that made it."""
    norm_before: float
    """The length of the raw embedding: it falls with the quality of the picture. Greater than 0."""

    def __init__(
        self,
        embedding: NDArray[np.float32],
        *,
        model_digest: str,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take over a buffer that has just been filled, and make it of unit length in place.

        Args:
            embedding: float32, shape (d,), writable and owning its memory: the caller keeps no
                other use of it. It is overwritten if it is refused for its values.
            model_digest: of the models that made it.
            monotonic_ns: a clock that is never set back, in nanoseconds.

        Raises:
            TemplateError: another form of array, or one that has no direction (zero or not
                finite).
        """
        self._filled_ns = monotonic_ns()
        self._monotonic_ns = monotonic_ns
        self._life_ns: int | None = None
        _require_own_buffer(embedding)
        length = float(np.linalg.norm(embedding))
        if not (math.isfinite(length) and length > 0):
            embedding.fill(0)
            raise TemplateError(f"expected an embedding with a direction, found length {length}")
        embedding /= np.float32(length)
        self._buffer = embedding
        self.norm_before = length
        self.model_digest = model_digest

    @property
    def values(self) -> NDArray[np.float32]:
        """The numbers themselves, to be read in place: a copy would outlive the wipe.

        Returns:
            float32, shape (d,), unit length, read-only; all zeros from the wipe on.

        Raises:
            TemplateError: it was wiped.
        """
        if self.wiped:
            raise TemplateError("expected a live template, found one that was wiped")
        view = self._buffer.view()
        view.flags.writeable = False
        return view

    @property
    def dimension(self) -> int:
        """How many numbers it has."""
        return len(self._buffer)

    def wipe(self) -> None:
        """Overwrite the numbers with zeros. Wiping again changes nothing."""
        if self._life_ns is None:
            self._buffer.fill(0)
            self._life_ns = self._monotonic_ns() - self._filled_ns

    @property
    def wiped(self) -> bool:
        """Whether the numbers are gone."""
        return self._life_ns is not None

    @property
    def life_ms(self) -> int:
        """From the filling of the buffer to the end of the wipe, in milliseconds, rounded up.

        Raises:
            TemplateError: it is still alive.
        """
        if not self.wiped:
            raise TemplateError("expected a wiped template, found one that is still alive")
        return self.age_ms

    @property
    def age_ms(self) -> int:
        """How long it has lived so far, or its life once it was wiped: milliseconds, rounded up."""
        life_ns = self._life_ns
        if life_ns is None:
            life_ns = self._monotonic_ns() - self._filled_ns
        return -(-life_ns // _NANOSECONDS_PER_MILLISECOND)

    def __repr__(self) -> str:
        state = "wiped" if self.wiped else "live"
        return f"<Template, {self.dimension} numbers, {state}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse pickling, ``copy.copy`` and ``copy.deepcopy``: no wipe would reach the copy.

        Raises:
            TypeError: always.
        """
        raise TypeError("a template is neither copied nor pickled: a wipe would not reach the copy")


def _require_own_buffer(embedding: NDArray[np.float32]) -> None:
    """Refuse an array whose wiping would not destroy the only copy.

    Raises:
        TemplateError: not float32, not of shape (d,) with d > 0, read-only, or a view.
    """
    flags = embedding.flags
    if (
        embedding.dtype != np.float32
        or embedding.ndim != 1
        or embedding.size == 0
        or not (flags.owndata and flags.writeable)
    ):
        raise TemplateError(
            "expected a writable float32 array of shape (d,) that owns its memory, found "
            f"{embedding.dtype} of shape {embedding.shape}, "
            f"{'own' if flags.owndata else 'borrowed'} memory, "
            f"{'writable' if flags.writeable else 'read-only'}"
        )
