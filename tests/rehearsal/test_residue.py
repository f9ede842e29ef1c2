"""Known bytes through the whole life of personal data, then searched for in every file.

Of a rehearsal with footage everything is known: each template, each key, the content of each item,
a random note and random references of the caller. They are looked for raw in every file below the
data directory and, where the record is on PostgreSQL, of its server: tables, write-ahead log, its
own log. While they live, nothing is there but wrapped keys, in the keystore. A month later, when
the last footage is gone, nothing is there at all.

The search must find what is there, so each needle has a plant in a file and in the database.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from api.bootstrap import Node, open_node, open_worker, read_history
from api.demo.watchlist import Listing
from api.rehearsal import stand_ins
from api.rehearsal.script import Listener, Play, rehearse
from domain.custody.aggregate import label_of
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.custody.events import ItemRegistered
from domain.custody.policies import PURPOSES
from domain.custody.sealing import Epoch
from domain.kernel.commands import Mode
from domain.kernel.refusals import Refused
from domain.services.carrying_out import by_the_system
from domain.services.custody import consult
from domain.services.survey import ItemSeen, Survey
from domain.watchlists.accepted import accepted_values
from infrastructure.clock import SystemClock
from infrastructure.vault.keystore import Keystore
from recognition.engine import Engine
from recognition.pipeline import RecogniserSettings
from recognition.templates import Template
from tests.support.injected import InjectedClock, going_by
from tests.support.postgres import Server
from tests.support.residue import Finding, search

PIECE_BYTES = 48
"""Of each template and content: a database cuts what is longer than a page."""
MONTH = timedelta(days=31)


class ListeningEngine(Engine):
    """The engine, remembering the bytes of every template that it made."""

    made: dict[str, bytes]

    def embed(self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Template:
        """Embed, and keep a copy: what a careless program would leave behind."""
        template = super().embed(image_bgr, landmarks)
        self.made[f"template {len(self.made)}"] = _a_piece_of(template.values.tobytes())
        return template


@dataclass
class Boundary:
    """A data directory and the server that its record is on, if it is on one."""

    data: Path
    server: Server | None
    database: str | None = None

    @property
    def url(self) -> str | None:
        """Where the record is, if not in a file."""
        return self.server.url(self.database or "") if self.server else None

    def paths(self) -> list[Path]:
        """All there is to search. A socket of a server that runs is no file."""
        if self.server is None:
            return [self.data]
        files = [one for one in self.server.cluster.iterdir() if not one.is_socket()]
        return [self.data, self.server.root / "log", *files]

    def planted(self, values: Sequence[bytes]) -> list[Path]:
        """Have the database take these into a table of its own; where they must be found then.

        The write-ahead log cuts what lies across the end of one of its pages: give each some times.
        """
        if self.server is None:
            file = self.data / "record" / "record.db"
            with closing(sqlite3.connect(file)) as local, local:
                local.execute("CREATE TABLE careless (value BLOB)")
                local.executemany("INSERT INTO careless VALUES (?)", [[one] for one in values])
            return [file.parent]
        with psycopg.connect(self.url or "", autocommit=True) as connection:
            connection.execute("CREATE TABLE careless (value bytea)")
            for one in values:
                connection.execute("INSERT INTO careless VALUES (%s)", [one])
            connection.execute("DELETE FROM careless")
        self.written_out()
        return [self.server.cluster / "base", self.server.cluster / "pg_wal"]

    def written_out(self) -> None:
        """Have the server write everything to its files that it has only in memory."""
        if self.server is not None:
            self.server.run("CHECKPOINT")


@dataclass
class Known:
    """What the search looks for, and what it found."""

    needles: dict[str, bytes] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    while_they_lived: list[Finding] = field(default_factory=list)
    in_the_end: list[Finding] = field(default_factory=list)

    def spelt(self) -> dict[str, bytes]:
        """The needles, also as a text may have them."""
        return self.needles | {
            f"{name} in hex": needle.hex().encode() for name, needle in self.needles.items()
        }


@dataclass
class Life:
    """What was searched, and what was known of it."""

    boundary: Boundary
    known: Known


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def boundary(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Boundary]:
    """Empty premises, and a server of their own."""
    data = tmp_path_factory.mktemp("residue") / "data"
    if request.param == "sqlite":
        yield Boundary(data, None)
        return
    server = Server()
    yield Boundary(data, server, server.fresh())
    server.stop()


@pytest.fixture(scope="module")
def life(
    boundary: Boundary,
    engine: Engine,
    clip: Path,
    listing: Listing,
    tmp_path_factory: pytest.TempPathFactory,
) -> Life:
    """A rehearsal of which everything is known, and the month after it."""
    known = Known()
    listening = ListeningEngine(engine.package)
    listening.made = known.needles
    clock = InjectedClock(SystemClock().now() + MONTH)
    with pytest.MonkeyPatch.context() as patch:
        _remember_keys(patch, known)
        patch.setattr(stand_ins, "NOTE", f"note {secrets.token_hex(16)}")
        if boundary.url:
            patch.setenv("PLUMBLINE_DATABASE", boundary.url)
        with open_node(boundary.data, Mode.REHEARSAL) as node:
            play = Play(
                watchlist=_with_random_references(listing, tmp_path_factory.mktemp("list")),
                images=listing.images,
                video=str(clip),
                threshold=Decimal("0.42"),
                accepted=accepted_values(),
                settings=RecogniserSettings(),
                footage=True,
            )
            rehearse(node, play, listening, Listener(step=_before_the_end(node, boundary, known)))
    with (
        going_by(clock, database=boundary.url, synchronised=True),
        open_worker(boundary.data) as (worker, _),
    ):
        worker.sweep(every_s=0)
        survey = Survey().take(read_history(boundary.data, None))
        assert list(survey.live()) == []
    boundary.written_out()
    known.in_the_end = search(boundary.paths(), known.spelt())
    return Life(boundary, known)


def _with_random_references(listing: Listing, folder: Path) -> Path:
    """The list, with references that nothing else can hold."""
    text = listing.csv.read_text("utf-8")
    changed = re.sub(r"demo-listed-\d", lambda _: f"ref-{secrets.token_hex(16)}", text)
    (folder / "watchlist.csv").write_text(changed, "utf-8")
    return folder / "watchlist.csv"


def test_what_is_looked_for_was_really_there(life: Life) -> None:
    """Of every class something was opened, and reading it was recorded where anybody may read."""
    assert life.known.opened >= {
        "reference_image",
        "reference_template",
        "callers_reference",
        "face_crop",
        "wide_frame",
        "probe_template",
        "alert_detail",
        "free_text",
        "footage_segment",
    }
    kinds = {name.split()[0] for name in life.known.needles}
    assert kinds == {"template", "key", "wrapped", "content"}


def test_while_it_lived_there_were_wrapped_keys_in_the_keystore_and_nothing_else(
    life: Life,
) -> None:
    """Its file is read raw: a wrapped key that was there was found there."""
    found = life.known.while_they_lived
    wrapped = {name for name in life.known.needles if name.startswith("wrapped")}
    assert {one.name for one in found} == wrapped
    keystore = life.boundary.data / "keystore"
    assert {one.path.parent for one in found} == {keystore}


def test_in_the_end_nothing_is_left_in_any_file(life: Life) -> None:
    """Record, journals, keystore, media, seal, tables, write-ahead log: none of them."""
    assert len(life.known.needles) > 40
    assert life.known.in_the_end == []


def test_the_search_finds_what_is_planted_in_a_file(life: Life, tmp_path: Path) -> None:
    """Each needle, as a careless program leaves it."""
    needles = life.known.spelt()
    (tmp_path / "swap").write_bytes(os.urandom(70_001) + b"\0".join(needles.values()))
    assert {one.name for one in search([tmp_path], needles)} == set(needles)


def test_the_search_finds_what_is_planted_in_the_database(life: Life) -> None:
    """Each needle, wherever a careless table leaves it."""
    planted = 3 * list(life.known.needles.values())
    for place in life.boundary.planted(planted):
        assert {one.name for one in search([place], life.known.needles)} == set(
            life.known.needles
        ), place


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


def _before_the_end(node: Node, boundary: Boundary, known: Known) -> Callable[[str], None]:
    """When the end is announced, open every item, and search while all of them live."""

    def step(words: str) -> None:
        if not words.startswith("ending the deployment"):
            return
        history = list(node.outside.record.history())
        registered = {
            one.event.originator_id: one.event
            for one in history
            if isinstance(one.event, ItemRegistered)
        }
        for item in Survey().take(history).live():
            assert item.sealed
            content = bytes(node.outside.vault.open(label_of(registered[item.item])))
            known.needles[f"content {item.item.hex}"] = _a_piece_of(content)
            known.opened.add(item.item_class)
            # No purpose opens a probe template: nobody can look at numbers.
            if item.item_class != ItemClass.PROBE_TEMPLATE:
                assert not isinstance(consult(node.outside, reading(node, item)), Refused)
        boundary.written_out()
        known.while_they_lived = search(boundary.paths(), known.spelt())

    return step


def _a_piece_of(content: bytes) -> bytes:
    """From its middle: its beginning may be as that of any picture."""
    start = max(0, (len(content) - PIECE_BYTES) // 2)
    return content[start : start + PIECE_BYTES]
