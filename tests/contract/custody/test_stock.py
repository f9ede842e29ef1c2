"""Inventories over real stores and a real record: what another process lists, signs and finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.assurance.custody import Custody
from domain.assurance.examined import followed
from domain.assurance.holdings import CustodyVerdict
from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.events import InventoryAttested, LossFound, OrphanFound, ResurrectionFound
from domain.custody.schedule import BUILT_IN
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE, new_reference
from domain.ports import Stock, Wanted
from domain.services.epochs import end_epochs
from domain.services.inventory import Inventory, take_stock
from domain.services.rechecking import enrol
from infrastructure.custody.separate_rechecker import SeparateRechecker
from tests.contract.vault.examples import EPOCH, SALT, OnDisk, item, on_disk
from tests.support.builders import ALERT, DAY, DEPLOYMENT, a_command
from tests.support.scenarios import Scene
from tests.support.stores import Store

ITEMS = 7


class Place:
    """A running deployment with one possible match, over stores on disk."""

    def __init__(self, path: Path, store: Store, disk: OnDisk) -> None:
        self.path, self.store, self.disk = path, store, disk
        self.rechecker = SeparateRechecker(
            path / "recheck" / "recheck.key",
            disk.keystore.directory,
            disk.media.directory,
            enrol=lambda name, key: enrol(self.scene.outside, name, key),
        )
        self.scene = Scene().on(store).over(disk.vault, self.rechecker)
        self.scene.running().alerted()

    def stock(self) -> Inventory:
        """An inventory, recorded."""
        return take_stock(self.scene.outside, self.rechecker)

    def verdict(self, scope: str | None = None) -> CustodyVerdict:
        """What the offline verifier makes of the record, or of one deployment of it."""
        rows = (one for one in self.store.rows() if scope is None or one.scope in (scope, FORCE))
        return followed(((row.name, row.blob) for row in rows), Custody(scope)).verdict()

    def an_item(self) -> UUID:
        """One of those that are kept."""
        return min(self.scene.live_items())


@pytest.fixture
def place(tmp_path: Path, store: Store) -> Iterator[Place]:
    """As above."""
    with on_disk(tmp_path) as disk:
        here = Place(tmp_path, store, disk)
        yield here
        here.rechecker.close()


def test_stores_that_hold_what_they_must_are_attested(place: Place) -> None:
    """Over everything and over the deployment; the verifier recomputes both."""
    found = place.stock()
    assert (found.keys, found.ciphertexts, found.clean) == (ITEMS, ITEMS, True)
    attested = place.scene.events(InventoryAttested)
    assert [one.keystore_count for one in attested] == [ITEMS, ITEMS]
    assert place.verdict().sound, place.verdict().faults
    assert place.verdict(DEPLOYMENT.hex).sound
    place.scene.stopped().ended()
    assert place.stock().keys == 0
    verdict = place.verdict()
    assert verdict.sound, verdict.faults
    assert sum(one.levels["L3"] for one in verdict.holdings) == ITEMS


def test_a_deployment_that_was_emptied_is_attested_once_more(place: Place) -> None:
    """So that its pack alone shows that nothing of it is left; and no more after that."""
    place.scene.stopped().ended()
    for _ in range(2):
        place.stock()
        scopes = [row.scope for row in place.store.rows() if row.name == "inventory.attested"]
        assert scopes.count(DEPLOYMENT.hex) == 1
    verdict = place.verdict(DEPLOYMENT.hex)
    assert verdict.sound, verdict.faults
    assert sum(one.levels["L3"] for one in verdict.holdings) == ITEMS
    assert verdict.inventory is not None
    assert (verdict.inventory.scope, verdict.inventory.keystore) == (DEPLOYMENT.hex, 0)


def test_what_was_there_again_is_resolved_once_it_is_gone(place: Place) -> None:
    """In the deployment's own inventory, which is signed until it is clean."""
    one = place.an_item()
    raw = {one: (place.disk.media.directory).rglob(f"*{one.hex}*") for one in [one]}
    ((path, content),) = [(file, file.read_bytes()) for file in raw[one]]
    place.scene.stopped().ended()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    place.stock()
    assert "resurrected" in {seen.code for seen in place.verdict(DEPLOYMENT.hex).faults}
    path.unlink()
    place.stock()
    verdict = place.verdict(DEPLOYMENT.hex)
    assert verdict.sound, verdict.faults
    assert verdict.resolved > 0


def test_an_item_between_two_steps_is_neither_missing_nor_an_orphan(place: Place) -> None:
    """Registered, and not yet sealed; or begun to be destroyed."""
    registered = Item(new_reference())
    now = place.scene.clock.now()
    registered.register(
        ItemClass.FACE_CROP,
        content_type="image/jpeg",
        deployment=DEPLOYMENT,
        concerning=ALERT,
        rule=BUILT_IN.rule(ItemClass.FACE_CROP),
        schedule="",
        anchor_at=now,
        due_at=now + DAY,
        commitment="a" * 64,
        at=now,
    )
    begun = place.scene.record.load(Item, place.an_item())
    begun.start_destruction(cause="due", at=now)
    place.scene.record.append(registered, begun, by=a_command(at=now))
    place.disk.vault.seal(registered.label, salt=SALT, content=b"x")
    place.disk.vault.remove_ciphertexts([begun.id])
    assert place.stock().clean
    assert place.verdict().sound, place.verdict().faults


