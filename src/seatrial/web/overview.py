"""The first page: how things stand, and what wants somebody."""

from __future__ import annotations

from datetime import datetime

from seatrial.incidents import list_incidents
from seatrial.model.problems import SeatrialError, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.store import RunQuery
from seatrial.web import documents
from seatrial.web.calendar import known, planned
from seatrial.web.runs import line
from seatrial.web.sources import Sources
from seatrial.web.troubles import faults, incident
from seatrial.web.underway import underway

_FEW = 6


def overview(sources: Sources, _asked: object) -> documents.Overview:
    """How things stand. What cannot be told (no readiness file, no schedule) says why."""
    matrix, problem = _glance(sources)
    loaded, schedule_problems = known(sources)
    history = sources.store.history
    failed = history.runs(RunQuery(verdict=Verdict.FAIL), _FEW)
    unknown = history.runs(RunQuery(verdict=Verdict.UNKNOWN), _FEW)
    worst = sorted([*failed, *unknown], key=lambda each: each.started_at, reverse=True)[:_FEW]
    listing = list_incidents(sources.store, sources.incidents)
    return documents.Overview(
        matrix=matrix,
        matrix_problem=problem,
        underway=underway(sources),
        faults=faults(sources.home),
        planned=planned(sources, loaded, _FEW),
        schedule_problems=schedule_problems,
        failures=[line(each) for each in worst],
        runs=history.count(),
        incidents=[incident(each) for each in listing.incidents],
        unsent=len(listing.waiting) + len(listing.failed),
    )


def matrix(sources: Sources, _asked: object) -> dict[str, object]:
    """What `seatrial matrix --json` prints. Raises BadInput, Unavailable, Damaged."""
    return sources.matrix.get().document


def _glance(sources: Sources) -> tuple[documents.Glance | None, str]:
    try:
        told = sources.matrix.get().document
    except Unavailable:
        raise
    except SeatrialError as error:
        return None, str(error)
    rows = [
        documents.Row(
            id=row["id"], requirement=row["requirement"], verdict=row["verdict"], reason=row["reason"]
        )
        for row in told["rows"]
    ]
    verdicts = [row.verdict for row in rows]
    return documents.Glance(
        title=told["title"] or told["readiness"],
        at=datetime.fromisoformat(told["at"]),
        rows=rows,
        counts={verdict: verdicts.count(verdict) for verdict in ("pass", "stale", "unknown", "fail")},
        blockers=told["blockers"],
        measured=told["measured"]["measured"],
    ), ""
