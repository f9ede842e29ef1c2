"""``plumbline governance``: what a force has in force, and what a deployment would still need."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import typer

from api.bootstrap import at_work, governance_in, today, typed_path
from api.cli.acting import Actor, ByAPerson, agreed, played_by_one_of_the_force
from api.cli.models import default_package
from api.cli.record import Data, data_directory, given_text
from api.cli.telling import say, say_json
from domain.governance import commands as asked
from domain.governance.days import day
from domain.governance.evidence import MEASURED
from domain.governance.impact_assessment import ADVICE
from domain.governance.requirements import Requirements
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.ports import Outside
from domain.services import governance
from recognition.pipeline import RecogniserSettings

app = typer.Typer(help="What must be in force before a face is looked at.", no_args_is_help=True)
document = typer.Typer(help="Policy, procedure, assessments, notices.", no_args_is_help=True)
dpia = typer.Typer(help="The data protection impact assessment.", no_args_is_help=True)
evidence = typer.Typer(help="Tests of the recogniser that is used.", no_args_is_help=True)
training = typer.Typer(help="Who is trained, and until when.", no_args_is_help=True)
programme = typer.Typer(help="Whether deployments may start at all.", no_args_is_help=True)
app.add_typer(document, name="document")
app.add_typer(dpia, name="dpia")
app.add_typer(evidence, name="evidence")
app.add_typer(training, name="training")
app.add_typer(programme, name="programme")

EXIT_LACKING = 1
_FIGURES = ("gallery_size", "non_mated_searches", "false_positives", "mated_searches", "misses")
_WORDS = ("evidence", "tester", "tested_on", "threshold")

Kind = typer.Argument(help="The kind of document, such as policy or dpia-2.")
Version = typer.Argument(help="Its version, as a code.")
Reason = typer.Option(..., "--reason", metavar="CODE", help="Why, as a code.")


@app.command()
def show(
    on: str | None = typer.Option(
        None, "--on", metavar="DAY", help="YYYY-MM-DD; today if left out."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
    data: str | None = Data,
) -> None:
    """Show what is in force on a day and what a deployment would lack (exit code 1)."""
    known, at = governance_in(data_directory(data)), _day(on)
    standing = known.standing(None, first=at, last=at)
    lacking = dict(standing.lacking)
    if standing.unanswered:
        lacking["screening"] = f"no answer to {', '.join(standing.unanswered)}"
    if standing.dpia:
        lacking["approval of dpia-2"] = standing.dpia
    if standing.commences_on and standing.commences_on > at:
        lacking["commencement"] = f"processing commences on {standing.commences_on}"
    if known.programme.paused:
        lacking["programme"] = "paused"
    tests = known.evidence.counting(known.requirements.in_force, at)
    if not tests:
        lacking["evidence"] = "no test counts"
    lacking |= {f"course of {role}": f"nobody has {course}" for role, course in known.untrained(at)}
    told = {
        "day": at.isoformat(),
        "requirements": standing.requirements,
        "documents": dict(standing.documents),
        "evidence": tests,
        "lacking": lacking,
    }
    if as_json:
        say_json(told)
    else:
        say(f"requirements {standing.requirements}, on {at}")
        for kind, version in standing.documents.items():
            say(f"  {kind:20}  {version}")
        for code in tests:
            say(f"  {'evidence':20}  {code}")
        for what, lack in lacking.items():
            say(f"LACKING {what}: {lack}")
        say(f"{len(lacking)} lacking")
    if lacking:
        raise typer.Exit(EXIT_LACKING)


@app.command()
def adopt(
    file: str = typer.Argument(help="The requirements, in TOML (docs/governance.md)."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Put other requirements in force: more than what ships, never less."""
    wanted = Requirements.parse(given_text(file, "requirements file"), file)
    _do(
        data,
        governance.adopt_requirements,
        lambda by: asked.AdoptRequirements(**by, **wanted.as_adopted()),
        actor,
        Role.SPONSOR,
    )
    say(f"requirements {wanted.version} are in force")