@pytest.mark.parametrize("what", ["key", "ciphertext", "stray file", "stray beside the keys"])
def test_what_no_entry_knows_is_found_once(place: Place, what: str) -> None:
    """And said by the verifier until it is gone."""
    differing = ["stores_differ"] if what in ("key", "ciphertext") else []
    if what == "key":
        differing += ["epoch_without_need"]  # it is wrapped by one that no entry knows, either
        place.disk.keystore.new_keys([(item(1), EPOCH)])
    elif what == "ciphertext":
        place.disk.media.write_stream(item(1), [b"something"])
    elif what == "stray file":
        (place.disk.media.directory / "notes.txt").write_text("a name")
    else:
        (place.disk.keystore.directory / "keystore.db.bak").write_bytes(b"a copy")
    for _ in range(2):
        assert place.stock().orphans == 1
        assert [one.code for one in place.verdict().faults] == ["orphans", *differing]
    (orphan,) = place.scene.events(OrphanFound)
    assert orphan.item == (item(1) if what in ("key", "ciphertext") else None)
    assert "name" not in repr(orphan)


@pytest.mark.parametrize("lost", ["keystore", "media"])
def test_what_should_be_there_and_is_not_is_found(place: Place, lost: str) -> None:
    """By the inventory over everything, and by that of its deployment."""
    gone = place.an_item()
    if lost == "keystore":
        place.disk.execute_unguarded("DELETE FROM item_key WHERE item = ?", gone.hex)
    else:
        place.disk.media.remove(gone)
    assert place.stock().missing == [gone]
    assert [one.item for one in place.scene.events(LossFound)] == [gone]
    for scope in (None, DEPLOYMENT.hex):
        found = {one.code for one in place.verdict(scope).faults}
        assert {"missing", "stores_differ"} <= found


@pytest.mark.parametrize("risen", ["keystore", "media"])
def test_what_was_destroyed_and_is_there_again_is_found(place: Place, risen: str) -> None:
    """An older copy of a store was put back."""
    one = place.an_item()
    kept = place.path / "kept"
    shutil.copytree(place.disk.media.directory, kept)
    wrapped = place.disk.execute("SELECT wrapped FROM item_key WHERE item = ?", one.hex)[0][0]
    place.scene.stopped().ended()
    if risen == "media":
        shutil.rmtree(place.disk.media.directory)
        shutil.copytree(kept, place.disk.media.directory)
    else:
        place.disk.execute_unguarded(
            "INSERT INTO item_key (item, wrapped) VALUES (?, ?)", one.hex, wrapped
        )
    found = place.stock()
    assert one in found.resurrected
    assert one in {seen.item for seen in place.scene.events(ResurrectionFound)}
    for scope in (None, DEPLOYMENT.hex):
        assert "resurrected" in {seen.code for seen in place.verdict(scope).faults}


class Moving:
    """A stocktaker during whose work an item comes to exist, once."""

    def __init__(self, place: Place) -> None:
        self._place, self._moved = place, False

    def stock(self) -> Stock:
        """As the other process sees it; meanwhile something happens."""
        found = self._place.rechecker.stock()
        if not self._moved:
            self._moved = True
            self._place.scene.viewed().decided(note="a note")
        return found

    def attest(self, wanted: Sequence[Wanted]) -> list[tuple[str, dict[str, Any]]]:
        """As above."""
        return self._place.rechecker.attest(wanted)


def test_stock_is_taken_anew_where_something_came_meanwhile(place: Place) -> None:
    """So that no inventory speaks of a moment that never was."""
    found = take_stock(place.scene.outside, Moving(place))
    assert (found.keys, found.clean) == (ITEMS + 1, True)
    assert place.verdict().sound


def test_a_store_that_cannot_be_listed_gives_no_inventory(place: Place) -> None:
    """Nothing is signed of what was not seen."""
    place.stock()
    before = len(place.scene.events(InventoryAttested))
    (place.disk.keystore.directory / "root.key").chmod(0o644)
    with pytest.raises(DomainError, match="could not look"):
        place.stock()
    assert len(place.scene.events(InventoryAttested)) == before


def test_a_deployment_is_looked_at_once_more_when_its_last_key_ended(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that its own entries show level four, without those of the force."""
    with monkeypatch.context() as patch:
        patch.setattr(type(place.disk.vault), "end_epochs", lambda *_, **__: [])
        place.scene.stopped().ended()
    place.stock()
    end_epochs(place.scene.outside, over=[DEPLOYMENT])
    alone = _of_the_deployment(place)
    assert alone.sound and not any("L4" in one.levels for one in alone.holdings)
    place.stock()
    alone = _of_the_deployment(place)
    assert alone.sound, alone.faults
    assert sum(one.levels["L4"] for one in alone.holdings) == ITEMS
    told = len(place.scene.events(InventoryAttested))
    place.stock()
    assert len(place.scene.events(InventoryAttested)) == told + 1, "from now on the force's alone"


def _of_the_deployment(place: Place) -> CustodyVerdict:
    """As a pack shows it: its entries, and who looks again."""
    rows = (
        one
        for one in place.store.rows()
        if one.scope == DEPLOYMENT.hex or one.name == "rechecker.enrolled"
    )
    return followed(((row.name, row.blob) for row in rows), Custody(DEPLOYMENT.hex)).verdict()
