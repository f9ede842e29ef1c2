"""The list of a deployment's alerts."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from api.stream import Pace
from domain.kernel.commands import Role
from domain.kernel.errors import RecordBrokenError, UnavailableError
from tests.api.conftest import Client
from tests.support.serving import (
    ANOTHER_DEPLOYMENT,
    DEPLOYMENT,
    UNKNOWN_DEPLOYMENT,
    Site,
    a_line,
    bearer,
)

ALERTS = f"/deployments/{DEPLOYMENT.hex}/alerts"
OPERATOR = bearer(Role.OPERATOR)


def listed(client: Client, address: str = ALERTS) -> Any:
    """What the operator is shown there."""
    answer = client.get(address, headers=OPERATOR)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(client: Client, address: str) -> tuple[int, str]:
    """How it is refused: the status, and the end of the type."""
    answer = client.get(address, headers=OPERATOR)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == answer.status_code
    return answer.status_code, told["type"].rpartition(":")[2]


def test_an_alert_is_listed_as_it_is_and_nothing_more(site: Site, client: Client) -> None:
    """Every field by name: what the register learns to hold one day does not leave by itself."""
    position = site.register.raise_alert(1)
    alert = a_line(1).alert.hex
    assert listed(client)["alerts"] == [
        {
            "alert": alert,
            "deployment": DEPLOYMENT.hex,
            "mode": "rehearsal",
            "run": "a7" * 16,
            "camera": "camera-1",
            "watchlist": "b1" * 16,
            "entry": a_line(1).entry.hex,
            "threshold": "0.420",
            "raised_at": "2026-11-23T09:30:01.000Z",
            "state": "raised",
            "decision": None,
            "decided_at": None,
            "version": 1,
            "raised_position": position,
            "newest_position": position,
        }
    ]


def test_the_newest_alert_comes_first_and_another_deployments_never(
    site: Site, client: Client
) -> None:
    """As they were left by what happened last."""
    site.register.raise_alert(1)
    site.register.raise_alert(9, deployment=ANOTHER_DEPLOYMENT)
    site.register.raise_alert(2)
    seen = site.register.view(1)
    found = listed(client)["alerts"]
    assert [one["alert"] for one in found] == [a_line(2).alert.hex, a_line(1).alert.hex]
    assert (found[1]["state"], found[1]["newest_position"]) == ("viewed", seen)


def test_pages_hold_every_alert_once_while_more_are_raised(site: Site, client: Client) -> None:
    """A cursor says behind which alert, not how many to leave out."""
    for number in range(7):
        site.register.raise_alert(number)
    found, address, pages = [], f"{ALERTS}?limit=3", 0
    while address:
        answer = client.get(address, headers=OPERATOR)
        page = answer.json()
        found += [one["alert"] for one in page["alerts"]]
        address, pages = page["next"], pages + 1
        link = answer.headers.get("link")
        assert link == (f'<{address}>; rel="next"' if address else None)
        site.register.raise_alert(100 + pages)
    assert found == [a_line(number).alert.hex for number in reversed(range(7))]
    assert pages == 3


def test_a_list_says_where_a_stream_goes_on_from(site: Site, client: Client) -> None:
    """The newest position that the register had taken in."""
    site.register.raise_alert(1)
    site.register.pass_by(4)
    assert listed(client)["position"] == 5


def test_both_ways_of_writing_an_id_name_the_same_deployment(site: Site, client: Client) -> None:
    """As in the record, or with hyphens."""
    site.register.raise_alert(1)
    dashed = f"/deployments/{DEPLOYMENT}/alerts"
    assert listed(client, dashed) == listed(client) == listed(client, ALERTS.replace("d1", "D1"))


@pytest.mark.parametrize(
    "text", ["x", "d1", "d1" * 17, "{" + "d1" * 16 + "}", "urn:uuid:" + "d1" * 16]
)
def test_what_is_no_id_is_called_so(client: Client, text: str) -> None:
    """Not: unknown."""
    assert problem(client, f"/deployments/{text}/alerts") == (400, "malformed-deployment")


def test_an_unknown_deployment_is_not_an_empty_one(client: Client) -> None:
    """Otherwise a mistyped id would look like a quiet day."""
    assert listed(client)["alerts"] == []
    address = f"/deployments/{UNKNOWN_DEPLOYMENT.hex}/alerts"
    assert problem(client, address) == (404, "unknown-deployment")


def test_what_the_register_has_not_read_yet_is_not_called_unknown(
    site: Site, client: Client
) -> None:
    """It may be in the entries that it has yet to read."""
    site.register.log = 50
    address = f"/deployments/{UNKNOWN_DEPLOYMENT.hex}/alerts"
    assert problem(client, address) == (503, "register-behind")
    site.register.size = 50
    assert problem(client, address) == (404, "unknown-deployment")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "ten", "", "01", "١", "1_0", "%201"])
def test_a_limit_is_a_number_from_1_to_1000(client: Client, limit: str) -> None:
    """In one form."""
    assert problem(client, f"{ALERTS}?limit={limit}") == (400, "malformed-limit")


def test_the_largest_limit_is_taken(site: Site, client: Client) -> None:
    """And the smallest."""
    site.register.raise_alert(1)
    assert len(listed(client, f"{ALERTS}?limit=1000")["alerts"]) == 1
    assert len(listed(client, f"{ALERTS}?limit=1")["alerts"]) == 1


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "MTIz", "%00", "ZZZZZZZZZZZZ", "é"])
def test_a_cursor_is_one_that_was_given_out(client: Client, cursor: str) -> None:
    """Anything else is refused, and not taken for the first page."""
    assert problem(client, f"{ALERTS}?cursor={cursor}") == (400, "malformed-cursor")


def test_a_cursor_belongs_to_its_list(site: Site, client: Client) -> None:
    """Another deployment's list would leave alerts out without a word."""
    for number in range(3):
        site.register.raise_alert(number)
    query = listed(client, f"{ALERTS}?limit=1")["next"].partition("?")[2]
    other = f"/deployments/{ANOTHER_DEPLOYMENT.hex}/alerts?{query}"
    assert problem(client, other) == (400, "malformed-cursor")


