"""What happened to the log itself: the keys that sign it, and what each signature covers."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel.events import Happened, recorded_as


@recorded_as("log.key_generated")
@dataclass(frozen=True, kw_only=True)
class KeyGenerated(Happened):
    """From here on this key signs the log. The first entry of a log that was founded with it."""

    verifier_key: str
    """The public key in signed-note form: name, id and base64."""
    kept_in: str
    """Where the private key is: ``file`` or ``token`` (PKCS#11)."""


@recorded_as("log.key_rotated")
@dataclass(frozen=True, kw_only=True)
class KeyRotated(Happened):
    """Another key signs the log. The next checkpoint is signed by both, later ones by the new."""

    old_verifier_key: str
    new_verifier_key: str
    kept_in: str
    """Where the new private key is: ``file`` or ``token`` (PKCS#11)."""


@recorded_as("log.key_retired")
@dataclass(frozen=True, kw_only=True)
class KeyRetired(Happened):
    """The private key was removed from where it was kept: it signs nothing any more."""

    verifier_key: str
    last_size: int
    """The size of the last checkpoint that it signed. What claims more under it is forged."""


@recorded_as("log.scope_heads_committed")
@dataclass(frozen=True, kw_only=True)
class ScopeHeadsCommitted(Happened):
    """The heads of all scopes, as they were just before, under one salted root.

    With an opening, somebody who is given one scope can see that nothing was cut off or left out,
    and learns nothing about the others but an upper limit of their number.
    """

    size: int
    """The entries of the log that the heads are about: those before this position."""
    scopes: int
    """How many scopes there were."""
    root: str
    """The Merkle root over the salted heads, hex."""
