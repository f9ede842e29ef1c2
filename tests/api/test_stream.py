"""Alerts as they come: every change once, in order, over a real connection."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.app import Application
from api.stream import AT_HAND, PAGE, Pace
from domain.kernel.commands import Role
from domain.kernel.errors import UnavailableError
from tests.support.listening import Heard, eventually, listening
from tests.support.serving import (
    ANOTHER_DEPLOYMENT,
    DEPLOYMENT,
    ORIGIN,
    QUICK,
    UNKNOWN_DEPLOYMENT,
    Site,
    a_line,
    bearer,
    on_loopback,
)

PATIENT = Pace(poll_s=0.02, gather_s=0.001, heartbeat_s=3600)
"""Streams that wait are woken by what came, and by nothing else."""

OPERATOR = bearer(Role.OPERATOR)
PATH = f"/deployments/{DEPLOYMENT.hex}/alerts/stream"


@pytest.fixture
def application(site: Site) -> Application:
    """At a pace at which no test waits long."""
    return site.application()


@pytest.fixture
def address(application: Application) -> Iterator[str]:
    """Where the stream of the one deployment is."""
    with on_loopback(application) as base:
        yield base + PATH


def positions(events: list[Heard]) -> list[int]:
    """Their ids."""
    return [one.position for one in events]


def test_a_stream_begins_with_the_first_alert_and_goes_on(site: Site, address: str) -> None:
    """So that whoever just connects misses nothing."""
    before = [site.register.raise_alert(number) for number in range(3)]
    with listening(address, OPERATOR) as listener:
        assert positions(listener.take(3)) == before
        for number in range(3, 6):
            position = site.register.raise_alert(number)
            assert positions(listener.take(1)) == [position]
        assert listener.retry == QUICK.retry_ms


def test_an_event_is_a_cloud_event(site: Site, address: str) -> None:
    """Read by a library of somebody else's."""
    raised = site.register.raise_alert(1)
    viewed = site.register.view(1)
    with listening(address, OPERATOR) as listener:
        first, second = listener.take(2)
    assert (first.name, first.id) == ("alert.raised", str(raised))
    assert (second.name, second.id) == ("alert.viewed", str(viewed))
    assert set(first.data) == {
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "subject",
        "datacontenttype",
        "data",
    }
    for heard in (first, second):
        event = JSONFormat().read(CloudEvent, json.dumps(heard.data))
        assert (event.get_id(), event.get_type()) == (heard.id, heard.name)
        assert (event.get_source(), event.get_subject()) == (ORIGIN, a_line(1).alert.hex)
        assert event.get_time() == a_line(1).raised_at
    assert first.data["data"]["state"] == "raised"
    assert second.data["data"]["state"] == "viewed"


def test_the_headers_let_nothing_hold_events_back(address: str) -> None:
    """Neither a proxy nor a cache."""
    with listening(address, OPERATOR) as listener:
        headers = listener.response.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-content-type-options"] == "nosniff"


def test_coming_back_with_the_last_id_gives_what_was_missed_and_no_more(
    site: Site, address: str
) -> None:
    """From every place in turn."""
    every = [site.register.raise_alert(number) for number in range(4)]
    site.register.pass_by(3)
    every.append(site.register.view(2))
    for last in range(site.register.size):
        with listening(address, OPERATOR, last_event_id=str(last)) as listener:
            missed = [one for one in every if one > last]
            assert positions(listener.take(len(missed))) == missed
            assert listener.comment() == "still here"


def test_a_listener_gets_its_own_deployment_only(site: Site, address: str) -> None:
    """Whatever comes between."""
    with listening(address, OPERATOR) as listener:
        site.register.raise_alert(8, deployment=ANOTHER_DEPLOYMENT)
        site.register.pass_by(10)
        wanted = site.register.raise_alert(1)
        site.register.raise_alert(9, deployment=ANOTHER_DEPLOYMENT)
        assert positions(listener.take(1)) == [wanted]
        assert listener.comment() == "still here"


