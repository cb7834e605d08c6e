"""The readiness matrix as one HTML file, to be mailed, printed and kept like a run's report.

It draws what `seatrial matrix --json` tells, and nothing else: no script, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from seatrial.report.html import page_environment, page_text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_VERDICTS = ("pass", "stale", "unknown", "fail")
_DAY_S, _HOUR_S, _MINUTE_S = 86400.0, 3600.0, 60.0


def render_matrix(document: Mapping[str, Any]) -> str:
    """The page of a matrix, as `seatrial.matrix.document.matrix_document` tells it."""
    style = page_text("report.css") + page_text("matrix.css")
    template = page_environment().get_template("matrix.html")
    return template.render(**matrix_context(document), style=style, policy=_POLICY)


def matrix_context(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `matrixbody.html` is given, in whichever page it stands."""
    rows = document["rows"]
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in _VERDICTS}
    shown = {verdict: count for verdict, count in counts.items() if count}
    return {"matrix": document, "counts": shown, "age": _age, "day": _day}


def _age(seconds: float | None) -> str:
    """How long ago, as a person says it; nothing for what has no age."""
    if seconds is None:
        return ""
    if seconds >= 2 * _DAY_S:
        return f"{seconds / _DAY_S:.0f} days"
    if seconds >= _HOUR_S:
        return f"{seconds / _HOUR_S:.0f} h"
    return f"{seconds / _MINUTE_S:.0f} min"


def _day(instant: str | None) -> str:
    return f"{datetime.fromisoformat(instant):%Y-%m-%d}" if instant else ""
