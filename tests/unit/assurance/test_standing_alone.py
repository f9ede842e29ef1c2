"""The verifier is shipped alone: what it imports must be on any machine, or be cryptography."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import domain.assurance

MODULES = sorted(Path(domain.assurance.__file__).parent.glob("*.py"))


def imported(module: Path) -> set[str]:
    """The full names of what a module imports."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{'.' * node.level}{node.module or ''}")
    return names


def test_the_proofs_import_the_standard_library_cryptography_and_each_other() -> None:
    """Nothing else of the project, and no other package."""
    names = set().union(*(imported(module) for module in MODULES))
    assert "cryptography.exceptions" in names
    assert "hashlib" in names
    foreign = {
        name
        for name in names
        if name.split(".")[0] not in {*sys.stdlib_module_names, "cryptography"}
        and not name.startswith("domain.assurance")
    }
    assert foreign == set()
