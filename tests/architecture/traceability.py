"""From each requirement to what serves it and to the tests that show it: ``docs/requirements.md``.

``python -m tests.architecture.traceability`` writes the page anew.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer.main

from api.cli.main import app
from domain.catalogue import EVENTS
from domain.figures.deployment_record import DEFINITIONS
from domain.figures.statements import StatementsError, demand

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "requirements.md"
NUMBERS = [*(f"{one:02}" for one in range(1, 116)), *(str(one) for one in range(201, 217))]
"""REQ-116 is page furniture and no requirement."""


def requirements() -> Mapping[str, Any]:
    """Number to what it says, what serves it, and what shows it."""
    text = (HERE / "requirements.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def known_tests() -> Mapping[str, list[str]]:
    """``file/test`` to the paths in which there is such a test."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{path.stem.removeprefix('test_')}/{node.name.removeprefix('test_')}"
                found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return found


@cache
def commands() -> frozenset[str]:
    """Every command of the command line, with its groups in front."""
    return frozenset(_commands(typer.main.get_command(app), ""))


def _commands(command: Any, before: str) -> Iterator[str]:
    for name, one in getattr(command, "commands", {}).items():
        yield f"{before}{name}"
        yield from _commands(one, f"{before}{name} ")


def wrong(number: str, one: Mapping[str, Any]) -> Iterator[str]:
    """What of a requirement's line is not true, in words."""
    if not one.get("says") or not one.get("by"):
        yield f"REQ-{number} says nothing, or nothing serves it"
    if not one.get("tests") and not one.get("human"):
        yield f"REQ-{number} has no test and is not marked as human only"
    for by in one.get("by", ()):
        kind, _, name = by.partition(":")
        if not _there(kind, name):
            yield f"REQ-{number}: there is no {kind} {name}"
    for test in one.get("tests", ()):
        if test not in known_tests():
            yield f"REQ-{number}: there is no test {test}"


def _there(kind: str, name: str) -> bool:
    match kind:
        case "event":
            return name in EVENTS
        case "figure":
            return name in DEFINITIONS
        case "command":
            return name in commands()
        case "rule":
            try:
                import_module(name.rpartition(".")[0])
                return bool(demand(name))
            except (ImportError, StatementsError):
                return False
    return False


def page() -> str:
    """The page, line by line."""
    lines = [
        "# Requirements",
        "",
        "Each requirement of the domain specification, what serves it, and the tests that show it.",
        "Written by `python -m tests.architecture.traceability` from",
        "`tests/architecture/requirements.toml`. A requirement without a test fails the build,",
        "except where only people can do it: there the page says what is recorded.",
        "",
        "| REQ | What it asks | Served by | Shown by |",
        "|---|---|---|---|",
    ]
    for number, one in requirements().items():
        served = "<br>".join(_served(by) for by in one["by"])
        if one.get("tests"):
            shown = "<br>".join(f"`{test}`" for test in one["tests"])
        else:
            shown = f"human only: {one['human']}"
        lines.append(f"| {number} | {one['says']} | {served} | {shown} |")
    return "\n".join(lines) + "\n"


def _served(by: str) -> str:
    kind, _, name = by.partition(":")
    if kind == "command":
        return f"`plumbline {name}`"
    return f"{kind} `{name.removeprefix('domain.')}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
