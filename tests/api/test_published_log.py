"""The log as anyone may fetch it."""

from __future__ import annotations

import pytest

from domain.kernel.commands import Role
from tests.api.conftest import Client
from tests.support.serving import Site, bearer

IMMUTABLE = "public, max-age=31536000, immutable"


def test_the_checkpoint_is_served_byte_for_byte(site: Site, client: Client) -> None:
    """And for a moment only: there will be a newer one."""
    answer = client.get("/log/checkpoint")
    assert answer.content == site.published.note
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"


def test_before_the_first_checkpoint_there_is_none(site: Site, client: Client) -> None:
    """Not an empty one."""
    site.published.note = None
    answer = client.get("/log/checkpoint")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:plumbline:problem:not-in-log"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("0/000", (0, 0, 256)),
        ("1/255", (1, 255, 256)),
        ("0/x001/234", (0, 1234, 256)),
        ("0/x001/x234/067", (0, 1234067, 256)),
        ("63/000.p/1", (63, 0, 1)),
        ("0/x001/000.p/255", (0, 1000, 255)),
    ],
)
def test_a_tile_is_found_under_its_path(
    site: Site, client: Client, path: str, place: tuple[int, int, int]
) -> None:
    """Level, index in groups of three digits, and width where it is partial."""
    site.published.tiles[place] = b"h" * 32 * place[2]
    answer = client.get(f"/log/tile/{path}")
    assert answer.content == b"h" * 32 * place[2]
    assert answer.headers["content-type"] == "application/octet-stream"
    full = place[2] == 256
    assert answer.headers["cache-control"] == (IMMUTABLE if full else "public, max-age=60")


@pytest.mark.parametrize(
    "path",
    [
        "64/000",
        "00/000",
        "0/0",
        "0/0000",
        "0/1234",
        "0/x000/001",
        "0/001/x002",
        "0/001/002",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p",
        "0/000.p/",
        "0",
        "-1/000",
        "+1/000",
        "0/٠٠٠",
        "data/000",
        "0/x001/x001/x001/x001/x001/x001/000",
    ],
)
def test_a_path_has_one_form(site: Site, client: Client, path: str) -> None:
    """Any other is nothing, and no error of the server's."""
    site.published.tiles = dict.fromkeys(
        [(level, index, width) for level in (0, 1) for index in range(2) for width in (1, 256)],
        b"h",
    )
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_a_tile_beyond_the_signed_log_is_not_there(client: Client) -> None:
    """Whatever the record holds by now."""
    assert client.get("/log/tile/0/000").status_code == 404
    assert client.get("/log/tile/0/000.p/7").status_code == 404


def test_the_auditor_gets_the_entries_and_no_cache_keeps_them(site: Site, client: Client) -> None:
    """Full or partial."""
    auditor = bearer(Role.AUDITOR)
    site.published.bundles = {(1234, 256): b"full", (0, 7): b"partial"}
    for path, content in (("x001/234", b"full"), ("000.p/7", b"partial")):
        answer = client.get(f"/log/tile/entries/{path}", headers=auditor)
        assert answer.content == content
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "private, no-store"
    for path in ("000", "x", "x000/001", "000.p/256"):
        assert client.get(f"/log/tile/entries/{path}", headers=auditor).status_code == 404


def test_the_verifier_key_is_one_line(client: Client) -> None:
    """In signed-note form."""
    answer = client.get("/log/log.vkey")
    assert answer.text.endswith("\n")
    assert answer.text.count("\n") == 1
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_client_that_sends_its_token_may_read_the_public_log_too(client: Client) -> None:
    """And a token that is no good is told so, here too."""
    assert client.get("/log/checkpoint", headers=bearer(Role.OPERATOR)).status_code == 200
    bad = {"Authorization": "Bearer plumbline_wrong"}
    assert client.get("/log/checkpoint", headers=bad).status_code == 401


def test_a_query_is_not_known_here(client: Client) -> None:
    """Otherwise a cache could be filled with copies."""
    assert client.get("/log/checkpoint?now=1").status_code == 400
