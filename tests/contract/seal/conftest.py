"""What the tests of the seal share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.seal.sealed import Sealed
from tests.support.stores import Store


@pytest.fixture
def sealed(store: Store, tmp_path: Path) -> Sealed:
    """A record with its seal, on each kind of store in turn; its key is recorded."""
    return Sealed(store, tmp_path / "seal")
