"""Known template bytes and known key bytes are searched everywhere afterwards, and not found.

The search must find what is there, so each has a plant, and the same search finds the sealed
things while they live.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from api.bootstrap import Node, open_node
from api.demo.watchlist import Listing
from api.rehearsal.script import Listener, Play, rehearse
from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.custody.policies import PURPOSES
from domain.custody.sealing import Epoch
from domain.kernel.commands import Mode
from domain.kernel.refusals import Refused
from domain.services.carrying_out import by_the_system
from domain.services.custody import consult
from domain.services.survey import ItemSeen, Survey
from domain.watchlists.accepted import accepted_values
from infrastructure.vault.keystore import Keystore
from recognition.engine import Engine
from recognition.pipeline import RecogniserSettings
from recognition.templates import Template
from tests.support.residue import search


class ListeningEngine(Engine):
    """The engine, remembering the bytes of every template that it made."""

    made: dict[str, bytes]

    def embed(self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Template:
        """Embed, and keep a copy: what a careless program would leave behind."""
        template = super().embed(image_bgr, landmarks)
        self.made[f"template {len(self.made)}"] = template.values.tobytes()
        return template


@dataclass
class Known:
    """What the search looks for, and what was seen while it lived."""

    needles: dict[str, bytes] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    live_items: int = 0
    wrapped_found_while_live: bool = False


@pytest.fixture(scope="module")
def known() -> Known:
    """Filled while the rehearsal plays."""
    return Known()


@pytest.fixture(scope="module")
def data(
    known: Known,
    engine: Engine,
    clip: Path,
    listing: Listing,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """A rehearsal whose keys and templates are known, opened one by one before destruction."""
    path = tmp_path_factory.mktemp("residue") / "data"
    listening = ListeningEngine(engine.package)
    listening.made = known.needles
    with pytest.MonkeyPatch.context() as patch:
        _remember_keys(patch, known)
        with open_node(path, Mode.REHEARSAL) as node:
            play = Play(
                watchlist=listing.csv,
                images=listing.images,
                video=str(clip),
                threshold=Decimal("0.42"),
                accepted=accepted_values(),
                settings=RecogniserSettings(),
            )
            rehearse(node, play, listening, Listener(step=_before_the_end(node, known)))
    yield path


def test_each_item_opened_through_a_consultation_before_its_destruction(
    data: Path, known: Known
) -> None:
    """What was kept was really there, of every class, and reading it was recorded."""
    assert known.live_items > 8
    assert known.opened >= {
        "reference_image",
        "reference_template",
        "callers_reference",
        "face_crop",
        "wide_frame",
        "probe_template",
        "alert_detail",
        "free_text",
    }


def test_no_template_and_no_key_is_left_in_any_file(data: Path, known: Known) -> None:
    """Record, journals, keystore, media and seal hold none of them."""
    assert len(known.needles) > 20
    assert search([data], known.needles) == []


def test_the_search_finds_what_is_planted(data: Path, known: Known, tmp_path: Path) -> None:
    """Every template and key is found when a careless program leaves it in a file."""
    (tmp_path / "swap").write_bytes(os.urandom(70_001) + b"".join(known.needles.values()))
    assert {one.name for one in search([tmp_path], known.needles)} == set(known.needles)


def test_the_search_found_the_keystores_rows_while_they_lived(data: Path, known: Known) -> None:
    """The keystore's file is read raw: a wrapped key that was there was found there."""
    assert known.wrapped_found_while_live


def _remember_keys(patch: pytest.MonkeyPatch, known: Known) -> None:
    """Copy each item's key, plain and wrapped, as it is made."""
    new_keys = Keystore.new_keys

    def remembering(keystore: Keystore, wanted: Sequence[tuple[UUID, Epoch]]) -> list[bytearray]:
        keys = new_keys(keystore, wanted)
        for (item, _), key in zip(wanted, keys, strict=True):
            known.needles[f"key {item.hex}"] = bytes(key)
            known.needles[f"wrapped {item.hex}"] = wrapped_key(keystore, item)
        return keys

    patch.setattr(Keystore, "new_keys", remembering)


def wrapped_key(keystore: Keystore, item: UUID) -> bytes:
    """An item's key as it is stored."""
    rows = keystore._rows("SELECT wrapped FROM item_key WHERE item = ?", item.hex)
    return bytes(rows[0][0])


def reading(node: Node, item: ItemSeen) -> ConsultItem:
    """A consultation by somebody, and for a purpose, that may open this item."""
    purpose = next(
        name for name, purpose in PURPOSES.items() if ItemClass(item.item_class) in purpose.classes
    )
    asked = by_the_system(node.outside, scope=item.deployment.hex, mode=Mode.REHEARSAL, part="test")
    asked["role"] = sorted(PURPOSES[purpose].roles)[0]
    return ConsultItem(**asked, item=item.item, purpose=purpose)


def _before_the_end(node: Node, known: Known) -> Callable[[str], None]:
    """When the end is announced, open every item, and look for wrapped keys in the raw files."""

    def step(words: str) -> None:
        if not words.startswith("ending the deployment"):
            return
        survey = Survey().take(node.outside.record.history())
        for item in survey.items.values():
            registered = node.outside.record.load(Item, item.item)
            assert registered.sealed is not None
            if item.item_class == ItemClass.PROBE_TEMPLATE:
                # No purpose opens it: nobody can look at numbers. That it is there is seen below.
                assert node.outside.vault.open(registered.label)
            else:
                opened = consult(node.outside, reading(node, item))
                assert not isinstance(opened, Refused) and opened
            known.opened.add(item.item_class)
            known.live_items += 1
        wrapped = {name: one for name, one in known.needles.items() if name.startswith("wrapped")}
        found = {one.name for one in search([node.premises.keystore], wrapped)}
        known.wrapped_found_while_live = found == set(wrapped)

    return step
