"""``plumbline serve`` as it runs: a process beside the one that writes the record."""

from __future__ import annotations

import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import pytest

from api.bootstrap.site import open_site
from api.cli.serve import STALLED_MS, _listener, as_address
from api.stream import Pace
from domain.assurance.checkpoints import open_checkpoint
from domain.assurance.notes import VerifierKey
from domain.assurance.tiles import read_entry_bundle
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from infrastructure.premises import Premises
from tests.contract.record.examples import DEPLOYMENT, asked, viewed
from tests.support.listening import Heard, eventually, listening
from tests.support.processes import another_process
from tests.support.server_process import (
    Place,
    Server,
    apply_for_deployment,
    raised,
    serving,
    typed,
    write_alerts,
)
from tests.support.serving import on_loopback
from tests.support.stores import STORES

STOPS_WITHIN_S = 2.0


@pytest.fixture(params=sorted(STORES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A data directory with a record in each kind of store, and one deployment."""
    made = Place.fresh(request.param, tmp_path)
    apply_for_deployment(made.store.open())
    yield made
    made.store.remove()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Place]:
    """The same on the default store, for what no store can change."""
    made = Place.fresh("sqlite", tmp_path)
    apply_for_deployment(made.store.open())
    yield made
    made.store.remove()


@pytest.fixture
def writer(place: Place) -> Iterator[Connection]:
    """Another process that writes; it is alone in that, as a rehearsal would be."""
    with (
        Premises(place.data).alone(),
        another_process(write_alerts, place.store.address) as (_, connection),
    ):
        yield connection


def bearer(token: str) -> dict[str, str]:
    """The header that brings it."""
    return {"Authorization": f"Bearer {token}"}


def positions(events: list[Heard]) -> list[int]:
    """Their ids."""
    return [one.position for one in events]


def test_nothing_is_missed_and_nothing_comes_twice_however_often_the_server_dies(
    place: Place, writer: Connection
) -> None:
    """kill -9 while alerts are written; the listener comes back with the last id that it had."""
    token = place.token(Role.OPERATOR)
    expected: list[int] = []
    heard: list[Heard] = []
    chance = random.Random(20261123)
    for _ in range(3):
        with serving(place) as server:
            writer.send(20)
            last = heard[-1].id if heard else None
            with listening(server.stream, bearer(token), last_event_id=last) as listener:
                heard += listener.take(chance.randint(1, 25))
            server.kill()
        expected += writer.recv()
    with serving(place) as server:
        with listening(server.stream, bearer(token), last_event_id=heard[-1].id) as listener:
            heard += listener.take(len(expected) - len(heard))
            # and while it is there, too
            writer.send(3)
            expected += writer.recv()
            heard += listener.take(6)
            assert listener.comment() == "still here"
        listed = httpx.get(server.alerts, headers=bearer(token), params={"limit": "1000"}).json()
    assert positions(heard) == expected
    assert {one.name for one in heard} == {"alert.raised", "alert.viewed"}
    assert [one["newest_position"] for one in listed["alerts"]] == expected[1::2][::-1]
    assert {one["state"] for one in listed["alerts"]} == {"viewed"}


def test_a_revoked_token_ends_its_stream_and_a_stop_ends_all(
    place: Place, writer: Connection
) -> None:
    """By the command line, while the server runs; and the server says nothing of anyone's."""
    token, other = place.token(Role.OPERATOR), place.token(Role.AUDITOR)
    with serving(place) as server, ExitStack() as stack:
        listener = stack.enter_context(listening(server.stream, bearer(token)))
        kept = stack.enter_context(listening(server.stream, bearer(other)))
        assert listener.comment() == kept.comment() == "still here"
        place.tokens.revoke(Role.OPERATOR)
        assert list(listener.events()) == []
        assert httpx.get(server.alerts, headers=bearer(token)).status_code == 401
        writer.send(1)
        assert positions(kept.take(2)) == writer.recv()
        httpx.get(f"{server.alerts}?token={other}", headers=bearer(other))

        _stops(server, signal.SIGTERM, lambda: list(kept.events()))
        serves, stopped = server.out.read_text().splitlines()
        assert serves.startswith("serving ") and stopped == "stopped"
        assert server.errors.read_text() == ""


def test_a_register_that_stops_is_told_to_everybody(place: Place) -> None:
    """To whoever asks, by a problem; to whoever runs the server, in a sentence."""
    operator = bearer(place.token(Role.OPERATOR))
    with serving(place) as server, listening(server.stream, operator) as listener:
        assert listener.comment() == "still here"
        # looked at, and never raised
        place.store.open().append(viewed(), by=asked())
        assert list(listener.events()) == []
        refused = httpx.get(server.alerts, headers=operator)
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:plumbline:problem:register-stopped"
        assert "alert_register stopped at entry 1: " in server.errors.read_text()


def test_followers_say_that_something_came(on_sqlite: Place) -> None:
    """Nobody waits for the next look at the register."""
    operator = bearer(on_sqlite.token(Role.OPERATOR))
    pace = Pace(poll_s=3600, heartbeat_s=3600)
    record = on_sqlite.store.open()
    with (
        open_site(on_sqlite.data, pace=pace, proxies=frozenset(), tell=pytest.fail) as site,
        on_loopback(site) as address,
        listening(f"{address}/deployments/{DEPLOYMENT.hex}/alerts/stream", operator) as listener,
    ):
        eventually(lambda: site.feed.open_streams == 1)
        for number in range(3):
            size = record.append(raised(number), by=asked())
            assert positions(listener.take(1)) == [size - 1]


def test_an_interrupt_stops_it_too(on_sqlite: Place) -> None:
    """Ctrl-C, with a stream that nobody reads from."""
    token = on_sqlite.token(Role.DPO)
    with serving(on_sqlite) as server, listening(server.stream, bearer(token)):
        _stops(server, signal.SIGINT, lambda: None)
        assert server.errors.read_text() == ""


def _stops(server: Server, number: signal.Signals, meanwhile: Callable[[], object]) -> None:
    started = time.monotonic()
    server.signal(number)
    meanwhile()
    assert server.ended() == 0
    assert time.monotonic() - started < STOPS_WITHIN_S


def test_the_signed_log_can_be_put_together_from_what_is_served(place: Place) -> None:
    """By somebody who has an address and the key; the entries need the auditor's token."""
    origin = place.store.head().origin or ""
    Premises(place.data).sealer(origin, new=True)
    with typed(place, "sweep") as command:  # which signs the log
        assert command.ended() == 0, command.errors.read_text()
    auditor = bearer(place.token(Role.AUDITOR))
    with serving(place) as server:
        log = f"{server.address}/log"
        served = VerifierKey.from_text(httpx.get(f"{log}/log.vkey").text.strip())
        checkpoint = open_checkpoint(httpx.get(f"{log}/checkpoint").text, served, origin)
        tile = httpx.get(f"{log}/tile/0/000.p/{checkpoint.size}").content
        bundle = httpx.get(f"{log}/tile/entries/000.p/{checkpoint.size}", headers=auditor).content
    entries = read_entry_bundle(bundle, width=checkpoint.size)
    assert b"".join(leaf_hash(one) for one in entries) == tile
    tree = Frontier()
    for one in entries:
        tree.append(leaf_hash(one))
    assert tree.root() == checkpoint.root
    assert entries == [row.blob for row in place.store.rows()]


@pytest.mark.parametrize(
    "text", ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "[2001:db8::1]:80"]
)
def test_what_would_send_tokens_in_the_clear_is_refused(text: str) -> None:
    """With a sentence why, unless a TLS proxy stands in front."""
    with pytest.raises(DomainError, match=r"in the clear.*--behind-tls-proxy"):
        as_address(text, behind_proxy=False)
    assert as_address(text, behind_proxy=True).port in (80, 8080)


@pytest.mark.parametrize(
    "text", ["", "localhost:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    """Names are not looked up: what they lead to changes."""
    with pytest.raises(DomainError, match="expected --listen as ADDRESS:PORT"):
        as_address(text, behind_proxy=False)


@pytest.mark.parametrize(
    ("text", "url"),
    [("127.0.0.1:8080", "http://127.0.0.1:8080"), ("[::1]:0", "http://[::1]:0")],
)
def test_loopback_is_served(text: str, url: str) -> None:
    """In either family."""
    address = as_address(text, behind_proxy=False)
    assert address.told(address.port) == url


def test_a_client_that_takes_nothing_is_cut_off_by_the_system() -> None:
    """Connections take the setting over from where they came in."""
    with _listener(as_address("127.0.0.1:0", behind_proxy=False)) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
            found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert found == STALLED_MS


def test_a_server_without_a_record_or_a_free_address_says_so(
    on_sqlite: Place, tmp_path: Path
) -> None:
    """In one sentence, and nothing is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = _fails(on_sqlite, "serve", "--listen", address)
    assert f"cannot listen on http://{address}" in said
    empty = Place(tmp_path / "nothing", on_sqlite.store, {})
    for arguments in (("serve", "--listen", "127.0.0.1:0"), ("tokens", "make", "operator")):
        assert "expected a record at" in _fails(empty, *arguments)
    assert not empty.data.exists()


def _fails(place: Place, *arguments: str) -> str:
    """The one sentence that it says."""
    with typed(place, *arguments) as command:
        assert command.ended() == 4
        said = command.errors.read_text()
    assert said.startswith("plumbline: ") and said.count("\n") == 1
    return said


def test_tokens_are_made_listed_and_revoked_by_the_command_line(on_sqlite: Place) -> None:
    """Shown once; a list shows only how their digests begin."""

    def said(*arguments: str) -> str:
        with typed(on_sqlite, "tokens", *arguments) as command:
            assert command.ended() == 0, command.errors.read_text()
            return command.out.read_text()

    assert said("list") == "no role has a token: plumbline tokens make ROLE\n"
    token = said("make", "operator").strip()
    grant = on_sqlite.tokens.grant(token)
    assert grant is not None and grant.role is Role.OPERATOR
    listed = said("list")
    assert listed.startswith("operator ") and grant.fingerprint[:16] in listed
    assert token not in listed
    assert "already" in _fails(on_sqlite, "tokens", "make", "operator")
    assert said("revoke", "operator") == "the token for operator opens nothing any more\n"
    assert on_sqlite.tokens.grant(token) is None
    for role in ("king", "system", "Operator"):
        assert "expected a role" in _fails(on_sqlite, "tokens", "make", role)
