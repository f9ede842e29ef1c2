"""One secret for a log, made once, and another for each commitment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from domain.assurance.scope_heads import ScopeEnd, verify_opening
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.signing import SealError

ENDS = {"one": ScopeEnd(3, bytes(32)), "two": ScopeEnd(5, bytes([1]) * 32)}


def test_what_was_committed_to_can_be_opened_later(tmp_path: Path) -> None:
    """By another process; at the size that it was committed at, and no other."""
    secrets = ScopeSecrets(tmp_path)
    secrets.make()
    root = secrets.commit(ENDS, size=9)
    again = ScopeSecrets(tmp_path)
    again.make()
    opening = again.open_end(ENDS, size=9, scope="two")
    verify_opening(opening, root)
    assert opening.end == ENDS["two"]
    assert again.commit(ENDS, size=10) != root
    assert again.open_end(ENDS, size=10, scope="two").token != opening.token
    assert (tmp_path / "scope.secret").stat().st_mode & 0o777 == 0o600


def test_of_several_who_make_it_at_once_one_does(tmp_path: Path) -> None:
    """And all of them commit under that one; nothing else stays."""
    together = Barrier(6)

    def commit(_: int) -> bytes:
        secrets = ScopeSecrets(tmp_path)
        together.wait(timeout=30)
        secrets.make()
        return secrets.commit(ENDS, size=1)

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(commit, range(6)))) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["scope.secret"]


@pytest.mark.parametrize("content", [None, b"", b"x" * 31])
def test_a_secret_that_is_gone_or_cut_is_named(tmp_path: Path, content: bytes | None) -> None:
    """It is not made anew for what was committed to before."""
    if content is not None:
        (tmp_path / "scope.secret").write_bytes(content)
    with pytest.raises(SealError, match=r"scope\.secret"):
        ScopeSecrets(tmp_path).open_end(ENDS, size=1, scope="one")
