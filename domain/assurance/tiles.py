"""Paths and contents of tiles (stand-in until the real one is merged)."""
from __future__ import annotations
import struct
from collections.abc import Sequence
TILE_WIDTH = 256
def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """The path."""
    name = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        name = f"x{index % 1000:03d}/{name}"
    return f"tile/{level}/{name}" + ("" if width == TILE_WIDTH else f".p/{width}")
def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """The bundle."""
    return b"".join(struct.pack(">H", len(one)) + one for one in entries)
