"""The ``plumbline`` command."""

import recognition  # noqa: F401  first of all: what it sets must be set before numpy is imported
from api.cli.main import main

__all__ = ["main"]
