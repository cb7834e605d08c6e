"""The pages there are: for each its address, what can be asked of it, and the document that it shows.

The same table makes the pages, the JSON API under `/api` and its OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.matrix.finding import Kind
from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.report import sentences, views
from seatrial.report.matrixpage import matrix_context
from seatrial.web import calendar, comparing, documents, months, overview, runs, troubles, underway
from seatrial.web.asked import (
    Asked,
    AskedComparison,
    AskedMonths,
    AskedRun,
    AskedRuns,
    AskedSchedules,
)
from seatrial.web.sources import Sources

Context = Mapping[str, Any]


def _nothing(_document: Any) -> Context:
    return {}


@dataclass(frozen=True, slots=True)
class View:
    """A page, and the same as JSON under `/api`.

    `document` reads what it shows; `present` makes of that what only the page needs. `gives` is the record's
    type, None for a mapping. `section`: under which of the main pages it belongs.
    """

    path: str
    title: str
    template: str
    document: Callable[[Sources, Any], Any]
    gives: type[documents.Document] | None = None
    asked: type[Asked] = Asked
    present: Callable[[Any], Context] = _nothing
    section: str = ""


def _watched(sources: Sources, asked: AskedRun) -> documents.Underway:
    return underway.watched(sources, asked.run)


def _all_underway(sources: Sources, _asked: object) -> documents.UnderwayRuns:
    return documents.UnderwayRuns(runs=underway.underway(sources))


def _of_matrix(document: Any) -> Context:
    """A matrix, and which of its rows can be renewed by running something."""
    outdated = [
        row
        for row in document["rows"]
        if row["verdict"] != "pass" and any(each["kind"] == Kind.MEASURED for each in row["evidence"])
    ]
    return {**matrix_context(document), "outdated": outdated}


def _of_run(document: documents.Run) -> Context:
    """A run as its own report words it; nothing more where an older version's record lacks too much."""
    result = runs.result_of(document)
    if result is None:
        return {"result": None}
    measured = result.measurement
    key = views.key_objective(result)
    return {
        "result": result,
        "headline": sentences.headline(result),
        "saw": sentences.what_clients_saw(measured) if measured else "",
        "key": views.objective(key) if key else None,
        "objectives": [views.objective(each) for each in result.objectives],
        "outages": [views.outage(number, each) for number, each in enumerate(measured.outages, 1)]
        if measured and measured.generator.sent
        else [],
        "steps": [views.step(number, each) for number, each in enumerate(result.steps, 1)],
        "latency": views.latency(measured.latency) if measured and measured.latency else None,
        "checks": result.checks,
    }


def objective_view(told: documents.Objective) -> views.ObjectiveView:
    """An objective with its scale."""
    return views.objective(
        ObjectiveResult(
            told.name, told.promised, told.lower, told.upper, told.unit, Verdict(told.verdict), told.reason
        )
    )


VIEWS = (
    View("/", "Overview", "overview.html", overview.overview, documents.Overview, section="/"),
    View(
        "/matrix", "Readiness matrix", "readiness.html", overview.matrix, present=_of_matrix,
        section="/matrix",
    ),
    View("/runs", "Runs", "runs.html", runs.runs, documents.Runs, AskedRuns, section="/runs"),
    View("/runs/{run}", "Run", "run.html", runs.run, documents.Run, AskedRun, _of_run, section="/runs"),
    View(
        "/experiments", "Experiments", "experiments.html", months.experiments, documents.Experiments,
        section="/experiments",
    ),
    View(
        "/experiments/{experiment}", "Experiment", "months.html", months.months, documents.Months,
        AskedMonths, section="/experiments",
    ),
    View(
        "/compare", "Compare", "compare.html", comparing.compared, documents.Comparison, AskedComparison,
        section="/compare",
    ),
    View(
        "/schedules", "Schedules", "schedules.html", calendar.schedules, documents.Schedules, AskedSchedules,
        section="/schedules",
    ),
    View(
        "/incidents", "Incidents", "incidents.html", troubles.incidents, documents.Incidents,
        section="/incidents",
    ),
    View("/underway", "Under way", "underway.html", _all_underway, documents.UnderwayRuns, section="/"),
    View("/underway/{run}", "Under way", "live.html", _watched, documents.Underway, AskedRun, section="/"),
)  # fmt: skip

SECTIONS = tuple((view.path, view.title) for view in VIEWS if view.path == view.section)
"""The main pages: address and name."""
