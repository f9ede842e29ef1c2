"""The server's tokens: made once, kept as digests, revoked at once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from domain.kernel.commands import Role
from infrastructure.access.tokens import (
    PREFIX,
    TokenError,
    TokenFile,
    TokensUnreadableError,
)
from tests.support.stores import HALF_PAST_NINE


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """No token yet, and no directory either."""
    return TokenFile(tmp_path / "access")


def test_a_token_opens_its_role_and_nothing_else_does(tokens: TokenFile) -> None:
    """Not a part of it, not more than it, not another case."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    found = tokens.grant(token)
    assert found is not None and found.role is Role.OPERATOR
    for other in (
        "",
        token[:-1],
        token + "x",
        token.swapcase(),
        token.removeprefix(PREFIX),
        "é\ud800",
    ):
        assert tokens.grant(other) is None
    assert tokens.grant(token * 1000) is None


def test_only_digests_are_kept_and_only_for_us(tokens: TokenFile) -> None:
    """Whoever copies the file gets no token out of it."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    kept = tokens.file.read_text()
    assert token not in kept and token.removeprefix(PREFIX) not in kept
    assert stat.S_IMODE(tokens.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.directory.stat().st_mode) == 0o700


def test_tokens_are_long_random_and_can_be_recognised(tokens: TokenFile) -> None:
    """256 bits behind a fixed beginning."""
    made = [tokens.make(role, at=HALF_PAST_NINE) for role in (Role.OPERATOR, Role.AUDITOR)]
    assert len(set(made)) == 2
    assert all(one.startswith(PREFIX) and len(one) == len(PREFIX) + 43 for one in made)


def test_a_role_has_one_token(tokens: TokenFile) -> None:
    """A second one would make the first hard to take away."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    with pytest.raises(TokenError, match="revoke operator first"):
        tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    assert tokens.grant(token) is not None


def test_a_revoked_token_is_gone_at_once_for_whoever_reads(tokens: TokenFile) -> None:
    """Also for a server that has the file open since before; the other roles keep theirs."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    kept = tokens.make(Role.AUDITOR, at=HALF_PAST_NINE)
    server = TokenFile(tokens.directory)
    grant = server.grant(token)
    assert grant is not None and server.stands(grant)
    tokens.revoke(Role.OPERATOR)
    assert server.grant(token) is None
    assert not server.stands(grant)
    assert server.grant(kept) is not None
    again = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    assert server.grant(again) is not None
    assert not server.stands(grant)


def test_what_is_not_there_cannot_be_revoked(tokens: TokenFile) -> None:
    """And nothing is made by trying."""
    with pytest.raises(TokenError, match="no token for dpo"):
        tokens.revoke(Role.DPO)
    assert not tokens.directory.exists()
    tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    with pytest.raises(TokenError, match="no token for dpo"):
        tokens.revoke(Role.DPO)


def test_a_list_shows_roles_times_and_digests(tokens: TokenFile) -> None:
    """In the order in which they were made."""
    assert tokens.known() == []
    for role in (Role.OPERATOR, Role.AUDITOR):
        tokens.make(role, at=HALF_PAST_NINE)
    assert [one.role for one in tokens.known()] == [Role.OPERATOR, Role.AUDITOR]
    assert {one.made_at for one in tokens.known()} == {HALF_PAST_NINE}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"v": 2, "tokens": []}',
        '{"v": 1, "tokens": [{"role": "operator"}]}',
        '{"v": 1, "tokens": [{"role": "king", "sha256": "00", "made_at": "2026-11-23T09:30:00Z"}]}',
        json.dumps(
            {"v": 1, "tokens": [{"role": "dpo", "sha256": "00", "made_at": "2026-11-23T09:30:00Z"}]}
        ),
    ],
)
def test_a_damaged_file_lets_nobody_in(tokens: TokenFile, content: str) -> None:
    """And is not taken for an empty one."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    tokens.file.write_text(content)
    for ask in (lambda: tokens.grant(token), lambda: tokens.make(Role.DPO, at=HALF_PAST_NINE)):
        with pytest.raises(TokensUnreadableError, match="nobody is let in"):
            ask()
    assert tokens.file.read_text() == content


def test_a_file_that_others_can_read_or_write_lets_nobody_in(tokens: TokenFile) -> None:
    """Whoever can write it can let themselves in."""
    token = tokens.make(Role.OPERATOR, at=HALF_PAST_NINE)
    tokens.file.chmod(0o620)
    with pytest.raises(TokensUnreadableError, match="chmod 600"):
        tokens.grant(token)
