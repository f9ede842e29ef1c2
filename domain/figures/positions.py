"""Where in the log a figure comes from: positions, told as ranges."""

from __future__ import annotations


class Positions:
    """Positions, kept as ranges, so that a hundred thousand faces in a row take little room."""

    def __init__(self) -> None:
        self._ranges: list[list[int]] = []

    def add(self, position: int) -> None:
        """Take in a position; one that is there already changes nothing."""
        if self._ranges and self._ranges[-1][0] <= position <= self._ranges[-1][1] + 1:
            self._ranges[-1][1] = max(position, self._ranges[-1][1])
        else:
            self._ranges.append([position, position])

    def __str__(self) -> str:
        """``3, 7-9``, ascending; empty for none."""
        joined: list[list[int]] = []
        for first, last in sorted(self._ranges):
            if joined and first <= joined[-1][1] + 1:
                joined[-1][1] = max(last, joined[-1][1])
            else:
                joined.append([first, last])
        return ", ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in joined
        )
