"""What `run`, `demo` and `suite` do alike: run with a view of it, record it, tell its verdict.

From the start of a run on, a signal is a request that the run itself answers (see `interruption.shielded`):
faults are undone, the evidence is kept, the verdict is told.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from seatrial.cli.interruption import shielded
from seatrial.cli.live import LiveView
from seatrial.cli.reporting import Asked, Desk, open_desk
from seatrial.cli.targets import home
from seatrial.cli.terminal import err, print_json, say
from seatrial.model.result import RunResult
from seatrial.report.terminal import summary, to_do
from seatrial.run.execute import Execution, execute
from seatrial.run.plan import Plan
from seatrial.run.suite import SuitePlan, SuiteResult, execute_suite


def watched(plan: Plan, asked: Asked, directory: Path | None, metrics: Path | None = None) -> Execution:
    """Run one plan, record it, and send what must be told."""
    with open_desk() as desk, shielded() as stop:
        execution = _execute(plan, directory, stop, desk, asked)
        _leave(desk, metrics)
        return execution


def watched_suite(
    planned: SuitePlan, asked: Asked, directory: Path | None, metrics: Path | None
) -> SuiteResult:
    """Run the plans of a suite one after the other, and tell each result as it comes."""
    with open_desk() as desk, shielded() as stop:
        whole = execute_suite(
            planned,
            lambda plan, place: _execute(plan, place, stop, desk, asked),
            stop,
            _show,
            directory,
        )
        _leave(desk, metrics)
        return whole


def tell(execution: Execution, as_json: bool) -> int:
    """Say what came of a run; the exit code."""
    from seatrial.report.verdictfile import verdict_document

    result = execution.result
    report = execution.evidence.path("report.html")
    _show(result, str(report) if report.exists() else "")
    if as_json:
        print_json(verdict_document(result))
    for line in execution.pending:
        say(line)
    if execution.defective:
        say(f"this is a defect of seatrial; please report {execution.evidence.path('defect.txt')}")
    return execution.exit_code


def rehearse(execution: Execution, experiment: str) -> None:
    """Show whom a broken promise would have woken, and with what words."""
    from seatrial.incidents.rehearsal import rehearse as rehearsed

    request = rehearsed(execution.result, datetime.now(UTC), "critical", f"seatrial run {experiment}")
    say("\nHad that promise been broken, PagerDuty would have been told (nothing was sent):")
    say(json.dumps(request, indent=2, ensure_ascii=False))


def _execute(
    plan: Plan, directory: Path | None, stop: threading.Event, desk: Desk | None, asked: Asked
) -> Execution:
    reporter = desk.reporter(plan.experiment, asked.command(plan)) if desk else None
    with LiveView(plan.experiment.title or plan.experiment.experiment, stop) as view:
        return execute(plan, home(), view, stop, directory, reporter)


def _show(result: RunResult, report: str = "") -> None:
    """The run in one screen; last, what a person has to do by hand."""
    err.print(summary(result, report))
    for line in to_do(result):
        say(line)


def _leave(desk: Desk | None, metrics: Path | None) -> None:
    if desk:
        desk.deliver()
        desk.leave_metrics(metrics)
