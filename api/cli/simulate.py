"""``plumbline simulate``: what a proposed policy would have refused of what is on the record."""

from __future__ import annotations

from collections import Counter

import typer

from api.bootstrap import read_history
from api.cli.record import Data, data_directory, given_text
from api.cli.telling import printable, say, say_json
from domain.services.simulation import Proposal, simulate

EXIT_WOULD_REFUSE = 1


def simulation(
    policy: str = typer.Option(
        ..., "--policy", metavar="FILE", help="The proposed policy, in TOML (docs/simulate.md)."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON list."),
    data: str | None = Data,
) -> None:
    """Decide the recorded past again under a proposed policy: what would have been refused, and
    why (exit code 1 for anything). Nothing is written."""
    path = data_directory(data)
    proposal = Proposal.parse(given_text(policy, "proposed policy"), policy)
    found = list(simulate(read_history(path, None), proposal))
    if as_json:
        say_json(
            [
                {
                    "position": one.position,
                    "deployment": one.deployment.hex,
                    "what": one.what,
                    "code": one.code,
                    "because": one.because,
                }
                for one in found
            ]
        )
    else:
        for one in found:
            place = f"{one.position:>6}  {one.deployment.hex[:8]}  {one.what:<13}"
            say(printable(f"{place}  {one.code}: {one.because}"))
        counts = Counter(one.what for one in {(f.position, f.what): f for f in found}.values())
        told = ", ".join(f"{count} of kind {what}" for what, count in sorted(counts.items()))
        say(f"would have been refused: {told or 'nothing'}")
    if found:
        raise typer.Exit(EXIT_WOULD_REFUSE)