def test_more_than_a_page_and_more_than_is_at_hand_comes_in_order(site: Site) -> None:
    """Before a listener came and while it listens."""
    number = AT_HAND + PAGE + 7
    before = [site.register.raise_alert(one) for one in range(number)]
    application = site.application(PATIENT)
    with ExitStack() as stack:
        address = stack.enter_context(on_loopback(application)) + PATH
        # so that the watcher has nothing to tell of what was there before
        eventually(lambda: application.feed._followed_to == site.register.size)
        listener = stack.enter_context(listening(address, OPERATOR))
        late = stack.enter_context(listening(address, OPERATOR))
        assert positions(listener.take(number)) == before
        after = [site.register.raise_alert(number + one) for one in range(number)]
        assert positions(listener.take(number)) == after
        # this one read nothing meanwhile, and has everything before it all the same
        assert positions(late.take(2 * number)) == before + after


@pytest.mark.parametrize("bad", ["x", "-1", "01", "1.0", "1 2", "99999999999999999999", "٣"])
def test_an_id_that_was_never_given_begins_anew_and_says_so(
    site: Site, address: str, bad: str
) -> None:
    """Not in silence, and not with a gap."""
    every = [site.register.raise_alert(number) for number in range(2)]
    with listening(address, OPERATOR, last_event_id=bad) as listener:
        reset, *events = listener.take(3)
    assert (reset.name, reset.id) == ("reset", "")
    assert reset.data["reason"] == "malformed"
    assert "from the first" in reset.data["detail"]
    assert positions(events) == every


def test_an_id_beyond_the_log_begins_anew_and_says_so(site: Site, address: str) -> None:
    """It is another log's, or this one was brought back from an older copy."""
    every = [site.register.raise_alert(number) for number in range(2)]
    with listening(address, OPERATOR, last_event_id=str(site.register.log)) as listener:
        reset, *events = listener.take(3)
        assert listener.last_id == str(every[-1])
    assert reset.data["reason"] == "beyond-the-log"
    assert positions(events) == every


def test_an_id_that_the_register_has_not_reached_is_waited_for(site: Site, address: str) -> None:
    """The record holds it already: this is no reset, and nothing comes twice."""
    site.register.raise_alert(1)
    site.register.log = 40
    with listening(address, OPERATOR, last_event_id="30") as listener:
        site.register.size = 40
        wanted = site.register.raise_alert(2)
        assert positions(listener.take(1)) == [wanted]


def test_a_register_that_is_made_again_repeats_nothing(site: Site, address: str) -> None:
    """It begins from nothing and catches up; who listens has all that already."""
    every = [site.register.raise_alert(number) for number in range(5)]
    with listening(address, OPERATOR) as listener:
        assert positions(listener.take(5)) == every
        kept, size = site.register.kept, site.register.size
        site.register.kept, site.register.size = [], 0
        assert listener.comment() == "still here"
        site.register.kept, site.register.size = kept, size
        wanted = site.register.raise_alert(9)
        assert positions(listener.take(1)) == [wanted]


def test_what_is_not_known_is_refused_before_anything_is_streamed(address: str) -> None:
    """With a problem, like everywhere."""
    for deployment, expected in ((UNKNOWN_DEPLOYMENT.hex, 404), ("x", 400)):
        with listening(address.replace(DEPLOYMENT.hex, deployment), OPERATOR) as listener:
            assert listener.response.status_code == expected
            assert listener.response.headers["content-type"] == "application/problem+json"
    with listening(address + "?after=3", OPERATOR) as listener:
        assert listener.response.status_code == 400


def test_a_revoked_token_ends_its_streams_and_no_others(site: Site, address: str) -> None:
    """Within a moment, without waiting for an alert."""
    with listening(address, OPERATOR) as listener, listening(address, bearer(Role.DPO)) as other:
        assert listener.comment() == other.comment() == "still here"
        site.tokens.revoked.add(Role.OPERATOR)
        assert list(listener.events()) == []
        wanted = site.register.raise_alert(1)
        assert positions(other.take(1)) == [wanted]
    with listening(address, OPERATOR) as listener:
        assert listener.response.status_code == 401


