"""The command line: one file for each group of commands, errors told in one place."""

from __future__ import annotations

import typer

from api.cli import (
    alerts,
    canary,
    copies,
    custody,
    demo,
    deployment,
    doctor,
    foi,
    footage,
    governance,
    holds,
    keys,
    log,
    models,
    pack,
    projections,
    record,
    rehearse,
    replay,
    report,
    rights,
    schedule,
    simulate,
    tokens,
    watchlists,
    witness,
)
from api.cli.endings import in_words
from api.cli.serve import serve

app = typer.Typer(
    name="plumbline",
    help="Live facial recognition that can be held to account: one record, verifiable offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("rehearse")(rehearse.rehearse)
app.command("replay")(replay.replay)
app.command("state")(replay.state)
app.command("diff")(replay.diff)
app.command("why")(replay.why)
app.command("verify")(record.verify)
app.command("pack")(pack.pack)
app.command("migrate")(record.migrate)
app.command("sweep")(record.sweep)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve)
app.add_typer(tokens.app, name="tokens")
app.add_typer(models.app, name="models")
app.add_typer(log.app, name="log")
app.add_typer(keys.app, name="keys")
app.add_typer(witness.app, name="witness")
app.add_typer(projections.app, name="projections")
app.add_typer(report.app, name="report")
custody.app.command("canary")(canary.canary)
app.add_typer(custody.app, name="custody")
app.add_typer(holds.app, name="hold")
app.add_typer(copies.app, name="copies")
app.add_typer(deployment.app, name="deployment")
app.add_typer(watchlists.app, name="watchlist")
app.add_typer(rights.rights, name="rights")
app.add_typer(rights.complaint, name="complaint")
app.add_typer(rights.breach, name="breach")
app.add_typer(alerts.app, name="alert")
app.add_typer(footage.app, name="footage")
app.command("foi")(foi.foi)
app.command("simulate")(simulate.simulation)
app.add_typer(governance.app, name="governance")
app.add_typer(schedule.app, name="schedule")
app.add_typer(schedule.documents, name="documents")
app.add_typer(demo.media, name="media")


def main() -> None:
    """Run the command line."""
    with in_words():
        app(prog_name="plumbline")
