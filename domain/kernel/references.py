"""References: random per deployment, so that the record cannot be used to follow anyone.

An identifier that is stable across deployments may not appear in an event
(domain specification, section 3.1, NEVER 7).
"""

from uuid import UUID, uuid4, uuid5

_JOURNALS = UUID("b1a6c3f4-8d1f-5f0e-9c52-6a0f6a1f7e11")

FORCE = "force"
"""The scope of what concerns no single deployment."""


def new_reference() -> UUID:
    """A fresh random reference."""
    return uuid4()


def journal(kind: str, scope: str) -> UUID:
    """The stream of a journal, worked out from what it is about (``refusals/<scope>``)."""
    return uuid5(_JOURNALS, f"{kind}/{scope}")