def test_a_revoked_token_ends_its_stream_without_waiting_for_a_sign_of_life(site: Site) -> None:
    """The watcher wakes it."""
    application = site.application(PATIENT)
    with on_loopback(application) as base, listening(base + PATH, OPERATOR) as listener:
        eventually(lambda: application.feed.open_streams == 1)
        site.tokens.revoked.add(Role.OPERATOR)
        assert list(listener.events()) == []


def test_who_says_that_something_came_is_believed(site: Site) -> None:
    """The register is then looked at, long before it would have been anyway."""
    application = site.application(Pace(poll_s=3600, heartbeat_s=3600))
    with on_loopback(application) as base, listening(base + PATH, OPERATOR) as listener:
        eventually(lambda: application.feed.open_streams == 1)
        for number in range(3):
            wanted = site.register.raise_alert(number)
            application.feed.nudge()
            assert positions(listener.take(1)) == [wanted]


def test_tokens_that_cannot_be_read_end_every_stream(site: Site, address: str) -> None:
    """Nobody stays on a token that nobody can check."""
    with listening(address, OPERATOR) as listener:
        assert listener.comment() == "still here"
        site.tokens.broken = True
        assert list(listener.events()) == []


def refusals(address: str) -> set[str]:
    """How stream and list are refused to the operator."""
    found = set()
    for path in (address, address.removesuffix("/stream")):
        with listening(path, OPERATOR) as listener:
            assert listener.response.status_code == 503
            found.add(listener.response.json()["type"].rpartition(":")[2])
    return found


def test_a_register_that_stands_still_does_not_look_alive(site: Site, address: str) -> None:
    """The stream ends, whoever comes back is told why, and once it goes on, so do they."""
    with listening(address, OPERATOR) as listener:
        assert listener.comment() == "still here"
        site.register.still = True
        assert list(listener.events()) == []
    assert refusals(address) == {"register-stopped"}
    site.register.still = False
    wanted = site.register.raise_alert(1)
    eventually(lambda: httpx.get(address.removesuffix("/stream"), headers=OPERATOR).is_success)
    with listening(address, OPERATOR) as listener:
        assert positions(listener.take(1)) == [wanted]


def test_a_register_that_nobody_keeps_up_does_not_look_alive(
    application: Application, address: str
) -> None:
    """Also when its follower is gone for good."""
    with listening(address, OPERATOR) as listener:
        assert listener.comment() == "still here"
        application.feed.end_following()
        assert list(listener.events()) == []
    assert refusals(address) == {"register-stopped"}


def test_a_register_that_cannot_be_read_for_long_ends_the_stream(site: Site, address: str) -> None:
    """A short while is waited for; then the client had better know."""
    with listening(address, OPERATOR) as listener:
        assert listener.comment() == "still here"
        site.register.broken = UnavailableError("gone")
        assert list(listener.events()) == []
    assert refusals(address) == {"unavailable"}
    site.register.broken = None
    wanted = site.register.raise_alert(1)
    eventually(lambda: httpx.get(address.removesuffix("/stream"), headers=OPERATOR).is_success)
    with listening(address, OPERATOR) as listener:
        assert positions(listener.take(1)) == [wanted]


def test_a_short_absence_of_the_register_is_not_noticed(site: Site) -> None:
    """Nothing is missed, nothing comes twice, nobody has to come back."""
    with (
        on_loopback(site.application(Pace(poll_s=0.02, heartbeat_s=0.05, catch_up_s=60))) as base,
        listening(base + PATH, OPERATOR) as listener,
    ):
        first = site.register.raise_alert(1)
        assert positions(listener.take(1)) == [first]
        site.register.broken = UnavailableError("gone")
        second = site.register.raise_alert(2)
        asked = site.register.asked
        eventually(lambda: site.register.asked > asked + 2)
        site.register.broken = None
        assert positions(listener.take(1)) == [second]


