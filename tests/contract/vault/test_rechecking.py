"""Another process, with a key of its own, looks again after a destruction."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.assurance.rechecks import recheck_holds
from domain.custody.events import DestructionRechecked, ItemDestroyed, RecheckerEnrolled
from domain.services.rechecking import enrol
from infrastructure.custody.credentials import Credential, CredentialError
from infrastructure.custody.separate_rechecker import RecheckerError, SeparateRechecker
from infrastructure.record.bodies import to_body
from tests.contract.vault.examples import CONTENT, NOON, SALT, OnDisk, item, label, on_disk
from tests.support.scenarios import Scene


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """Who was enrolled, with which key."""
    return []


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[OnDisk]:
    """A vault on disk."""
    with on_disk(tmp_path) as opened:
        yield opened


@pytest.fixture
def rechecker(
    tmp_path: Path, stores: OnDisk, told: list[tuple[str, str]]
) -> Iterator[SeparateRechecker]:
    """The other process."""
    another = SeparateRechecker(
        tmp_path / "recheck" / "recheck.key",
        stores.keystore.directory,
        stores.media.directory,
        enrol=lambda name, key: told.append((name, key)),
    )
    yield another
    another.close()


def destroyed(stores: OnDisk, number: int) -> None:
    """An item that came and went."""
    stores.vault.seal(label(number), salt=SALT, content=CONTENT)
    stores.vault.destroy_keys([item(number)], at=NOON)
    stores.vault.remove_ciphertexts([item(number)])


def test_what_is_gone_is_signed_for_by_a_key_that_was_enrolled_first(
    stores: OnDisk, rechecker: SeparateRechecker, told: list[tuple[str, str]]
) -> None:
    """And the tombstone that it saw is the newest."""
    destroyed(stores, 1)
    destroyed(stores, 2)
    looked = rechecker.recheck([label(1), label(2)], at=NOON)
    assert (looked.gone, looked.still_there) == ([item(1), item(2)], [])
    assert looked.kind == "separate-process"
    assert looked.last_tombstone == stores.vault.last_tombstone()
    ((name, key),) = told
    assert looked.rechecker == name
    body = {
        "recheck": looked.recheck.hex,
        "rechecker": looked.rechecker,
        "items": [one.hex for one in looked.gone],
        "still_there": [],
        "tombstone_sequence": 2,
        "tombstone_digest": looked.last_tombstone.digest if looked.last_tombstone else "",
        "signature": looked.signature,
    }
    assert recheck_holds(body, key)
    assert not recheck_holds(body | {"items": [item(1).hex]}, key)


@pytest.mark.parametrize("left", ["key and ciphertext", "ciphertext", "key"])
def test_what_is_left_is_seen(stores: OnDisk, rechecker: SeparateRechecker, left: str) -> None:
    """Whatever the destroyer believes."""
    destroyed(stores, 1)
    stores.vault.seal(label(2), salt=SALT, content=CONTENT)
    if left == "ciphertext":
        stores.vault.destroy_keys([item(2)], at=NOON)
    elif left == "key":
        stores.vault.remove_ciphertexts([item(2)])
    looked = rechecker.recheck([label(1), label(2)], at=NOON)
    assert (looked.gone, looked.still_there) == ([item(1)], [item(2)])


def test_it_sees_what_changed_between_two_questions(
    stores: OnDisk, rechecker: SeparateRechecker
) -> None:
    """One process answers many."""
    stores.vault.seal(label(1), salt=SALT, content=CONTENT)
    assert rechecker.recheck([label(1)], at=NOON).still_there == [item(1)]
    stores.vault.destroy_keys([item(1)], at=NOON)
    stores.vault.remove_ciphertexts([item(1)])
    assert rechecker.recheck([label(1)], at=NOON).gone == [item(1)]


def test_a_killed_one_says_nothing_and_another_takes_its_place(
    stores: OnDisk, rechecker: SeparateRechecker, told: list[tuple[str, str]]
) -> None:
    """With the same key."""
    destroyed(stores, 1)
    rechecker.recheck([label(1)], at=NOON)
    assert rechecker.process_id is not None
    os.kill(rechecker.process_id, signal.SIGKILL)
    with pytest.raises(RecheckerError):
        rechecker.recheck([label(1)], at=NOON)
    assert rechecker.recheck([label(1)], at=NOON).gone == [item(1)]
    assert len(set(told)) == 1


def test_stores_that_cannot_be_read_are_said_and_nothing_is_signed(
    tmp_path: Path, stores: OnDisk, rechecker: SeparateRechecker
) -> None:
    """A disk that is not there is not an item that is gone."""
    destroyed(stores, 1)
    rechecker.recheck([label(1)], at=NOON)
    stores.keystore.directory.rename(tmp_path / "elsewhere")
    (tmp_path / "keystore").write_text("not a directory")
    with pytest.raises(RecheckerError, match="could not look"):
        rechecker.recheck([label(1)], at=NOON)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Whoever can read it can sign for the re-checker."""
    file = tmp_path / "recheck" / "recheck.key"
    Credential.made_once(file)
    file.chmod(0o640)
    with pytest.raises(CredentialError, match="chmod 600"):
        Credential(file)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(CredentialError, match="found 5"):
        Credential(file)


def test_a_receipt_names_the_recheck_that_it_rests_on(
    stores: OnDisk, rechecker: SeparateRechecker
) -> None:
    """From the end of a deployment, over real stores."""
    scene = Scene().over(stores.vault, rechecker).running().alerted().stopped().ended()
    looked = scene.events(DestructionRechecked)
    receipts = scene.events(ItemDestroyed)
    assert {one.recheck_id for one in receipts} == {one.recheck for one in looked}
    assert {one.recheck for one in receipts} == {"separate-process"}
    (name, key) = rechecker.known_as
    assert all(recheck_holds(to_body(one), key) for one in looked)
    assert {one.rechecker for one in looked} == {name}


def test_a_rechecker_is_enrolled_once(stores: OnDisk) -> None:
    """However often it is started."""
    scene = Scene()
    for _ in range(3):
        enrol(scene.outside, "5d0c1c2e7f0bdf57", "19" * 32)
    assert len(scene.events(RecheckerEnrolled)) == 1
    enrol(scene.outside, "0000000000000000", "20" * 32)
    assert len(scene.events(RecheckerEnrolled)) == 2
