"""An experiment over months, and which experiments there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from seatrial.model.figures import at_least
from seatrial.report.unpromised import Unpromised, unpromised
from seatrial.store import Measured, RunQuery
from seatrial.store import Unpromised as RunUnpromised
from seatrial.trials.baseline import OnRecord
from seatrial.web import documents
from seatrial.web.asked import AskedMonths
from seatrial.web.comparing import beside_earlier
from seatrial.web.runs import Missing, objective
from seatrial.web.sources import Sources

_MOST_POINTS = 120


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
    """An experiment's objectives run after run, and what was measured of it though nothing was promised:
    its p95, how soon faults were noticed and all was well again, and what a million requests cost.
    """
    history = sources.store.history
    there = [each for each in history.series(asked.experiment) if asked.target in ("", each.target)]
    if not there:
        where = f" on '{asked.target}'" if asked.target else ""
        raise Missing(f"no run of '{asked.experiment}'{where} is on record")
    series = max(there, key=lambda each: each.last)
    known = OnRecord.of(sources.store, series.experiment, series.target)
    courses = [_course(name, points) for name, points in _shown(known.course).items()]
    if not any("p95" in each.name for each in courses):
        waited = history.latencies(series.experiment, series.target, limit=_MOST_POINTS)
        points = [
            _told(run, at, Unpromised("latency p95", p95_ms, p95_ms, "ms")) for run, at, p95_ms in waited
        ]
        if points:
            courses.append(
                documents.Course(name="latency p95", unit="ms", at_least=False, promised=False, points=points)
            )
    courses += _unpromised(known.unpromised[-_MOST_POINTS:])
    latest = history.latest(RunQuery(experiment=series.experiment, target=series.target, finished=True))
    beside = beside_earlier(sources, latest, known)[0] if latest else documents.Beside(trends=[], remarks=[])
    trends = {each.name: each for each in beside.trends}
    return documents.Months(
        experiment=series.experiment,
        target=series.target,
        runs=series.runs,
        courses=[
            # what cost another currency until then has no latest
            each.model_copy(update={"trend": trends.get(each.name)})
            if latest and each.points[-1].run == latest.run
            else each
            for each in courses
        ],
        remarks=beside.remarks,
    )


def _shown(found: Mapping[str, Sequence[Measured]]) -> dict[str, list[Measured]]:
    """What of it is shown: the latest runs."""
    instants = {(each.started_at, each.run) for points in found.values() for each in points}
    runs = {run for _, run in sorted(instants)[-_MOST_POINTS:]}
    shown = {name: [each for each in points if each.run in runs] for name, points in found.items()}
    return {name: points for name, points in shown.items() if points}


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


def _unpromised(runs: Sequence[RunUnpromised]) -> list[documents.Course]:
    """Of runs, the earliest first. A price in another currency is another course: the two have no scale."""
    found: dict[tuple[str, str], list[documents.Point]] = {}
    for run in runs:
        for one in unpromised(run.detections, run.cost):
            found.setdefault((one.name, one.unit), []).append(_told(run.run, run.started_at, one))
    return [
        documents.Course(name=name, unit=unit, at_least=False, promised=False, points=points)
        for (name, unit), points in found.items()
    ]


def _told(run_id: str, at: datetime, one: Unpromised) -> documents.Point:
    return documents.Point(
        run=run_id,
        started_at=at,
        lower=one.lower,
        upper=one.upper if math.isfinite(one.upper) else None,
        promised=0.0,
        verdict="",
        text=str(one.shown),
    )
