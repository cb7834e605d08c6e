"""Run results for tests that are not about measuring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from seatrial.model.noticing import Detection
from seatrial.model.pricing import RunCost
from seatrial.model.result import (
    Bounds,
    GeneratorAudit,
    Measurement,
    ObjectiveResult,
    Outage,
    RunResult,
    StepRecord,
)
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict

START = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)

CRASH = StepRecord(
    name="crash", kind="fault", does="process.kill", role="database.primary",
    planned_s=10.0, before_s=10.0, injected_s=10.1, undone_s=25.0, verified=True,
)  # fmt: skip
ROLLBACK = StepRecord(
    name="rollback", kind="action", does="deploy.rollback", role="edge",
    planned_s=20.0, before_s=20.0, injected_s=20.2,
)  # fmt: skip
OUTAGE = Outage(
    name="crash", start_s=10.1, end_s=17.5, perceived=Bounds(7.2, 7.6), server=Bounds(7.0, 7.6),
    bad=1200, runs=1, equivalent_s=7.3,
)  # fmt: skip
NOTICED = Detection("crash", "MemberDown", "prometheus", Bounds(0.3, 0.9), Bounds(1.1, 1.4), Verdict.PASS)
MISSED = Detection("crash", "MemberDown", "pagerduty", None, Bounds(1.1, float("inf")), Verdict.FAIL)
COST = RunCost("EUR", 0.002, 0.0021, 1.9, 2.0)


def measurement(*outages: Outage) -> Measurement:
    """What is measured of a run with these outages."""
    audit = GeneratorAudit(
        scheduled=6000, sent=6000, answered=5990, dropped=0, unanswered=10,
        late_p50_ms=0.1, late_p99_ms=0.4, late_max_ms=2.5, offered_per_s=166.7, achieved_per_s=166.5,
    )  # fmt: skip
    return Measurement(
        start_s=0.0, end_s=40.0, deadline_s=2.0, settle_s=1.0, requests=6000, bad=sum(o.bad for o in outages),
        outages=outages, degraded_s=0.0, completion_gap=Bounds(0.0, 0.1), equivalent_outage_s=0.0, latency=None,
        generator=audit, availability=(), served_by=(), errors=(),
    )  # fmt: skip


def result(
    verdict: Verdict = Verdict.FAIL,
    number: int = 1,
    *,
    experiment: str = "database-crash",
    target: str = "testbed",
    steps: tuple[StepRecord, ...] = (CRASH,),
    interrupted: bool = False,
) -> RunResult:
    """The `number`-th run of an experiment."""
    kept = verdict is Verdict.PASS
    lower, upper = (1.1, 1.4) if kept else (7.2, 7.6)
    objective = ObjectiveResult("downtime after crash", 5.0, lower, upper, "s", verdict)
    return RunResult(
        run=f"{experiment}-{number:04d}",
        experiment=experiment,
        title="",
        target=target,
        verdict=verdict,
        reasons=() if kept else ("downtime after crash: 7.6 s > 5 s",),
        started_at=(START + timedelta(hours=number)).isoformat(),
        interrupted=interrupted,
        measurement=measurement() if kept else measurement(OUTAGE),
        objectives=(objective,),
        steps=steps,
    )


def unverified(step: StepRecord = CRASH) -> StepRecord:
    """A fault whose undo could not be verified."""
    return replace(
        step,
        verified=False,
        error="the process did not come back",
        undo=UndoOutcome.NOT_WELL,
        by_hand="patronictl restart shop db-1",
    )
