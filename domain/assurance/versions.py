"""The newest version of every stream, in some twenty bytes each.

A stream's entries have the versions 1, 2, 3, ..., so whoever follows a log has to remember where
each stream is, also of those that ended long ago: else one could begin again unseen. Streams are as
many as items, and a dictionary of their names would be most of the memory that a verification
needs. Here each is its 16 bytes and 5 of version, in a bucket that a hash of the name chooses: the
hash is another in each process, so that no log can be written whose streams all share one.
"""

from __future__ import annotations

_BUCKETS = 1 << 16
_NAME = 16
_VERSION = 5
_RECORD = _NAME + _VERSION


class Versions:
    """Stream to its newest version; 0 for one that is not known."""

    def __init__(self, buckets: int = _BUCKETS) -> None:
        """No stream is known yet."""
        self._buckets: list[bytearray | None] = [None] * buckets

    def of(self, stream: str) -> int:
        """The newest version of a stream.

        Args:
            stream: 32 lower-case hex digits.
        """
        name = bytes.fromhex(stream)
        bucket = self._buckets[hash(name) % len(self._buckets)]
        if bucket is None:
            return 0
        at = _place(bucket, name)
        return 0 if at < 0 else int.from_bytes(bucket[at + _NAME : at + _RECORD], "big")

    def keep(self, stream: str, version: int) -> None:
        """A stream has this version now.

        Raises:
            OverflowError: no log is that long.
        """
        name, told = bytes.fromhex(stream), version.to_bytes(_VERSION, "big")
        number = hash(name) % len(self._buckets)
        bucket = self._buckets[number]
        if bucket is None:
            self._buckets[number] = bytearray(name + told)
            return
        at = _place(bucket, name)
        if at < 0:
            bucket += name + told
        else:
            bucket[at + _NAME : at + _RECORD] = told


def _place(bucket: bytearray, name: bytes) -> int:
    """Where a stream's record begins; -1 where it has none."""
    at = bucket.find(name)
    # a name may also be found across two records, and is nobody's there
    while at > 0 and at % _RECORD:
        at = bucket.find(name, at + 1)
    return at
