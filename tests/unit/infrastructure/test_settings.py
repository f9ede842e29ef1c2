"""A setting that is misspelt stops the start; one that is not given has a plain default."""

from __future__ import annotations

from pathlib import Path

import pytest

from infrastructure.settings import Settings, SettingsError


@pytest.mark.parametrize(
    "unknown", ["PLUMBLINE_DTA", "PLUMBLINE_", "PLUMBLINE_DATA_", "PLUMBLINE_data"]
)
def test_an_unknown_setting_stops_the_start(unknown: str) -> None:
    """Also beside known ones; the message names it and what is known."""
    environment = {"HOME": "/h", "PLUMBLINE_DATA": "/d", unknown: "x"}
    with pytest.raises(SettingsError, match=rf"unknown settings {unknown}; known are .*_DATA"):
        Settings.read(environment)


def test_every_unknown_setting_is_named_at_once() -> None:
    """Nobody should learn them one start at a time."""
    with pytest.raises(SettingsError, match="unknown settings PLUMBLINE_A, PLUMBLINE_B;"):
        Settings.read({"HOME": "/h", "PLUMBLINE_B": "", "PLUMBLINE_A": ""})


def test_what_others_set_does_not_concern_us() -> None:
    """Only what begins with our name is ours."""
    settings = Settings.read({"HOME": "/h", "MY_PLUMBLINE_DATA": "/x", "DATA": "/x", "PATH": "/x"})
    assert settings.premises == Path("/h/.local/share/plumbline")
    assert settings.cache == Path("/h/.cache/plumbline")


@pytest.mark.parametrize(
    ("environment", "premises"),
    [
        ({"PLUMBLINE_DATA": "/here"}, "/here"),
        ({"PLUMBLINE_DATA": "/here", "XDG_DATA_HOME": "/shared"}, "/here"),
        ({"XDG_DATA_HOME": "/shared"}, "/shared/plumbline"),
        ({"PLUMBLINE_DATA": "", "XDG_DATA_HOME": ""}, "/h/.local/share/plumbline"),
    ],
)
def test_our_own_setting_comes_before_the_desktops(
    environment: dict[str, str], premises: str
) -> None:
    """And an empty one counts as none."""
    assert Settings.read({"HOME": "/h"} | environment).premises == Path(premises)


def test_a_relative_directory_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is where the person stood, whatever directory the program changes to later."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.read({"HOME": "/h", "PLUMBLINE_CACHE": "kept", "PLUMBLINE_DATA": "./data"})
    assert (settings.cache, settings.premises) == (tmp_path / "kept", tmp_path / "data")
