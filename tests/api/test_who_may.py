"""Who may ask for what: nothing without a token and a role, except the public log."""

from __future__ import annotations

import pytest
from litestar.testing import TestClient

from api.app import PARTS, openapi
from api.auth import Door, presented_token
from api.problems import ProblemError
from domain.kernel.commands import Role
from tests.api.conftest import Client
from tests.support.serving import DEPLOYMENT, MemoryTokens, Site, bearer, token_of

ALERTS = f"/deployments/{DEPLOYMENT.hex}/alerts"
STREAM = f"{ALERTS}/stream"
SCHEMA = "/schema/openapi.json"
ENTRIES = "/log/tile/entries/000"
PUBLIC = ("/log/checkpoint", "/log/log.vkey", "/log/tile/0/000")

READERS = {
    Role.OPERATOR,
    Role.ENGAGEMENT_OFFICER,
    Role.AUTHORISING_OFFICER,
    Role.AUDITOR,
    Role.DPO,
}


@pytest.fixture
def full(site: Site) -> Site:
    """Something to find behind every path."""
    site.register.raise_alert(1)
    site.published.tiles[0, 0, 256] = b"h" * 8192
    site.published.bundles[0, 256] = b"\x00\x02{}"
    return site


def test_every_part_says_who_may_use_it() -> None:
    """A part that was added without a word about it would be refused to everyone."""
    for part in (*PARTS, openapi):
        assert bool(part.opt.get("public")) != bool(part.opt.get("roles")), part


def test_what_is_public_is_the_log_and_one_word_of_health() -> None:
    """By name, so that one more is a decision."""
    public = {path for part in PARTS if part.opt.get("public") for path in part.paths}
    assert public == {"/health", "/log/checkpoint", "/log/log.vkey", "/log/tile/{tile:path}"}


