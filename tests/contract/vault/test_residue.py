"""After destruction neither key nor content is left in any file, journals included.

Each search is shown to find what is there: the wrapped keys while they live, and a plant.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.contract.vault.examples import EPOCH, NOON, SALT, OnDisk, item, label, on_disk
from tests.support.residue import search

CONTENT = random.Random(1).randbytes(200_000)
PIECES = {f"content at {at}": CONTENT[at : at + 48] for at in range(0, len(CONTENT), 20_000)}


def keys_of(opened: OnDisk) -> dict[str, bytes]:
    """Every key that lives, plain and wrapped."""
    wrapped = {
        f"wrapped {name}": row for name, row in opened.execute("SELECT item, wrapped FROM item_key")
    }
    return wrapped | {
        f"key {one.hex}": bytes(opened.keystore.key(one)) for one in opened.keystore.items()
    }


def test_nothing_is_left_of_an_item_that_was_destroyed(opened: OnDisk, tmp_path: Path) -> None:
    """While it lives its wrapped key is found, and nothing else of it."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    needles = keys_of(opened) | PIECES | {"salt": SALT}
    living = search([tmp_path], needles)
    assert [(one.path, one.name) for one in living] == [(opened.database, f"wrapped {item().hex}")]

    opened.vault.destroy_keys([item()], at=NOON)[item()]
    opened.vault.remove_ciphertexts([item()])
    assert search([tmp_path], needles) == []


def test_the_same_search_finds_what_a_careless_program_would_leave(
    opened: OnDisk, tmp_path: Path
) -> None:
    """Content, salt and keys, left beside the ciphertexts."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    needles = keys_of(opened) | PIECES | {"salt": SALT}
    opened.vault.destroy_keys([item()], at=NOON)[item()]
    opened.vault.remove_ciphertexts([item()])
    plant = opened.media.directory / "left behind"
    plant.write_bytes(CONTENT + b"".join(keys for keys in needles.values()))
    assert {(one.path, one.name) for one in search([tmp_path], needles)} == {
        (plant, name) for name in needles
    }


@pytest.mark.parametrize("settings", ["journal_mode = PERSIST", "secure_delete = OFF"])
def test_with_other_settings_the_search_would_find_deleted_keys(
    opened: OnDisk, settings: str, tmp_path: Path
) -> None:
    """So the settings are why nothing is found, and the search would have found it."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    needles = keys_of(opened)
    opened.keystore._connection.execute(f"PRAGMA {settings}")
    opened.vault.destroy_keys([item()], at=NOON)[item()]
    assert {one.name for one in search([tmp_path], needles)} == {f"wrapped {item().hex}"}


def test_nothing_is_left_of_the_destroyed_among_many_that_live(tmp_path: Path) -> None:
    """Keys come and go until the keystore's pages were split, merged and given back."""
    chosen = random.Random(20261123)
    numbers = chosen.sample(range(1, 256), 200)
    needles: dict[str, bytes] = {}
    living: set[str] = set()
    with on_disk(tmp_path) as opened:
        opened.keystore._connection.execute("PRAGMA synchronous = OFF")  # no power cut here
        for number in numbers:
            opened.keystore.new_keys([(item(number), EPOCH)])[0]
            if chosen.random() < 0.5:
                needles |= keys_of(opened)
                gone = chosen.choice(sorted(opened.keystore.items()))
                opened.keystore.destroy([gone], at=NOON)[gone]
        needles |= keys_of(opened)
        living = {f"wrapped {one.hex}" for one in opened.keystore.items()}
        assert 50 < len(living) < 150
        assert {one.name for one in search([tmp_path], needles)} == living
        for one in opened.keystore.items():
            opened.keystore.destroy([one], at=NOON)[one]
        assert search([tmp_path], needles) == []
    assert search([tmp_path], needles) == []


def test_sealing_again_leaves_nothing_of_the_key_before(opened: OnDisk, tmp_path: Path) -> None:
    """A key that was replaced is as dead as one that was destroyed."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    before = keys_of(opened)
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    assert search([tmp_path], before) == []
    assert search([tmp_path], keys_of(opened))
