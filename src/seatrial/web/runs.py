"""Runs as documents: the list of them, and one whole."""

from __future__ import annotations

import json
import math
import socket
from pathlib import Path

from pydantic import TypeAdapter

from seatrial.model.figures import NOT_MEASURED, allowed, at_least, measured
from seatrial.model.noticing import Detection
from seatrial.model.pricing import RunCost
from seatrial.model.problems import BadInput
from seatrial.model.result import ObjectiveResult, RunResult, plain
from seatrial.model.verdict import Verdict
from seatrial.report.noticing import sentence
from seatrial.report.unpromised import million
from seatrial.report.verdictfile import read_verdict
from seatrial.store import RecordedRun, RunQuery, RunSummary
from seatrial.web import documents
from seatrial.web.asked import AskedRun, AskedRuns
from seatrial.web.sources import Sources

A_PAGE = 50  # runs
REPORT = "report.html"
_DETECTIONS, _COST = TypeAdapter(tuple[Detection, ...]), TypeAdapter(RunCost | None)


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
        line=line_of_record(found),
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
        noticed=list(map(sentence, found.detections)),
        million=million(found.cost),
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
        measured=measured_words(one),
        at_least=at_least(one.unit),
    )


def measured_words(one: ObjectiveResult) -> str:
    """What was measured, in the report's words."""
    shown = measured(one)
    return NOT_MEASURED if shown is None else str(shown)


def line_of_record(found: RecordedRun) -> documents.RunLine:
    """The same of one whole."""
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
        noticed=list(map(sentence, _DETECTIONS.validate_python(told.get("detections", ())))),
        million=million(_COST.validate_python(told.get("cost"))),
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