def test_an_error_while_the_register_is_watched_stops_it_for_all_to_see(
    site: Site, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A watcher that died in silence would leave every stream quiet for ever."""
    with listening(address, OPERATOR) as listener:
        assert listener.comment() == "still here"
        site.register.broken = ValueError("secret")
        assert list(listener.events()) == []
    assert "ValueError" in caplog.text and "secret" not in caplog.text


def test_one_stream_too_many_is_refused(site: Site) -> None:
    """And there is room again when one leaves."""
    application = site.application(Pace(poll_s=0.02, heartbeat_s=0.05, most_streams=2))
    with on_loopback(application) as base:
        address = base + PATH
        with listening(address, OPERATOR) as one, listening(address, OPERATOR) as two:
            assert one.comment() == two.comment() == "still here"
            with listening(address, OPERATOR) as three:
                assert three.response.status_code == 503
                assert three.response.json()["type"].endswith(":too-many-streams")
        eventually(lambda: application.feed.open_streams == 0)
        with listening(address, OPERATOR) as one:
            assert one.comment() == "still here"


def test_who_leaves_leaves_nothing_behind(site: Site, application: Application) -> None:
    """Also after a HEAD, and after a connection that just broke."""
    with on_loopback(application) as base:
        for _ in range(3):
            with listening(base + PATH, OPERATOR) as listener:
                site.register.raise_alert(1)
                listener.take(1)
                assert application.feed.open_streams == 1
            eventually(lambda: application.feed.open_streams == 0)
        assert not application.feed._topics and not application.feed._listening


def test_many_who_wait_ask_the_register_no_more_than_one(site: Site) -> None:
    """One watcher looks for all of them."""
    application = site.application(Pace(poll_s=0.02, heartbeat_s=60))
    with on_loopback(application) as base, ExitStack() as stack:
        every = [stack.enter_context(listening(base + PATH, OPERATOR)) for _ in range(30)]
        eventually(lambda: application.feed.open_streams == 30)
        site.register.raise_alert(1)
        for listener in every:
            listener.take(1)
        asked = site.register.asked
        started = time.monotonic()
        eventually(lambda: site.register.asked >= asked + 10)
        looks = (time.monotonic() - started) / 0.02
        # 30 streams that each looked by themselves would have asked 30 times a look
        assert site.register.asked - asked <= 2 * looks + 5
        asked, started = site.register.asked, time.monotonic()
        wanted = site.register.raise_alert(2)
        assert {listener.take(1)[0].position for listener in every} == {wanted}
        looks = (time.monotonic() - started) / 0.02
        # one reading for all of them, and the looks meanwhile
        assert site.register.asked - asked <= looks + 5


def test_a_client_that_takes_nothing_costs_a_page_and_holds_up_nobody(
    site: Site, application: Application
) -> None:
    """What it has not taken lies in the register, not in memory."""
    with on_loopback(application) as base, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", urlsplit(base).port))
        request = (
            f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {OPERATOR['Authorization']}\r\n"
        )
        slow.sendall(f"{request}\r\n".encode())
        eventually(lambda: application.feed.open_streams == 1)
        number = 8_000  # 6 MB, more than the system keeps for a connection
        for one in range(number):
            site.register.raise_alert(one)
        with listening(base + PATH, OPERATOR) as quick:
            assert len(quick.take(number)) == number
            asked = site.register.asked
            assert quick.comment() == "still here"
            # the slow one asks for no more pages than it takes
            assert site.register.asked - asked < 30
        (topic,) = application.feed._topics.values()
        assert len(topic.held) <= AT_HAND


def test_streams_end_when_the_server_stops(site: Site, application: Application) -> None:
    """At once, so that the server can stop."""
    with on_loopback(application) as base, listening(base + PATH, OPERATOR) as listener:
        assert listener.comment() == "still here"
        application.feed.nudge()
        loop = application.feed._loop
        assert loop is not None
        loop.call_soon_threadsafe(application.feed.close)
        assert list(listener.events()) == []
