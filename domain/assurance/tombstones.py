"""Numbers of tombstones: each key that was destroyed has one of its own, without gaps.

The keystore numbers its tombstones from 1 and chains them. A receipt and the end of an epoch each
name one. A number that two of them name, or that none does although the keystore knows a later one,
shows that something was destroyed that nobody accounts for, or that a receipt was made up.
"""

from __future__ import annotations

_MOST_BYTES = 1 << 26
"""A log that claims more tombstones than half a thousand million is not followed."""


class Tombstones:
    """The numbers that were accounted for; one bit for each."""

    def __init__(self) -> None:
        """None was yet."""
        self._bits = bytearray()
        self.newest = 0
        """The highest number that anything named."""
        self.count = 0
        """How many different ones were named."""

    def take(self, sequence: int) -> bool:
        """Account for a number.

        Returns:
            Whether it is the first to name it.

        Raises:
            ValueError: it is none that a keystore gives.
        """
        octet, bit = divmod(sequence, 8)
        if type(sequence) is not int or sequence < 1 or octet > _MOST_BYTES:
            raise ValueError(f"tombstone {sequence}")
        if octet >= len(self._bits):
            self._bits.extend(bytes(octet + 1 - len(self._bits)))
        if self._bits[octet] >> bit & 1:
            return False
        self._bits[octet] |= 1 << bit
        self.newest = max(self.newest, sequence)
        self.count += 1
        return True

    def unaccounted(self, newest: int) -> int:
        """Of those up to a number, how many nothing named.

        Args:
            newest: no less than :attr:`newest`.
        """
        return newest - self.count