@pytest.mark.parametrize("path", [ALERTS, STREAM, SCHEMA, ENTRIES, "/", "/nothing", "/log"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer plumbline_wrong"},
        {"Authorization": f"Basic {token_of(Role.AUDITOR)}"},
        {"Authorization": token_of(Role.AUDITOR)},
        {"Authorization": "Bearer "},
    ],
)
def test_without_a_good_token_nothing_is_answered(
    full: Site, client: Client, path: str, headers: dict[str, str]
) -> None:
    """Not even whether there is such a path."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert answer.json()["type"] == "urn:plumbline:problem:not-authenticated"


@pytest.mark.parametrize(
    "path", ["/log/tile//entries/000", "/log//tile/entries/000", "/log/tile/entries/000/"]
)
def test_no_spelling_of_a_path_gets_around_the_role(full: Site, client: Client, path: str) -> None:
    """The router tidies paths up; the role is asked for after that."""
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer(Role.OPERATOR)).status_code == 403


@pytest.mark.parametrize("path", PUBLIC)
def test_the_log_is_for_anyone(full: Site, client: Client, path: str) -> None:
    """Hashes and a signature."""
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_alerts_are_for_those_who_act_on_them_or_oversee_them(
    full: Site, client: Client, role: Role
) -> None:
    """And a refusal says what it is."""
    expected = 200 if role in READERS else 403
    assert client.get(ALERTS, headers=bearer(role)).status_code == expected
    # HEAD ends a stream that would go on for ever
    assert client.head(STREAM, headers=bearer(role)).status_code == expected


@pytest.mark.parametrize("role", list(Role))
def test_entries_are_for_the_auditor(full: Site, client: Client, role: Role) -> None:
    """They show timing, composition and references to staff."""
    answer = client.get(ENTRIES, headers=bearer(role))
    assert answer.status_code == (200 if role is Role.AUDITOR else 403)
    if role is not Role.AUDITOR:
        assert answer.json()["type"] == "urn:plumbline:problem:not-allowed"


@pytest.mark.parametrize("role", list(Role))
def test_any_role_may_read_what_there_is(full: Site, client: Client, role: Role) -> None:
    """The document says nothing about anyone."""
    assert client.get(SCHEMA, headers=bearer(role)).status_code == 200


def test_a_token_in_the_address_opens_nothing(full: Site, client: Client) -> None:
    """Addresses end up in logs; and the answer does not repeat it."""
    token = token_of(Role.OPERATOR)
    for query in (f"access_token={token}", f"token={token}", token):
        assert client.get(f"{ALERTS}?{query}").status_code == 401
        answer = client.get(f"{ALERTS}?{query}", headers=bearer(Role.OPERATOR))
        assert answer.status_code == 400
        assert token not in answer.text


def test_a_revoked_token_opens_nothing_from_then_on(full: Site, client: Client) -> None:
    """At once, not when something expires."""
    assert client.get(ALERTS, headers=bearer(Role.OPERATOR)).status_code == 200
    full.tokens.revoked.add(Role.OPERATOR)
    assert client.get(ALERTS, headers=bearer(Role.OPERATOR)).status_code == 401
    assert client.get(ALERTS, headers=bearer(Role.AUDITOR)).status_code == 200


def test_tokens_that_cannot_be_read_let_nobody_in(full: Site, client: Client) -> None:
    """And the public log is still there."""
    full.tokens.broken = True
    answer = client.get(ALERTS, headers=bearer(Role.OPERATOR))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert client.get("/log/checkpoint").status_code == 200


def test_failed_attempts_are_limited_and_the_lawful_are_not_locked_out(
    full: Site, client: Client
) -> None:
    """One forgotten script must not keep the officers at its address from their alerts."""
    bad = {"Authorization": "Bearer plumbline_wrong"}
    found = [client.get(ALERTS, headers=bad).status_code for _ in range(12)]
    assert found == [401] * 10 + [429] * 2
    assert client.get(ENTRIES).status_code == 429
    refused = client.get(ALERTS)
    assert refused.json()["type"] == "urn:plumbline:problem:too-many-attempts"
    assert refused.headers["retry-after"] == "6"
    assert client.get(ALERTS, headers=bearer(Role.OPERATOR)).status_code == 200
    full.passed += 6.0
    assert client.get(ALERTS, headers=bad).status_code == 401
    assert client.get(ALERTS, headers=bad).status_code == 429


def test_a_client_that_comes_back_has_the_attempts_that_time_gave_it() -> None:
    """Never more than at first, and each client has its own."""
    passed = 0.0
    door = Door(MemoryTokens(), seconds=lambda: passed, burst=2, refill_s=1.0)

    def attempts(client: str) -> int:
        for number in range(10):
            try:
                door.require_patience(client)
            except ProblemError:
                return number
        return 10

    assert attempts("one") == 2
    assert attempts("other") == 2
    passed = 1000.0
    assert attempts("one") == 2


def test_what_is_remembered_of_clients_has_an_end() -> None:
    """However many there are."""
    door = Door(MemoryTokens(), seconds=lambda: 0.0)
    for number in range(Door.MOST_CLIENTS + 10):
        door.require_patience(f"client-{number}")
    assert len(door._left) == Door.MOST_CLIENTS


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"Authorization", b"bearer  abc ")], "abc"),
    ],
)
def test_a_token_is_read_from_its_header(
    headers: list[tuple[bytes, bytes]], token: str | None
) -> None:
    """The scheme in any case (RFC 9110, section 11.1)."""
    assert presented_token(headers) == token


def test_two_tokens_are_none() -> None:
    """Whoever stands between could have added one."""
    with pytest.raises(ProblemError):
        presented_token([(b"authorization", b"Bearer abc"), (b"authorization", b"Bearer def")])


def test_behind_a_proxy_only_the_proxy_is_answered(site: Site) -> None:
    """What comes around it came in the clear."""
    for proxies, expected in ((frozenset({"10.0.0.5"}), 403), (frozenset({"testclient"}), 401)):
        with TestClient(site.application(proxies=proxies).asgi) as client:
            answer = client.get(ALERTS)
        assert answer.status_code == expected


def test_behind_a_proxy_attempts_count_for_who_the_proxy_saw(site: Site) -> None:
    """Not for the proxy, which is everybody, and not for what a client claims to be."""

    def found(client: Client, forwarded: str) -> int:
        return client.get(ALERTS, headers={"X-Forwarded-For": forwarded}).status_code

    with TestClient(site.application(proxies=frozenset({"testclient"})).asgi) as client:
        assert [found(client, f"10.9.9.{n}, 10.0.0.1") for n in range(11)] == [401] * 10 + [429]
        assert found(client, "10.0.0.1, 10.0.0.2") == 401
