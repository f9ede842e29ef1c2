"""Where each stream is: as a dictionary would say it, in less memory."""

from __future__ import annotations

import sys
import tracemalloc
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assurance.versions import Versions

STREAMS = st.integers(0, 40).map(lambda low: f"{'ab' * 2}{low % 3:024x}{low % 7:04x}")
"""Few and alike: in one bucket, bytes of one are found across two others."""


@given(st.lists(st.tuples(STREAMS, st.integers(1, 1 << 20)), max_size=60))
def test_it_says_what_a_dictionary_says(kept: list[tuple[str, int]]) -> None:
    versions, model = Versions(buckets=1), dict[str, int]()
    for stream, version in kept:
        assert versions.of(stream) == model.get(stream, 0)
        versions.keep(stream, version)
        model[stream] = version
    assert {one: versions.of(one) for one in model} == model


@pytest.mark.parametrize("first", ["0" * 32, "f" * 32, "0000" + "00" * 13 + "01"])
def test_a_stream_that_nobody_kept_is_at_none(first: str) -> None:
    versions = Versions()
    assert versions.of(first) == 0
    versions.keep(first, 5)
    assert versions.of(first) == 5
    assert versions.of(UUID(int=77).hex) == 0


def test_no_log_is_longer_than_a_version_can_tell() -> None:
    with pytest.raises(OverflowError):
        Versions().keep("0" * 32, 1 << 40)


def test_streams_that_begin_alike_do_not_share_a_bucket() -> None:
    """Whoever writes a log chooses its names; looking one up must not become a search for that."""
    versions = Versions()
    for number in range(1000):
        versions.keep(f"{'00' * 8}{number:016x}", 1)
    assert max(len(one or b"") for one in versions._buckets) < 10 * 21


def test_a_stream_takes_a_fraction_of_what_a_dictionary_takes() -> None:
    names = [UUID(int=number * (1 << 90) + 7).hex for number in range(200_000)]

    def grown(keep: object) -> int:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for name in names:
                keep(name, 3)  # type: ignore[operator]
            after, _ = tracemalloc.get_traced_memory()
            return after - before
        finally:
            tracemalloc.stop()

    versions, dictionary = Versions(), dict[str, int]()
    plain = grown(dictionary.__setitem__) + sum(sys.getsizeof(one) for one in names)
    assert grown(versions.keep) < plain / 2
