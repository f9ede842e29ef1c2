"""Looking again after a destruction, by the process that destroyed. A receipt says just that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.kernel.references import new_reference
from domain.ports import (
    CiphertextMissingError,
    ItemLabel,
    KeyDestroyedError,
    Rechecked,
    Vault,
    VaultError,
)


class LookAgain:
    """Implements ``domain.ports.Rechecker`` in the same process: not independent, not signed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def recheck(self, labels: Sequence[ItemLabel], *, at: datetime) -> Rechecked:
        """Try to open each, and look for what is left of it."""
        still_there = [one.item for one in labels if not self._is_gone(one)]
        return Rechecked(
            recheck=new_reference(),
            rechecker="",
            kind="in-process",
            gone=[one.item for one in labels if one.item not in still_there],
            still_there=still_there,
            last_tombstone=self._vault.last_tombstone(),
            signature="",
        )

    def _is_gone(self, label: ItemLabel) -> bool:
        try:
            self._vault.open(label)
        except (KeyDestroyedError, CiphertextMissingError):
            return not self._vault.holds(label.item)
        except VaultError:
            return False
        return False
