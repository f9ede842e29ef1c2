"""A log has one key that signs it; it is replaced by another, and then gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.kernel.errors import RecordBrokenError
from domain.log.aggregate import KEYS, LogKeys
from tests.support.stores import HALF_PAST_NINE

FIRST, SECOND, THIRD = (f"example.org/log+0000000{n}+AAA+{n}" for n in (1, 2, 3))

Act = Callable[[LogKeys], None]


def generate(key: str) -> Act:
    """The first key."""
    return lambda keys: keys.generate(key, kept_in="file", at=HALF_PAST_NINE)


def rotate(key: str) -> Act:
    """Another key."""
    return lambda keys: keys.rotate(key, kept_in="token", at=HALF_PAST_NINE)


def retire(keys: LogKeys) -> None:
    """The old one is gone."""
    keys.retire(last_size=9, at=HALF_PAST_NINE)


def after(*acts: Act) -> LogKeys:
    """The keys as these acts left them, read back from their events."""
    keys = LogKeys()
    for act in acts:
        act(keys)
    return LogKeys.replayed(KEYS, keys.collect_events())


def test_the_first_key_signs() -> None:
    """It is the only one."""
    keys = after(generate(FIRST))
    assert (keys.keys, keys.current, keys.outgoing) == ([FIRST], FIRST, None)
    assert keys.kept_in == {FIRST: "file"}
    assert LogKeys().current is None


def test_a_key_is_replaced_and_then_retired() -> None:
    """In between both are known: the last checkpoint of the old is signed by both."""
    keys = after(generate(FIRST), rotate(SECOND))
    assert (keys.current, keys.outgoing) == (SECOND, FIRST)
    keys = after(generate(FIRST), rotate(SECOND), retire, rotate(THIRD), retire)
    assert (keys.keys, keys.outgoing) == ([FIRST, SECOND, THIRD], None)
    assert keys.retired == {FIRST: 9, SECOND: 9}


@pytest.mark.parametrize(
    ("before", "act", "words"),
    [
        ([generate(FIRST)], generate(SECOND), r"signed by example.org/log\+00000001 already"),
        ([], rotate(FIRST), "cannot follow"),
        ([generate(FIRST)], rotate(FIRST), "cannot follow"),
        ([generate(FIRST), rotate(SECOND)], rotate(THIRD), "cannot follow"),
        ([generate(FIRST), rotate(SECOND), retire], rotate(FIRST), "cannot follow"),
        ([], retire, "being replaced"),
        ([generate(FIRST)], retire, "being replaced"),
        ([generate(FIRST), rotate(SECOND), retire], retire, "being replaced"),
    ],
)
def test_what_cannot_follow_is_refused_and_leaves_no_event(
    before: list[Act], act: Act, words: str
) -> None:
    """The name and id of a key are told, not the key."""
    keys = after(*before)
    with pytest.raises(RecordBrokenError, match=words) as error:
        act(keys)
    assert "AAA" not in str(error.value)
    assert keys.collect_events() == []
