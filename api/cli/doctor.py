"""``plumbline doctor``: what is wrong after a restore, and how one goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

import typer

from api.bootstrap import examined, mended, mode_of
from api.cli.record import Data, data_directory
from api.cli.telling import EXIT_USAGE, complain, say, say_json
from domain.assurance.verification import Kind
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.services.restoring import Diagnosis


def doctor(
    mend: bool = typer.Option(
        False, "--mend", help="Record what was found, and destroy again what is destroyed."
    ),
    accept_loss: bool = typer.Option(
        False, "--accept-loss", help="With --mend: give up what is lost, for ever."
    ),
    keystore_is_current: bool = typer.Option(
        False,
        "--keystore-is-current",
        help="With --mend: the keystore was not brought back, so it knows all that was destroyed.",
    ),
    actor: str | None = typer.Option(None, "--actor", metavar="CODE", help="Who says so."),
    as_json: bool = typer.Option(False, "--json", help="What was found, as one JSON object."),
    data: str | None = Data,
) -> None:
    """After a restore: compare record, keystore, media, checkpoint and witnesses.

    Alone it only tells, and ends with 12 if anything does not fit.
    """
    path = data_directory(data)
    if mend != (actor is not None) or (actor is not None and not is_code(actor)):
        code = complain("expected --mend together with --actor CODE, such as dpo-1", EXIT_USAGE)
        raise typer.Exit(code)
    if (accept_loss or keystore_is_current) and not mend:
        raise typer.Exit(complain("expected --mend with it", EXIT_USAGE))
    found = examined(path)
    if as_json:
        say_json(_as_json(found))
    else:
        for words in _in_words(found):
            say(words)
    if actor is None:
        raise typer.Exit(0 if found.fits else Kind.INCOMPLETE.exit_code)
    if mode_of(path) is not Mode.REHEARSAL:
        raise DomainError("an operational record takes a person's word once they can prove who")
    after = mended(
        path,
        actor=f"stand-in:{actor}",
        accept_loss=accept_loss,
        keystore_is_current=keystore_is_current,
    )
    if as_json:
        raise typer.Exit(0 if after.inventory.clean else Kind.INCOMPLETE.exit_code)
    for words in (*after.done, *after.witnessed):
        say(words)
    stock = after.inventory
    say(
        f"inventory at {stock.as_of} entries: {stock.keys} keys, {stock.ciphertexts} ciphertexts, "
        f"{len(stock.missing)} missing, {stock.orphans} orphans, {len(stock.resurrected)} "
        "resurrected"
    )
    raise typer.Exit(0 if stock.clean else Kind.INCOMPLETE.exit_code)


def _in_words(found: Diagnosis) -> Iterator[str]:
    yield f"record: {found.size} entries; keystore: {found.buried} tombstones"
    if found.lost:
        again = "; that is on the record already" if found.lost_before else ""
        yield (
            f"RECORD: an older copy. By the {found.lost.known_from} there were "
            f"{found.lost.size} entries at least: {found.size} to {found.lost.size - 1} are lost"
            + again
        )
    if found.rollback:
        expected, known = found.rollback
        yield (
            f"KEYSTORE: an older copy, or another. The record names tombstone {expected}, the "
            f"keystore ends with {known}"
        )
    for store, items in found.came_back.items():
        if items:
            yield f"{store}: {len(items)} items are there again that are destroyed"
    if found.ended_meanwhile:
        yield (
            f"record: {len(found.ended_meanwhile)} items live by it that are destroyed by the "
            "keystore's tombstones"
        )
    for store, items in found.missing.items():
        if items:
            yield f"{store}: LOST: {len(items)} items should be there and are not"
    for store, items in found.unknown.items():
        if items:
            yield f"{store}: {len(items)} items are there that no entry knows"
    if found.undoubted:
        yield f"record: {len(found.undoubted)} items are in doubt and not yet refused to be read"
    yield "everything fits together" if found.fits else _what_next(found)


def _what_next(found: Diagnosis) -> str:
    if found.something_is_lost:
        return (
            "if there are newer copies, bring them back and look again. To go on without: "
            "doctor --mend --accept-loss --actor CODE"
        )
    return "nothing is lost. To destroy again what is destroyed: doctor --mend --actor CODE"


def _as_json(found: Diagnosis) -> dict[str, object]:
    def counts(of: Mapping[str, set[UUID]]) -> dict[str, int]:
        return {store: len(items) for store, items in of.items()}

    return {
        "fits": found.fits,
        "size": found.size,
        "size_known": found.lost.size if found.lost else found.size,
        "known_from": found.lost.known_from if found.lost else None,
        "tombstones": found.buried,
        "tombstones_named": found.rollback[0] if found.rollback else None,
        "came_back": counts(found.came_back),
        "missing": counts(found.missing),
        "unknown": counts(found.unknown),
        "ended_meanwhile": len(found.ended_meanwhile),
        "in_doubt": len(found.undoubted),
    }
