"""Documents as pages, in the look of the report: its style, its words, its drawings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, PackageLoader

from seatrial.model import secrets
from seatrial.report.html import page_environment, page_text
from seatrial.report.uplot import chart_library
from seatrial.web.views import SECTIONS, objective_view

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"


def render(template: str, **context: Any) -> str:
    """A page. No secret that this process knows is left in it."""
    return secrets.screened(_environment().get_template(template).render(sections=SECTIONS, **context))


@cache
def asset(name: str) -> tuple[bytes, str, str] | None:
    """A style or script of ours: its text, type and tag; None when there is none of that name.

    Raises Unavailable when the charts' library is not there.
    """
    make = _ASSETS.get(name)
    if make is None:
        return None
    text = make().encode()
    return text, _SCRIPT if name.endswith(".js") else _STYLE, f'"{hashlib.sha256(text).hexdigest()[:20]}"'


def _own(name: str) -> str:
    return files("seatrial.web").joinpath("assets", name).read_text(encoding="utf-8")


def _months() -> str:
    body = "\n".join((page_text("script/ink.js"), _own("months.js")))
    return f'(() => {{\n"use strict";\n{body}}})();'


_ASSETS: dict[str, Callable[[], str]] = {
    "style.css": lambda: page_text("report.css") + page_text("matrix.css") + _own("web.css"),
    "page.js": lambda: _own("page.js"),
    "live.js": lambda: _own("live.js"),
    "months.js": _months,
    "uplot.js": lambda: chart_library().script,
    "uplot.css": lambda: chart_library().style,
}


@cache
def _environment() -> Environment:
    report = page_environment()
    loader = ChoiceLoader([PackageLoader("seatrial.web", "pages"), PackageLoader("seatrial.report")])
    environment = report.overlay(loader=loader)
    environment.filters = {
        **report.filters,
        "when": _when,
        "sentence": lambda text: f"{text[:1].upper()}{text[1:].rstrip('.')}.",
        "quoted": lambda text: quote(text, safe=""),
        "objective": objective_view,
        "plural": lambda count, one, many: f"{count:,} {one if count == 1 else many}",
        "anchor": lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "it",
    }
    return environment


def _when(instant: datetime | None) -> str:
    """An instant to the minute."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if instant else ""
