"""A fresh vault for each test, with each holder of keys of epochs in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.vault.epoch_keys import KeystoreToken
from tests.contract.vault.examples import OnDisk, on_disk
from tests.support import softhsm


@pytest.fixture(params=["file", "pkcs11"])
def holder(request: pytest.FixtureRequest) -> str:
    """Who holds the keys of epochs."""
    found: str = request.param
    return found


@pytest.fixture
def token(holder: str, tmp_path_factory: pytest.TempPathFactory) -> KeystoreToken | None:
    """The token, where it holds them."""
    if holder != "pkcs11":
        return None
    pin = tmp_path_factory.mktemp("pin")
    return KeystoreToken.from_uri(softhsm.uri(pin, object_label="epochs"))


@pytest.fixture
def opened(tmp_path: Path, token: KeystoreToken | None) -> Iterator[OnDisk]:
    """A fresh vault on disk."""
    with on_disk(tmp_path, token) as made:
        yield made
