"""What is imported under our names is ours."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("package", ["domain", "infrastructure", "recognition", "api", "tests"])
def test_a_top_level_package_is_the_one_in_this_repository(package: str) -> None:
    """The names are common ones; another distribution may not stand in for any of them."""
    found = importlib.import_module(package).__file__
    assert found is not None
    assert Path(found).resolve() == (REPOSITORY / package / "__init__.py").resolve()


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without ``__init__.py`` would be found wherever the path says, not here."""
    packages = ("domain", "infrastructure", "recognition", "api", "tests")
    folders = {
        file.parent for package in packages for file in REPOSITORY.glob(f"{package}/**/*.py")
    }
    assert len(folders) > 20
    assert {folder for folder in folders if not (folder / "__init__.py").is_file()} == set()
