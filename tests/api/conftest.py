"""The API over ports in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.support.serving import Site

Client = TestClient[Any]


@pytest.fixture
def site() -> Site:
    """What the API answers from; a test fills it."""
    return Site()


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """Somebody who asks, without a token unless a test gives one."""
    with TestClient(site.application().asgi) as client:
        yield client
