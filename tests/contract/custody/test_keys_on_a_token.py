"""A node whose keystore has its keys on a PKCS#11 token: a deployment from first to last."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from api.bootstrap import open_node
from domain.custody.events import EpochDestroyed, InventoryAttested
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.services.inventory import take_stock
from infrastructure.vault.keystore import Keystore, KeystoreError
from tests.contract.packs.test_verifier_alone import plumbline
from tests.support import softhsm
from tests.support.builders import DEPLOYMENT, WINDOW
from tests.support.scenarios import Scene

ITEMS = 7


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the node is; both settings name one token."""
    monkeypatch.setenv("PLUMBLINE_EPOCH_KEYS", softhsm.uri(tmp_path, object_label="epochs"))
    monkeypatch.setenv("PLUMBLINE_LOG_KEY", softhsm.uri(tmp_path, object_label="log"))
    monkeypatch.delenv("PLUMBLINE_DATABASE", raising=False)
    return tmp_path / "data"


def ran(*arguments: object) -> str:
    """What a command that succeeds prints."""
    done = plumbline(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_deployment_whose_keys_are_on_a_token(data: Path) -> None:
    """Sealed, destroyed, its epochs ended, looked for again by another process, verified."""
    with open_node(data, Mode.REHEARSAL) as node:
        scene = Scene()
        scene.outside = node.outside
        now = node.outside.clock.now()
        scene.clock.stands_at(now)
        _run(scene, now)
        assert len(node.outside.vault.keys()) == ITEMS
        assert take_stock(node.outside, node.rechecker).clean
        scene.clock.stands_at(node.outside.clock.now())
        scene.stopped().ended()
        assert take_stock(node.outside, node.rechecker).clean
        events = [entry.event for entry in node.outside.record.history()]
        ended = [one for one in events if isinstance(one, EpochDestroyed)]
        assert ended and {one.kept_in for one in ended} == {"pkcs11"}
        attested = [one for one in events if isinstance(one, InventoryAttested)]
        assert attested[0].epoch_count == len(ended)
        assert attested[-1].epoch_count == attested[-1].keystore_count == 0
        assert "its keys on a PKCS#11 token" in node.premises.boundary
        node.seal()
    assert f"{ITEMS} items have receipts, 0 of them" in ran("custody", "recheck", "--data", data)
    assert "sound" in ran("verify", data, "--key", data / "seal" / "log.vkey")
    told = ran("replay", DEPLOYMENT.hex, "--data", data)
    assert told.count("is gone from its token, tombstone") == len(ended)


def test_a_node_without_the_setting_does_not_start(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it make new keys elsewhere."""
    with open_node(data, Mode.REHEARSAL) as node:
        scene = Scene()
        scene.outside = node.outside
        at = node.outside.clock.now()
        scene.clock.stands_at(at)
        _run(scene, at)
    monkeypatch.delenv("PLUMBLINE_EPOCH_KEYS")
    with (
        pytest.raises(KeystoreError, match="PLUMBLINE_EPOCH_KEYS"),
        open_node(data, Mode.REHEARSAL),
    ):
        pass
    with pytest.raises(KeystoreError, match="PLUMBLINE_EPOCH_KEYS"):
        Keystore(data / "keystore", only_reading=True)


def test_a_token_that_is_away_is_told_at_the_start_and_by_health(
    data: Path, tmp_path: Path
) -> None:
    """In words, and nothing is sealed until it is back."""
    with open_node(data, Mode.REHEARSAL) as node:
        premises = node.premises
    premises.try_keystore()
    (tmp_path / "pin").write_text("4712\n")
    with pytest.raises(KeystoreError, match=r"the token a token .* PinIncorrect"):
        premises.try_keystore()
    with (
        pytest.raises(DomainError, match=r"the token a token .* PinIncorrect"),
        open_node(data, Mode.REHEARSAL),
    ):
        pass


def _run(scene: Scene, at: datetime) -> None:
    """From the application to a possible match."""
    scene.applied(requested_from=at, requested_until=at + WINDOW).listed()
    scene.authorised(valid_from=at, valid_until=at + WINDOW).started().alerted()