@pytest.mark.parametrize("query", ["offset=1", "limit=1&offset=1", "Limit=1", "limit=1&limit=2"])
def test_a_parameter_that_is_not_known_is_refused(client: Client, query: str) -> None:
    """A misspelt one would otherwise be left out without a word."""
    assert problem(client, f"{ALERTS}?{query}") == (400, "unknown-parameter")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_reading_is_offered(client: Client, method: str) -> None:
    """And the answer says so."""
    answer = client.request(method, ALERTS, headers=OPERATOR)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["type"] == "urn:plumbline:problem:method-not-allowed"


def test_head_is_get_without_the_body(site: Site, client: Client) -> None:
    """With the same headers."""
    site.register.raise_alert(1)
    got, headed = (client.request(one, ALERTS, headers=OPERATOR) for one in ("GET", "HEAD"))
    assert headed.content == b""
    assert (headed.status_code, headed.headers) == (200, got.headers)


def test_a_database_that_is_not_there_is_told_as_such(site: Site, client: Client) -> None:
    """And when it is back, so are the answers."""
    site.register.broken = UnavailableError("secret-host:5432 refused /var/lib/secret")
    answer = client.get(ALERTS, headers=OPERATOR)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["type"] == "urn:plumbline:problem:unavailable"
    assert "secret" not in answer.text
    site.register.broken = None
    assert client.get(ALERTS, headers=OPERATOR).status_code == 200


@pytest.mark.parametrize("error", [RecordBrokenError, ValueError, KeyError])
def test_nothing_of_an_exception_leaves_the_server(
    site: Site, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    """Neither to whoever asked nor, by its text, into a log; where it was, does."""
    with TestClient(site.application(Pace(poll_s=60)).asgi) as client:
        assert client.get(ALERTS, headers=OPERATOR).status_code == 200
        site.register.broken = error("secret")
        answer = client.get(ALERTS, headers=OPERATOR)
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:plumbline:problem:failed"
    assert "secret" not in answer.text + caplog.text
    assert error.__name__ in caplog.text and "serving.py" in caplog.text


def test_a_large_body_is_refused_before_it_is_read(client: Client) -> None:
    """Nothing here takes one."""
    answer = client.request("GET", ALERTS, headers=OPERATOR, content=b"x" * 65537)
    assert answer.json()["type"] == "urn:plumbline:problem:too-large"
    answer = client.request("GET", ALERTS, headers=OPERATOR, content=iter([b"x"]))
    assert answer.json()["type"] == "urn:plumbline:problem:length-required"


@pytest.mark.parametrize("address", [ALERTS, "/nothing", "/log/checkpoint", "/log/tile/9"])
def test_every_answer_keeps_a_browser_from_using_it(client: Client, address: str) -> None:
    """Also one that is a problem."""
    for headers in ({}, OPERATOR):
        answer = client.get(address, headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["referrer-policy"] == "no-referrer"
