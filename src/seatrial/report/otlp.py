"""A run as OpenTelemetry spans: beside the traces of the service, what was done to it and what clients saw.

    run ──┬── step     from its effect to its undo
          └── outage   from its first bad request to its last; the requests that its bounds were read from
                       are events of it, by their row in the log and their name

Identifiers are derived from the run's id, so a run that is exported again is the same trace. A bound that is
not there (an end that was not seen) is an attribute that is left out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from seatrial import __version__
from seatrial.measure import importers
from seatrial.model.problems import Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Bounds, Outage, RunResult, StepRecord
from seatrial.model.verdict import Verdict

TIMEOUT_S = 5.0
_STATUS = {
    Verdict.PASS: StatusCode.OK,
    Verdict.FAIL: StatusCode.ERROR,
    Verdict.UNKNOWN: StatusCode.UNSET,
}

_Value = str | bool | int | float | None
_Attributes = Mapping[str, _Value]


def export(result: RunResult, directory: Path | None, endpoint: str | None = None) -> int:
    """Send the spans of a run; how many. `directory`: where its evidence is, None for nowhere.

    `endpoint`: the address that takes spans (`…/v1/traces`); by default that of the environment's OTEL
    variables. Raises Unavailable when they were not taken.
    """
    spans = spans_of(result, _log_in(directory))
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT_S)
    try:
        taken = exporter.export(spans)
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]  # it has no types
    if taken is not SpanExportResult.SUCCESS:
        raise Unavailable(f"the spans of {result.run} were not taken")
    return len(spans)


def _log_in(directory: Path | None) -> RequestLog | None:
    path = directory / "requests.parquet" if directory else None
    return importers.read(path, "seatrial").log if path is not None and path.is_file() else None


def spans_of(result: RunResult, log: RequestLog | None) -> tuple[ReadableSpan, ...]:
    """The run's span, then those of its steps and outages. `log`: whose rows the outages' witnesses are."""
    trace = _Trace(result)
    rows = None if log is None else log.sorted()
    steps = (
        trace.step(index, step) for index, step in enumerate(result.steps) if step.injected_s is not None
    )
    measured = result.measurement
    found = measured.outages if measured and measured.generator.sent else ()
    outages = (trace.outage(index, outage, rows) for index, outage in enumerate(found))
    return (trace.run(), *steps, *outages)


class _Trace:
    """Makes the spans of one run."""

    def __init__(self, result: RunResult) -> None:
        self._result = result
        self._resource = Resource.create({"service.name": "seatrial", "service.version": __version__})
        self._root = self._context("run")
        instants = [step.undone_s for step in result.steps if step.undone_s is not None]
        instants += [result.measurement.end_s] if result.measurement else []
        started = datetime.fromisoformat(result.started_at)
        self._began = started
        self._ended = max([started, *map(result.wall, instants)])

    def run(self) -> ReadableSpan:
        """The whole, from the start of the run to the end of what was measured and undone."""
        result, found = self._result, dict[str, _Value]()
        found |= {"run": result.run, "experiment": result.experiment, "target": result.target}
        found |= {"verdict": result.verdict.value, "interrupted": result.interrupted}
        why = "\n".join(result.reasons)
        found["reasons"] = why
        for one in result.objectives:
            name = f"objective.{one.name}"
            found |= {f"{name}.target": one.target, f"{name}.unit": one.unit}
            found |= {f"{name}.verdict": one.verdict.value, f"{name}.lower": one.lower}
            found[f"{name}.upper"] = one.upper
        for check in result.checks:
            found[f"check.{check.name}.verdict"] = check.verdict.value
        if result.error_budget is not None:
            found |= _bounds("error_budget.spent", result.error_budget.spent)
            found["error_budget.budget_s"] = result.error_budget.budget_s
        status = Status(_STATUS[result.verdict], why if result.verdict is Verdict.FAIL else None)
        return self._span(f"run {result.experiment}", "run", (self._began, self._ended), found, status)

    def step(self, index: int, step: StepRecord) -> ReadableSpan:
        """A step that took effect; an action has no undo that ends it, and what is left behind no end."""
        assert step.injected_s is not None
        begin_s = step.injected_s if step.before_s is None else step.before_s
        end_s = step.injected_s if step.kind == "action" else step.undone_s
        ended = self._ended if end_s is None else self._result.wall(end_s)
        found: _Attributes = {
            "step": step.name,
            "kind": step.kind,
            "does": step.does,
            "role": step.role,
            "undo": step.undo_outcome.value,
            "verified": step.verified,
            "error": step.error,
        }
        status = Status(StatusCode.ERROR, step.error) if step.left_behind else Status()
        return self._span(
            f"{step.kind} {step.does}", f"step{index}", (self._result.wall(begin_s), ended), found, status
        )

    def outage(self, index: int, outage: Outage, log: RequestLog | None) -> ReadableSpan:
        """An episode of bad requests, with what it is known to have lasted."""
        found: dict[str, _Value] = {
            "after": outage.name,
            "bad": outage.bad,
            "runs": outage.runs,
            "equivalent_s": outage.equivalent_s,
        }
        found |= _bounds("perceived", outage.perceived) | _bounds("server", outage.server)
        spanned = self._result.wall(outage.start_s), self._result.wall(outage.end_s)
        status = Status(StatusCode.ERROR, f"{outage.bad} bad requests")
        events = tuple(self._witnesses(outage, log))
        return self._span("outage", f"outage{index}", spanned, found, status, events)

    def _witnesses(self, outage: Outage, log: RequestLog | None) -> Iterator[Event]:
        seen = outage.witnesses
        if seen is None:
            return
        for what in ("last_good", "first_bad", "last_bad", "first_good"):
            row: int | None = getattr(seen, what)
            if row is None:
                continue
            found: dict[str, _Value] = {"request.row": row, "request.is": what}
            at_s = outage.start_s
            if log is not None and row < len(log):
                at_s = float(log.intended[row])
                found["request.name"] = log.name.values[log.name.codes[row]]
                found["request.status"] = int(log.status[row])
                found["request.error"] = log.error.values[log.error.codes[row]]
                took_ms = float(log.ended[row] - log.intended[row]) * 1000
                found["request.took_ms"] = None if np.isnan(took_ms) else took_ms
            yield Event("request", _named(found), _nanoseconds(self._result.wall(at_s)))

    def _span(
        self,
        name: str,
        what: str,
        spanned: tuple[datetime, datetime],
        attributes: _Attributes,
        status: Status,
        events: tuple[Event, ...] = (),
    ) -> ReadableSpan:
        begin, end = spanned
        return ReadableSpan(
            name=name,
            context=self._root if what == "run" else self._context(what),
            parent=None if what == "run" else self._root,
            resource=self._resource,
            attributes=_named(attributes),
            events=events,
            status=status,
            start_time=_nanoseconds(begin),
            end_time=_nanoseconds(max(begin, end)),
        )

    def _context(self, what: str) -> SpanContext:
        run = self._result.run
        trace, span = (hashlib.sha256(text.encode()).digest() for text in (run, f"{run}/{what}"))
        return SpanContext(
            int.from_bytes(trace[:16], "big"),
            int.from_bytes(span[:8], "big"),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )


def _bounds(name: str, found: Bounds) -> dict[str, _Value]:
    return {f"{name}.lower_s": found.lower_s, f"{name}.upper_s": found.upper_s}


def _named(found: _Attributes) -> dict[str, str | bool | int | float]:
    """As OpenTelemetry has them: in a name space of ours, and without what is not known or empty."""
    return {
        f"seatrial.{name.replace(' ', '_')}": value
        for name, value in found.items()
        if value is not None and value != "" and not (isinstance(value, float) and not math.isfinite(value))
    }


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
