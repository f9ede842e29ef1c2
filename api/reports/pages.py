"""Pages of reports: one file each, which loads nothing from anywhere, all in one style."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined


def page(template: str, **told: object) -> str:
    """A page from its template and what it tells; ``style.css`` is there to be included."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        loader=FunctionLoader(_text),
    )
    return environment.get_template(template).render(span=span, **told)


def span(seconds: int | None) -> str:
    """A span of time for a person."""
    if seconds is None:
        return "none left"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")]
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told) or f"{seconds} s"


def _text(name: str) -> str:
    return files("api.reports").joinpath(name).read_text(encoding="utf-8")
