"""What a test needs from the machine: missing on a laptop it is a skip, in CI a failure.

``PLUMBLINE_REQUIRE=go,postgres`` names what must be there.
"""

from __future__ import annotations

import os

import pytest


def need(what: str, *, present: bool, reason: str) -> None:
    """Skip the test unless the thing is there, or fail it where it must be."""
    if present:
        return
    required = os.environ.get("PLUMBLINE_REQUIRE", "").split(",")
    if what in (one.strip() for one in required):
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(f"needs {what}: {reason}")