@document.command()
def register(
    kind: str = Kind,
    version: str = Version,
    file: str = typer.Option(
        ..., "--file", help="The document: its digest is kept, not its words."
    ),
    valid_from: str = typer.Option(..., "--from", metavar="DAY", help="First day, YYYY-MM-DD."),
    valid_until: str = typer.Option(..., "--until", metavar="DAY", help="Last day, YYYY-MM-DD."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Put a version of a document in force, from a day to a day."""
    try:
        digest = hashlib.sha256(typed_path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise DomainError(f"expected a document at {file}: {error.strerror}") from error
    _do(
        data,
        governance.register_document,
        lambda by: asked.RegisterPolicyDocument(
            **by,
            kind=kind,
            version=version,
            valid_from=valid_from,
            valid_until=valid_until,
            digest=digest,
        ),
        actor,
        Role.SPONSOR,
    )
    say(f"{kind} {version} is in force from {valid_from} to {valid_until}")


@document.command()
def publish(
    kind: str = Kind,
    version: str = Version,
    page: str = typer.Option(..., "--page", metavar="ADDRESS", help="Its https address."),
    on: str = typer.Option(..., "--on", metavar="DAY", help="Since when, YYYY-MM-DD."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say where the public can read a version of a document."""
    _do(
        data,
        governance.publish_document,
        lambda by: asked.PublishPolicyDocument(
            **by, kind=kind, version=version, page=page, published_on=on
        ),
        actor,
        Role.SPONSOR,
    )
    say(f"{kind} {version} is published")


@document.command()
def withdraw(
    kind: str = Kind,
    version: str = Version,
    reason: str = Reason,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take a version of a document out of force; nothing takes its place by itself."""
    _do(
        data,
        governance.withdraw_document,
        lambda by: asked.WithdrawPolicyDocument(**by, kind=kind, version=version, reason=reason),
        actor,
        Role.SPONSOR,
    )
    say(f"{kind} {version} is out of force")


@dpia.command()
def screen(
    file: str = typer.Argument(help='Question to true or false, in TOML: "5.1" = true.'),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Answer the DPIA screening questions; any yes demands a DPIA stage 2."""
    answers = _toml(file, "screening file")
    if not all(type(one) is bool for one in answers.values()):
        raise DomainError(f"{file}: expected true or false for each question")
    answer = _do(
        data,
        governance.answer_screening,
        lambda by: asked.AnswerScreening(**by, answers=answers),
        actor,
        Role.DPO,
    )
    say("a DPIA stage 2 is demanded" if answer.stage_2_demanded else "no DPIA stage 2 is demanded")


@dpia.command()
def advise(
    version: str = typer.Argument(help="The version of the DPIA stage 2."),
    advice: str = typer.Argument(help=f"One of {', '.join(ADVICE)}."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Advise on a version of the DPIA stage 2, as the data protection officer."""
    _do(
        data,
        governance.record_advice,
        lambda by: asked.RecordDpoAdvice(**by, version=version, advice=advice),
        actor,
        Role.DPO,
    )
    say(f"the advice on {version} is kept: {advice}")


@dpia.command()
def approve(
    version: str = typer.Argument(help="The version of the DPIA stage 2."),
    commences_on: str = typer.Option(
        ..., "--commences", metavar="DAY", help="The first day of processing, YYYY-MM-DD."
    ),
    against: str = typer.Option(
        "", "--against-advice", metavar="CODE", help="Why the DPO's advice is not followed."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Approve a version of the DPIA stage 2, as the project sponsor."""
    _do(
        data,
        governance.approve_dpia,
        lambda by: asked.ApproveDpia(
            **by,
            version=version,
            advice_followed=not against,
            reason=against,
            commences_on=commences_on,
        ),
        actor,
        Role.SPONSOR,
    )
    say(f"DPIA stage 2 {version} is approved; processing from {commences_on}")


@evidence.command()
def attach(
    file: str = typer.Argument(help="The test, in TOML (docs/governance.md)."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Attach a test's figures to exactly what was tested."""
    test = _test(file)
    _do(
        data,
        governance.attach_evidence,
        lambda by: asked.AttachEvidence(**by, **test),
        actor,
        Role.SPONSOR,
    )
    say(f"evidence {test['evidence']} is attached")


@evidence.command("withdraw")
def withdraw_evidence(
    code: str = typer.Argument(help="The test's code."),
    reason: str = Reason,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that a test no longer counts."""
    _do(
        data,
        governance.withdraw_evidence,
        lambda by: asked.WithdrawEvidence(**by, evidence=code, reason=reason),
        actor,
        Role.SPONSOR,
    )
    say(f"evidence {code} counts no longer")


@training.command("record")
def record_training(
    person: str = typer.Argument(help="Whom, such as stand-in:operator-1."),
    course: str = typer.Argument(help="The course, such as lfr-operator."),
    passed_on: str = typer.Option(..., "--passed", metavar="DAY", help="YYYY-MM-DD."),
    valid_until: str = typer.Option(..., "--until", metavar="DAY", help="Last day it counts."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that someone passed a course."""
    _do(
        data,
        governance.record_training,
        lambda by: asked.RecordTraining(
            **by, person=person, course=course, passed_on=passed_on, valid_until=valid_until
        ),
        actor,
        Role.SPONSOR,
    )
    say(f"{course} counts for {person} until {valid_until}")


@training.command("withdraw")
def withdraw_training(
    person: str = typer.Argument(help="Whom, such as stand-in:operator-1."),
    course: str = typer.Argument(help="The course, such as lfr-operator."),
    reason: str = Reason,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that a course no longer counts for someone."""
    _do(
        data,
        governance.withdraw_training,
        lambda by: asked.WithdrawTraining(**by, person=person, course=course, reason=reason),
        actor,
        Role.SPONSOR,
    )
    say(f"{course} counts no longer for {person}")


@programme.command()
def pause(reason: str = Reason, actor: str = Actor, data: str | None = Data) -> None:
    """Let nothing start any more."""
    _do(
        data,
        governance.pause_programme,
        lambda by: asked.PauseProgramme(**by, reason=reason),
        actor,
        Role.SPONSOR,
    )
    say("the programme is paused: nothing starts")


@programme.command()
def resume(
    reason: str = Reason,
    shown_by: list[str] = typer.Option(
        [], "--evidence", metavar="CODE", help="What shows that the reason is gone; repeatable."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Let deployments start again."""
    _do(
        data,
        governance.resume_programme,
        lambda by: asked.ResumeProgramme(**by, reason=reason, evidence=shown_by),
        actor,
        Role.SPONSOR,
    )
    say("the programme goes on")


def _do(
    data: str | None,
    serve: Callable[[Outside, Any], Any],
    command: Callable[[ByAPerson], Any],
    actor: str,
    role: Role,
) -> Any:
    """Give one command as a stand-in, and say why if it is refused."""
    with at_work(data_directory(data)) as outside:
        answer = serve(outside, command(played_by_one_of_the_force(actor, role)))
    return agreed(answer)


def _day(given: str | None) -> date:
    if given is None:
        return today()
    if found := day(given):
        return found
    raise DomainError(f"--on: expected a day such as 2026-11-23, found {given!a}")


def _toml(file: str, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(given_text(file, what))
    except tomllib.TOMLDecodeError as error:
        raise DomainError(f"{file}: {error}") from error


def _test(file: str) -> dict[str, Any]:
    """The fields of a test; model and settings are those of a rehearsal where it names none.

    Raises:
        DomainError: it is not as it must be; says where.
    """
    read = _toml(file, "test")
    known = {*_WORDS, *_FIGURES, "model_digest", "settings"}
    missing, unknown = {*_WORDS, *_FIGURES} - read.keys(), read.keys() - known
    if missing or unknown:
        raise DomainError(
            f"{file}: expected {', '.join((*_WORDS, *_FIGURES))}, and if need be model_digest and "
            f"[settings]; missing: {', '.join(sorted(missing)) or 'none'}; unknown: "
            f"{', '.join(sorted(unknown)) or 'none'}"
        )
    if not all(type(read[name]) is int for name in _FIGURES):
        raise DomainError(f"{file}: expected whole numbers for {', '.join(_FIGURES)}")
    if "model_digest" not in read or "settings" not in read:
        package = default_package()
        read.setdefault("model_digest", package.digest)
        read.setdefault("settings", RecogniserSettings.for_model(package).as_recorded())
    if not isinstance(read["settings"], dict):
        raise DomainError(f"{file}: expected a table of settings")
    try:
        threshold = Decimal(str(read["threshold"]))
    except InvalidOperation as error:
        raise DomainError(f"{file}: expected a threshold such as 0.42") from error
    return {
        **{name: str(read[name]) for name in ("evidence", "tester", "tested_on", "model_digest")},
        **{name: read[name] for name in _FIGURES},
        "settings": {str(name): str(value) for name, value in read["settings"].items()},
        "threshold": threshold,
        "basis": MEASURED,
    }
