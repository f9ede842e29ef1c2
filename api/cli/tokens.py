"""``plumbline tokens make | list | revoke``: who may ask the server."""

from __future__ import annotations

import typer

from api.bootstrap import now, token_file
from api.cli.record import data_directory
from api.cli.telling import say
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.time import written

app = typer.Typer(help="Tokens for the server: one for each role.", no_args_is_help=True)

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
"""Whom a token can stand for; the system needs none."""

RoleName = typer.Argument(metavar="ROLE", help=", ".join(role.value for role in ROLES) + ".")
Data = typer.Option(None, "--data", metavar="DIR", help="The directory that holds the record.")


@app.command()
def make(role: str = RoleName, data: str | None = Data) -> None:
    """Make the token of a role and print it. It is not kept, and cannot be shown again."""
    wanted = _role(role)
    say(token_file(data_directory(data)).make(wanted, at=now()))


@app.command("list")
def list_tokens(data: str | None = Data) -> None:
    """Say which roles have a token, since when, and how its digest begins."""
    known = token_file(data_directory(data)).known()
    for one in known:
        say(f"{one.role.value:<20} {written(one.made_at)}  {one.fingerprint[:16]}")
    if not known:
        say("no role has a token: plumbline tokens make ROLE")


@app.command()
def revoke(role: str = RoleName, data: str | None = Data) -> None:
    """Take a role's token away. Streams that it opened end at once."""
    wanted = _role(role)
    token_file(data_directory(data)).revoke(wanted)
    say(f"the token for {wanted.value} opens nothing any more")


def _role(text: str) -> Role:
    for role in ROLES:
        if text == role.value:
            return role
    expected = ", ".join(role.value for role in ROLES)
    raise DomainError(f"expected a role ({expected}), found {text!r}")
