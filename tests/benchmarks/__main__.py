"""``./run bench [NAME...] [--json]``: run benchmarks by name, or all that do not take long."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from tests.benchmarks import append, growth
from tests.benchmarks.custody_year import verify_custody_year
from tests.benchmarks.destroy import destroy
from tests.benchmarks.figure import Figure
from tests.benchmarks.pipeline_vs_insightface import pipeline_vs_insightface
from tests.benchmarks.rebuild import rebuild_postgres, rebuild_sqlite
from tests.benchmarks.sealing import seal_vs_aesgcm
from tests.benchmarks.verifying import verify_vs_recompute

BENCHMARKS: dict[str, Callable[[], Figure]] = {
    "destroy": destroy,
    "pipeline_vs_insightface": pipeline_vs_insightface,
    "rebuild_postgres": rebuild_postgres,
    "rebuild_sqlite": rebuild_sqlite,
    "seal_vs_aesgcm": seal_vs_aesgcm,
    "verify_vs_recompute": verify_vs_recompute,
    **append.BENCHMARKS,
    **growth.SHORT,
}
LONG: dict[str, Callable[[], Figure]] = {
    "verify_custody_year": verify_custody_year,
    **growth.LONG,
}
"""Only run when they are named."""


def main() -> None:
    """Run what was named and print one line, or one JSON object, of figures."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    known = BENCHMARKS | LONG
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--json", action="store_true", help="one JSON object: name to figures")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in known]:
        parser.error(f"unknown {', '.join(unknown)}; known are {', '.join(known)}")
    figures = {}
    for name in chosen.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures[name] = known[name]()
    if chosen.json:
        print(json.dumps({name: asdict(figure) for name, figure in figures.items()}))
        return
    for name, figure in figures.items():
        print(
            f"{name}: ours {figure.ours:.1f}, baseline {figure.baseline:.1f} {figure.unit}, "
            f"ratio {figure.ratio:.2f} (above 1: ours is faster), n {figure.n}"
            + "".join(f", {what} {value:g}" for what, value in figure.beside.items())
        )


if __name__ == "__main__":
    main()
