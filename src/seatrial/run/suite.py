"""Run experiments one after the other; the whole is as good as the worst of them.

A run that cannot be started is unknown and does not keep the others from running. An interrupt ends the
suite, and so does a run that leaves something behind: the next would measure a target that is not what it
was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial.model.figures import span
from seatrial.model.problems import CannotStore
from seatrial.model.reasons import Reason
from seatrial.model.result import RunResult
from seatrial.model.suiteresult import SuiteResult
from seatrial.model.verdict import Verdict
from seatrial.report.suitefile import suite_document
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import Plan
from seatrial.run.suiteplan import SuitePlan

_ACCOUNT = "suite.json"


def execute_suite(
    planned: SuitePlan,
    run: Callable[[Plan, Path], Execution],
    stop: threading.Event,
    told: Callable[[RunResult], None],
    out: Path | None = None,
    begins: Callable[[str], None] = lambda _line: None,
) -> SuiteResult:
    """Run every plan with `run(plan, directory)`; `told` hears of each result as it comes.

    `begins` hears of each run before it: which of them it is, and how long the rest of the suite will take.

    What has become of the whole is written down before the first run and after each, so that a suite that is
    killed has its account too. Raises BadInput or CannotStore when there can be no directory for it, or no
    account in it; nothing is started then.
    """
    suite = planned.suite
    evidence = Evidence.create(suite.suite, datetime.now(UTC), out)
    evidence.write_json(_ACCOUNT, suite_document(_whole(planned, [], evidence)))
    results: list[RunResult] = []
    reasons: tuple[str, ...] = ()
    pace = _Pace(planned, time.monotonic())
    for number, plan in enumerate(planned.plans, start=1):
        if stop.is_set() or (results and stop.wait(suite.pause.seconds)):
            break
        begins(pace.line(number, time.monotonic()))
        directory = evidence.path(f"{number:02d}-{plan.experiment.experiment}")
        try:
            result = run(plan, directory).result
        except CannotStore as error:
            result = not_started(plan, directory.name, str(error))
        results.append(result)
        told(result)
        reasons = _kept(planned, results, evidence)
        if result.left_behind:
            break
    return _whole(planned, results, evidence, reasons)


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long a suite still takes, by its plan and by what its runs took beyond it so far."""

    planned: SuitePlan
    began_s: float

    def line(self, number: int, now_s: float) -> str:
        """Before run `number`, from 1: `2 of 14: redis-outage; about 12 min left`."""
        plans, pause_s = self.planned.plans, self.planned.suite.pause.seconds
        lengths = [
            pause_s + plan.experiment.warmup.seconds + plan.experiment.duration.seconds for plan in plans
        ]
        done = number - 1
        beyond_s = max(now_s - self.began_s - sum(lengths[:done]), 0.0) / done if done else 0.0
        left_s = sum(lengths[done:]) - pause_s + beyond_s * (len(plans) - done)
        name = plans[done].experiment.experiment
        return f"{number} of {len(plans)}: {name}; {'about' if done else 'at least'} {span(left_s)} left"


def _whole(
    planned: SuitePlan, results: list[RunResult], evidence: Evidence, reasons: tuple[str, ...] = ()
) -> SuiteResult:
    """What has become of a suite so far."""
    suite = planned.suite
    return SuiteResult(
        suite=suite.suite,
        title=suite.title,
        runs=tuple(results),
        not_run=tuple(plan.experiment.experiment for plan in planned.plans[len(results) :]),
        directory=evidence.directory,
        reasons=reasons,
    )


def _kept(planned: SuitePlan, results: list[RunResult], evidence: Evidence) -> tuple[str, ...]:
    """Write the account of the suite. Returns why, if the disk did not take it."""
    try:
        evidence.write_json(_ACCOUNT, suite_document(_whole(planned, results, evidence)))
    except CannotStore as error:
        return (Reason.MISSING(what=error),)
    return ()


def not_started(plan: Plan, run: str, reason: str) -> RunResult:
    """What is known of a run for which there was no room."""
    return RunResult(
        run=run,
        experiment=plan.experiment.experiment,
        title=plan.experiment.title,
        target=plan.target.target,
        verdict=Verdict.UNKNOWN,
        reasons=(reason,),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        interrupted=False,
        measurement=None,
        covers=plan.experiment.covers,
    )
