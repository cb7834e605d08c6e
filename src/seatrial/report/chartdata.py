"""What report.js draws, as one JSON document.

A report must stay small enough to mail, so instants are whole steps of 10 µs from a base, texts are codes
into lists, and nothing grows with the length of the run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from seatrial.model.figures import bounds, interval
from seatrial.model.requestlog import Coded, Floats, RequestLog
from seatrial.model.result import Measurement, Outage, StepRecord
from seatrial.report.closeup import Bracket, CloseUp, close_ups
from seatrial.report.overview import Overview, overview

_TICK_S = 1e-5
_FAR_S = 1e9
_LONGEST_TEXT = 80
_MOST_STEPS = 60
_MOST_SHADED = 500  # outages drawn over the charts

Json = Mapping[str, object]


def chart_data(log: RequestLog, measured: Measurement, steps: Sequence[StepRecord]) -> str:
    """JSON that is safe inside a `script` element. `log` is sorted by intended instant and not empty."""
    # of a service that was never asked no outage is known
    outages = measured.outages if measured.generator.sent else ()
    document: Json = {
        "start": _round(measured.start_s),
        "end": _round(measured.end_s),
        "deadline": measured.deadline_s * 1000,
        "overview": {
            "from": _round(float(log.intended[0])),
            "to": _round(max(float(log.intended[-1]), measured.end_s)),
            **_overview(overview(log, measured.deadline_s)),
        },
        "steps": [_step(number, step) for number, step in enumerate(steps[:_MOST_STEPS], start=1)],
        "outages": [_outage(number, outage) for number, outage in _shaded(outages)],
        "closeups": [_closeup(one) for one in close_ups(log, outages, measured.deadline_s)],
    }
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _overview(buckets: Overview) -> Json:
    return {
        "start": _round(buckets.start_s),
        "width": buckets.width_s,
        "good": buckets.good.tolist(),
        "bad": buckets.bad.tolist(),
        "unsent": buckets.unsent.tolist(),
        "sent": buckets.sent.tolist(),
        "answered": buckets.answered.tolist(),
        "p50": _milliseconds(buckets.p50_ms),
        "p95": _milliseconds(buckets.p95_ms),
        "max": _milliseconds(buckets.max_ms),
        "served": [{"name": _text(name), "counts": counts.tolist()} for name, counts in buckets.served_by],
    }


def _step(number: int, step: StepRecord) -> Json:
    happened = step.injected_s if step.injected_s is not None else step.before_s
    return {
        "number": number,
        "label": _text(step.name or step.does),
        "fault": step.kind == "fault",
        "at": _round(step.planned_s if happened is None else happened),
        "until": None if step.undone_s is None else _round(step.undone_s),
        "happened": happened is not None,
    }


def _shaded(outages: Sequence[Outage]) -> list[tuple[int, Outage]]:
    """The longest outages with their numbers in the table, in order of time."""
    numbered = sorted(enumerate(outages, start=1), key=lambda item: -item[1].server.upper_s)
    return sorted(numbered[:_MOST_SHADED], key=lambda item: item[0])


def _outage(number: int, outage: Outage) -> Json:
    return {
        "number": number,
        "from": _round(outage.start_s),
        "to": _round(outage.end_s),
        "label": f"outage {number}: {bounds(outage.server)}",
    }


def _closeup(one: CloseUp) -> Json:
    log = one.requests
    base = float(log.intended[0])
    return {
        "number": one.outage + 1,
        "base": _round(base),
        "ordinal": (one.ordinals + 1).tolist(),
        "state": one.fates.tolist(),
        "omitted": one.omitted,
        "due": _ticks(log.intended - base),
        "late": _ticks(log.sent - log.intended),
        "took": _ticks(log.ended - log.intended),
        "status": log.status.tolist(),
        "name": _codes(log.name),
        "served": _codes(log.served_by),
        "error": _codes(log.error),
        "brackets": [_bracket(bracket) for bracket in one.brackets],
    }


def _bracket(bracket: Bracket) -> Json:
    lower = 0.0 if bracket.inner is None else bracket.inner.end_s - bracket.inner.start_s
    shown = interval(lower, bracket.outer.end_s - bracket.outer.start_s, "s")
    inner = bracket.inner
    return {
        "name": bracket.label,
        "length": str(shown),
        "inner": None if inner is None else [_round(inner.start_s), _round(inner.end_s)],
        "outer": [_round(bracket.outer.start_s), _round(bracket.outer.end_s)],
    }


def _codes(column: Coded) -> Json:
    """Codes into only those texts that occur."""
    used, codes = np.unique(column.codes, return_inverse=True)
    return {"codes": codes.tolist(), "texts": [_text(column.values[code]) for code in used]}


def _ticks(lengths: Floats) -> list[int | None]:
    return [None if np.isnan(length) else round(length / _TICK_S) for length in lengths.tolist()]


def _milliseconds(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 3) for value in values.tolist()]


def _round(instant_s: float) -> float:
    """To 10 µs. An end that was never seen lies beyond every chart."""
    return round(instant_s, 5) if math.isfinite(instant_s) else math.copysign(_FAR_S, instant_s)


def _text(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
