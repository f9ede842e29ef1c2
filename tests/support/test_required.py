"""What must not be skipped is not skipped."""

from __future__ import annotations

import pytest

from tests.support.required import need


@pytest.mark.parametrize("required", ["go", "go,postgres", "postgres,go", " postgres, go "])
def test_what_is_required_and_missing_fails(monkeypatch: pytest.MonkeyPatch, required: str) -> None:
    """With the reason, and wherever it stands in the list."""
    monkeypatch.setenv("PLUMBLINE_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="go is required here: no compiler"):
        need("go", present=False, reason="no compiler")


@pytest.mark.parametrize("required", [None, "", "postgres", "golang"])
def test_what_is_missing_and_not_required_is_skipped(
    monkeypatch: pytest.MonkeyPatch, required: str | None
) -> None:
    """With the reason."""
    monkeypatch.delenv("PLUMBLINE_REQUIRE", raising=False)
    if required is not None:
        monkeypatch.setenv("PLUMBLINE_REQUIRE", required)
    with pytest.raises(pytest.skip.Exception, match="needs go: no compiler"):
        need("go", present=False, reason="no compiler")


def test_what_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Required or not."""
    for required in ("go", ""):
        monkeypatch.setenv("PLUMBLINE_REQUIRE", required)
        need("go", present=True, reason="no compiler")
