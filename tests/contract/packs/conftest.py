"""What the tests of packs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.packs.packed import lived_through
from tests.contract.seal.sealed import Sealed
from tests.support.stores import Store


@pytest.fixture
def sealed(store: Store, tmp_path: Path) -> Sealed:
    """Two deployments beside each other, signed, on each kind of store in turn."""
    made = Sealed(store, tmp_path / "seal")
    lived_through(made)
    return made
