"""Runs as documents: the list of them, one whole, an experiment over months, and two side by side."""

from __future__ import annotations

import json
import math
import socket
from datetime import datetime
from pathlib import Path

from seatrial.model.figures import NOT_MEASURED, allowed, at_least, interval, measured
from seatrial.model.problems import BadInput
from seatrial.model.result import ObjectiveResult, RunResult, plain
from seatrial.model.verdict import Verdict
from seatrial.report import comparison
from seatrial.report.change import Change
from seatrial.report.verdictfile import read_verdict
from seatrial.store import Measured, RecordedRun, RunQuery, RunSummary
from seatrial.web import documents
from seatrial.web.asked import AskedComparison, AskedMonths, AskedRun, AskedRuns
from seatrial.web.sources import Sources

A_PAGE = 50  # runs
REPORT = "report.html"
_MOST_POINTS = 120


class Missing(BadInput):
    """What was asked for is not there."""


def runs(sources: Sources, asked: AskedRuns) -> documents.Runs:
    """A page of the runs that are asked for. Raises BadInput for a day that no calendar has."""
    try:
        since = asked.first_instant
    except ValueError as error:
        raise BadInput(f"since: {error}") from error
    query = RunQuery(
        experiment=asked.experiment,
        target=asked.target,
        since=since,
        verdict=Verdict(asked.verdict) if asked.verdict else None,
        covers=asked.covers,
    )
    history = sources.store.history
    total, series = history.count(query), history.series()
    found = history.runs(query, A_PAGE, (asked.page - 1) * A_PAGE)
    return documents.Runs(
        runs=[line(each) for each in found],
        total=total,
        page=asked.page,
        pages=max(1, -(-total // A_PAGE)),
        experiments=sorted({each.experiment for each in series}),
        targets=sorted({each.target for each in series}),
    )


def run(sources: Sources, asked: AskedRun) -> documents.Run:
    """All of one run. Raises Missing."""
    found = recorded(sources, asked.run)
    files = sources.store.history.files(found.run, found.target)
    return documents.Run(
        line=_line_of(found),
        result=plain(found.result),
        files=[documents.File(name=each.name, bytes=each.bytes, sha256=each.sha256) for each in files],
        revision=found.origin.revision,
        seatrial=found.origin.seatrial,
        report=report_of(found) is not None,
    )


def recorded(sources: Sources, run_id: str) -> RecordedRun:
    """A run on record, by its id or as `latest` and `latest:EXPERIMENT`. Raises Missing."""
    found = sources.store.history.find(run_id)
    if found is None:
        raise Missing(f"no run '{run_id}' is on record")
    return found


def report_of(found: RecordedRun) -> Path | None:
    """The report of a run, inside the directory that the database names for it and nowhere else."""
    place = found.origin.place
    if place is None or found.evidence_deleted_at is not None or found.origin.host not in _US:
        return None
    path = place / REPORT
    return path if path.is_file() and not path.is_symlink() else None


def result_of(found: documents.Run) -> RunResult | None:
    """Its result as a record; None when an older version left out what one needs."""
    try:
        return read_verdict(json.dumps(found.result), found.line.run)
    except BadInput:
        return None


def experiments(sources: Sources, _asked: object) -> documents.Experiments:
    """Every experiment on every target."""
    return documents.Experiments(
        experiments=[
            documents.Series(
                experiment=each.experiment,
                target=each.target,
                runs=each.runs,
                first=each.first,
                last=each.last,
            )
            for each in sources.store.history.series()
        ]
    )


def months(sources: Sources, asked: AskedMonths) -> documents.Months:
    """An experiment's objectives run after run, and its p95 even where nothing was promised of it."""
    history = sources.store.history
    known = [each for each in history.series() if each.experiment == asked.experiment]
    if asked.target:
        known = [each for each in known if each.target == asked.target]
    if not known:
        where = f" on '{asked.target}'" if asked.target else ""
        raise Missing(f"no run of '{asked.experiment}'{where} is on record")
    series = max(known, key=lambda each: each.last)
    found = history.course(series.experiment, series.target, limit=_MOST_POINTS)
    courses = [_course(name, points) for name, points in found.items()]
    if not any("p95" in each.name for each in courses):
        waited = history.latencies(series.experiment, series.target, limit=_MOST_POINTS)
        points = [_waited(run_id, at, p95_ms) for run_id, at, p95_ms in waited]
        if points:
            courses.append(
                documents.Course(name="latency p95", unit="ms", at_least=False, promised=False, points=points)
            )
    return documents.Months(
        experiment=series.experiment, target=series.target, runs=series.runs, courses=courses
    )


def compared(sources: Sources, asked: AskedComparison) -> documents.Comparison:
    """Two runs; nothing to hold side by side while one of them is not named. Raises Missing, BadInput."""
    a, b = (recorded(sources, name) if name else None for name in (asked.a, asked.b))
    if a is None or b is None:
        return documents.Comparison(
            before=_line_of(a) if a else None, after=_line_of(b) if b else None, differences=[], remarks=[],
            objectives=[],
        )  # fmt: skip
    before, after = (read_verdict(json.dumps(each.result), each.run) for each in (a, b))
    found = comparison.compared(before, after, (_conditions(a), _conditions(b)))
    return documents.Comparison(
        before=_line_of(a),
        after=_line_of(b),
        differences=list(found.differences),
        remarks=list(found.remarks),
        objectives=[_compared(each, alike=not found.differences) for each in found.objectives],
    )


def _conditions(found: RecordedRun) -> comparison.Conditions:
    origin = found.origin
    return comparison.Conditions(found.experiment, found.target, origin.rate, origin.experiment_sha256)


def _compared(row: comparison.Compared, *, alike: bool) -> documents.Compared:
    """An objective of both. What was measured under other conditions is not called better or worse."""
    both = (row.before, row.after)
    before, after = (_measured(one) if one else "" for one in both)
    targets = dict.fromkeys(allowed(one.target, one.unit) for one in both if one)
    return documents.Compared(
        name=row.name,
        allowed=" then ".join(targets),
        before=before,
        after=after,
        change=row.change if alike else Change.INCOMPARABLE,
    )


def line(found: RunSummary) -> documents.RunLine:
    """A run as lists show it."""
    text, here = _evidence(found)
    return documents.RunLine(
        run=found.run,
        target=found.target,
        experiment=found.experiment,
        title=found.title,
        verdict=found.verdict,
        interrupted=found.interrupted,
        started_at=found.started_at,
        length_s=found.length_s,
        offered_per_s=found.offered_per_s,
        version_before=found.version_before,
        version_after=found.version_after,
        covers=list(found.covers),
        objectives=[objective(each) for each in found.objectives],
        evidence=text,
        evidence_here=here,
    )


def objective(one: ObjectiveResult) -> documents.Objective:
    """An objective; JSON has no infinity, so an end that was never seen is null."""
    return documents.Objective(
        name=one.name,
        promised=one.target,
        lower=one.lower,
        upper=one.upper if one.upper is not None and math.isfinite(one.upper) else None,
        unit=one.unit,
        verdict=one.verdict,
        reason=one.reason,
        allowed=allowed(one.target, one.unit),
        measured=_measured(one),
        at_least=at_least(one.unit),
    )


def _measured(one: ObjectiveResult) -> str:
    """What was measured, in the report's words."""
    shown = measured(one)
    return NOT_MEASURED if shown is None else str(shown)


def _line_of(found: RecordedRun) -> documents.RunLine:
    told = found.result
    took, version = told.get("measurement") or {}, told.get("version") or {}
    text, here = _evidence(found)
    return documents.RunLine(
        run=found.run,
        target=found.target,
        experiment=found.experiment,
        title=told.get("title", ""),
        verdict=found.verdict,
        interrupted=found.interrupted,
        started_at=found.started_at,
        length_s=max(0.0, took["end_s"] - took["start_s"]) if took else None,
        offered_per_s=took.get("generator", {}).get("offered_per_s"),
        version_before=version.get("before"),
        version_after=version.get("after"),
        covers=list(told.get("covers", ())),
        objectives=[objective(_objective(each)) for each in told.get("objectives", ())],
        evidence=text,
        evidence_here=here,
    )


def _objective(told: dict[str, object]) -> ObjectiveResult:
    return ObjectiveResult(**{**told, "verdict": Verdict(str(told["verdict"]))})  # type: ignore[arg-type]


_US = ("", socket.gethostname())


def _evidence(found: RunSummary | RecordedRun) -> tuple[str, bool]:
    """Where the evidence is, as text, and whether that is here."""
    origin, copied = found.origin, f"; a copy is at {found.exported_to}" if found.exported_to else ""
    if found.evidence_deleted_at is not None:
        return f"deleted on {found.evidence_deleted_at:%Y-%m-%d}{copied}", False
    if origin.place is None:
        return f"nobody knows where it is{copied}", False
    if origin.host not in _US:
        return f"at {origin.host}{copied}", False
    if not origin.place.is_dir():
        return f"not where it was recorded{copied}", False
    return f"here{copied}", True


def _course(name: str, points: list[Measured]) -> documents.Course:
    unit = points[-1].objective.unit
    return documents.Course(
        name=name, unit=unit, at_least=at_least(unit), promised=True, points=[_point(each) for each in points]
    )


def _point(each: Measured) -> documents.Point:
    one = objective(each.objective)
    assert one.lower is not None
    return documents.Point(
        run=each.run,
        started_at=each.started_at,
        lower=one.lower,
        upper=one.upper,
        promised=one.promised,
        verdict=one.verdict,
        text=one.measured,
    )


def _waited(run_id: str, at: datetime, p95_ms: float) -> documents.Point:
    return documents.Point(
        run=run_id,
        started_at=at,
        lower=p95_ms,
        upper=p95_ms,
        promised=0.0,
        verdict="",
        text=str(interval(p95_ms, p95_ms, "ms")),
    )
