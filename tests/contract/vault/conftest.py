"""A fresh vault for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.vault.examples import OnDisk, on_disk


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OnDisk]:
    """A fresh vault on disk."""
    with on_disk(tmp_path) as made:
        yield made
