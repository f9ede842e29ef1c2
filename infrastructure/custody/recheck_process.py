"""The re-checker: a process of its own, with its own key and its own eyes on the stores.

``python -m infrastructure.custody.recheck_process CREDENTIAL KEYSTORE MEDIA TOKEN`` (empty where
the keystore's file holds all keys). It says who it is in one line of JSON, then answers each line
that it is given (items to look for) with one: what it could not open, what is still there, and its
signature over that. It ends with its input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.assurance.inventories import Listed, items_listed, listed
from domain.assurance.inventories import statement as inventory_statement
from domain.assurance.rechecks import statement
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE, new_reference
from domain.ports import ItemLabel, Tombstone
from domain.services.rechecking import is_gone
from infrastructure.custody.credentials import Credential
from infrastructure.vault.ciphertexts import ciphertexts_at
from infrastructure.vault.epoch_keys import KeystoreToken
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.sealed_vault import SealedVault


def main(credential: str, keystore: str, media: str, epoch_keys: str) -> None:
    """Answer until there is nothing more to read."""
    try:
        key = Credential.made_once(Path(credential))
    except DomainError as error:
        _say({"error": str(error)})
        return
    _say({"rechecker": key.name, "public_key": key.public_key})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            # Opened for each question: what the stores hold now, and not what somebody remembers.
            with closing(_stores(Path(keystore), media, epoch_keys)) as vault:
                _say(_ANSWERS[asked["ask"]](vault, key, asked["about"]))
        except DomainError as error:
            _say({"error": str(error)})


def _stores(keystore: Path, media: str, epoch_keys: str) -> SealedVault:
    """The stores, only to be read: one that is away must not look like one that is empty."""
    token = KeystoreToken.from_uri(epoch_keys) if epoch_keys else None
    return SealedVault(
        Keystore(keystore, only_reading=True, token=token),
        ciphertexts_at(media, only_reading=True, says_what_is_gone=True),
    )


def looked_again(vault: SealedVault, key: Credential, about: list[list[str]]) -> dict[str, Any]:
    """What this process finds of the items, signed: the fields of ``destruction.rechecked``."""
    labels = [label_of(one) for one in about]
    gone = [one.item.hex for one in labels if is_gone(vault, one)]
    last = vault.last_tombstone()
    told: dict[str, Any] = {
        "recheck": new_reference().hex,
        "rechecker": key.name,
        "kind": "separate-process",
        "items": gone,
        "still_there": [one.item.hex for one in labels if one.item.hex not in set(gone)],
        "tombstone_sequence": last.sequence if last else 0,
        "tombstone_digest": last.digest if last else "",
    }
    return told | {"signature": key.sign(statement(told))}


def stock(vault: SealedVault, key: Credential, about: None) -> dict[str, Any]:
    """What lies in the stores."""
    return {
        "keys": sorted(_hexes(vault.keys())),
        "ciphertexts": sorted(_hexes(vault.ciphertexts())),
        "strays": vault.strays(),
    }


def attested(vault: SealedVault, key: Credential, about: list[dict[str, Any]]) -> dict[str, Any]:
    """Inventories over what this process lists itself, signed."""
    keys, ciphertexts = _hexes(vault.keys()), _hexes(vault.ciphertexts())
    epochs = vault.epochs()
    last = vault.last_tombstone()
    return {"attested": [_attested(one, key, keys, ciphertexts, epochs, last) for one in about]}


def _attested(
    wanted: dict[str, Any],
    key: Credential,
    keys: set[str],
    ciphertexts: set[str],
    epochs: set[str],
    last: Tombstone | None,
) -> list[Any]:
    skip = set(wanted["skip"])

    def of_it(there: set[str]) -> set[str]:
        return there if wanted["among"] is None else there & set(wanted["among"])

    def among(there: set[str]) -> Listed:
        return items_listed(of_it(there) - skip)

    scope = wanted["scope"]
    of_scope = {one for one in epochs if scope == FORCE or one.startswith(f"{scope}/")}
    in_keystore, in_media = among(keys), among(ciphertexts)
    wrapped = listed(one.encode() for one in of_scope)
    told = {
        "as_of": wanted["as_of"],
        "keystore_count": in_keystore.count,
        "keystore_root": in_keystore.root,
        "media_count": in_media.count,
        "media_root": in_media.root,
        "epoch_count": wrapped.count,
        "epoch_root": wrapped.root,
        "epochs": sorted(of_scope),
        "skipped": sorted(of_it(keys | ciphertexts) & skip),
        "tombstone_sequence": last.sequence if last else 0,
        "tombstone_digest": last.digest if last else "",
        "missing": wanted["missing"],
        "orphans": wanted["orphans"],
        "resurrected": wanted["resurrected"],
        "rechecker": key.name,
    }
    return [scope, told | {"signature": key.sign(inventory_statement(told, scope))}]


def as_line(label: ItemLabel) -> list[str]:
    """A label as it goes over the pipe."""
    return [
        label.item.hex,
        label.item_class,
        label.deployment.hex,
        label.content_type,
        label.registered_on.isoformat(),
    ]


def label_of(line: list[str]) -> ItemLabel:
    """What :func:`as_line` wrote."""
    item, item_class, deployment, content_type, day = line
    return ItemLabel(
        UUID(item), item_class, UUID(deployment), content_type, date.fromisoformat(day)
    )


def _hexes(items: set[UUID]) -> set[str]:
    return {one.hex for one in items}


_ANSWERS: dict[str, Callable[[SealedVault, Credential, Any], dict[str, Any]]] = {
    "recheck": looked_again,
    "stock": stock,
    "attest": attested,
}
"""What can be asked."""


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
