"""The default models, built once for all tests, and photographs that installed packages carry."""

from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest

from recognition.engine import Engine
from recognition.models import DEFAULT_NAME, build


def installed_photograph(distribution: str, name: str) -> Path:
    """The path of a photograph in an installed package, found without importing the package."""
    return Path(find_spec(distribution).submodule_search_locations[0]) / "data" / name


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The default model package, freshly built."""
    return build(tmp_path_factory.mktemp("models") / DEFAULT_NAME)


@pytest.fixture(scope="session")
def engine(package):
    """The default models, loaded."""
    return Engine(package)


@pytest.fixture(scope="session")
def group():
    """Six people: uint8, shape (886, 1280, 3), BGR."""
    return cv2.imread(str(installed_photograph("insightface", "images/t1.jpg")))


@pytest.fixture(scope="session")
def astronaut():
    """One person: uint8, shape (512, 512, 3), BGR."""
    return cv2.imread(str(installed_photograph("skimage", "astronaut.png")))


@pytest.fixture(scope="session")
def actor():
    """One face that fills the picture: uint8, BGR."""
    return cv2.imread(str(installed_photograph("insightface", "images/Tom_Hanks_54745.png")))
