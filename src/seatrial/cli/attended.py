"""A person at a terminal, for whom a trial is run: what it says goes to stderr, Ctrl-C asks for its end."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from seatrial.cli.interruption import shielded
from seatrial.cli.terminal import err, print_json, say

if TYPE_CHECKING:  # whoever only recovers or reads does not load what runs
    from seatrial.model.result import RunResult
    from seatrial.run.execute import Execution
    from seatrial.run.observer import Observer
    from seatrial.run.plan import Plan


class AtTerminal:
    """The caller of a trial (see `trials.caller`)."""

    def say(self, text: str) -> None:
        say(text)

    def shielded(self) -> AbstractContextManager[threading.Event]:
        return shielded()

    def watching(self, plan: Plan, stop: threading.Event) -> AbstractContextManager[Observer]:
        from seatrial.cli.live import LiveView

        return LiveView(plan.experiment.title or plan.experiment.experiment, stop)


def tell(execution: Execution, as_json: bool) -> int:
    """Say what came of a run; the exit code."""
    from seatrial.report.verdictfile import verdict_document

    result = execution.result
    report = execution.evidence.path("report.html")
    show(result, str(report) if report.exists() else "")
    if as_json:
        print_json(verdict_document(result))
    for line in execution.pending:
        say(line)
    if execution.defective:
        say(f"this is a defect of seatrial; please report {execution.evidence.path('defect.txt')}")
    return execution.exit_code


def show(result: RunResult, report: str = "") -> None:
    """The run in one screen; last, what a person has to do by hand."""
    from seatrial.report.terminal import summary, to_do

    err.print(summary(result, report))
    for line in to_do(result):
        say(line)


def rehearse(execution: Execution, experiment: str) -> None:
    """Show whom a broken promise would have woken, so that nobody takes it for one that was broken."""
    from seatrial.incidents.rehearsal import rehearse as rehearsed

    request = rehearsed(execution.result, datetime.now(UTC), "critical", f"seatrial run {experiment}")
    payload = cast("dict[str, Any]", request["payload"])
    say("\nA rehearsal of the other case: nothing was sent. A broken promise would have told PagerDuty:")
    say(f"  summary    {payload['summary']}")
    say(f"  severity   {payload['severity']}; one incident for every repetition ({request['dedup_key']})")
    say(f"  reproduce  {payload['custom_details']['reproduce']}")
