"""The document that describes the API."""

from __future__ import annotations

from typing import Any

import pytest

from api.problems import KINDS
from domain.kernel.commands import Role
from tests.api.conftest import Client
from tests.support.serving import bearer


@pytest.fixture
def schema(client: Client) -> Any:
    """The document, as a program gets it."""
    answer = client.get("/schema/openapi.json", headers=bearer(Role.OPERATOR))
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    return answer.json()


def test_it_describes_every_part_of_the_api(schema: Any) -> None:
    """In OpenAPI 3.1."""
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/deployments/{deployment}/alerts",
        "/deployments/{deployment}/alerts/stream",
        "/health",
        "/log/checkpoint",
        "/log/log.vkey",
        "/log/tile/{tile}",
        "/log/tile/entries/{bundle}",
    }


def test_it_says_where_a_token_is_needed(schema: Any) -> None:
    """Everywhere, but for what is public."""
    assert schema["security"] == [{"token": []}]
    assert schema["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    public = {path for path, part in schema["paths"].items() if part["get"].get("security") == [{}]}
    assert public == {"/log/checkpoint", "/log/log.vkey", "/log/tile/{tile}"}


def test_every_problem_in_it_is_problem_json(schema: Any) -> None:
    """Not what Litestar would have sent by itself."""
    problems = 0
    for part in schema["paths"].values():
        for status, answer in part["get"]["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (part, status)
                problems += 1
    assert problems > 15


def test_it_names_nobody_and_no_score(schema: Any) -> None:
    """What a client is told of an alert has no field for a face or a similarity."""
    fields = set(schema["components"]["schemas"]["AlertOut"]["properties"])
    assert not fields & {"similarity", "score", "template", "image", "name", "items", "ordinal"}
    assert {"alert", "entry", "threshold"} <= fields


def test_problem_types_are_apart_and_never_change() -> None:
    """A program may compare them; a new one is added here, and none is taken away."""
    assert sorted(one.type.removeprefix("urn:plumbline:problem:") for one in KINDS) == [
        "failed",
        "length-required",
        "malformed-cursor",
        "malformed-deployment",
        "malformed-limit",
        "malformed-request",
        "method-not-allowed",
        "not-allowed",
        "not-authenticated",
        "not-from-here",
        "not-in-log",
        "register-behind",
        "register-stopped",
        "too-large",
        "too-many-attempts",
        "too-many-streams",
        "unavailable",
        "unknown-deployment",
        "unknown-parameter",
        "unknown-path",
    ]
