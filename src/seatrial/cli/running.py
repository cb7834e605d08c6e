"""`seatrial run`, `demo` and `recover`: what touches a target."""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from seatrial.cli.live import LiveView
from seatrial.cli.planning import show_plan
from seatrial.cli.reporting import Desk, open_desk, recovered, require_order
from seatrial.cli.targets import home, is_up, planned_target, target_in_service
from seatrial.cli.terminal import err, print_json, say
from seatrial.cli.terms import rate_of
from seatrial.model.problems import Interrupted
from seatrial.report import summary
from seatrial.run.execute import Execution, execute
from seatrial.run.files import read
from seatrial.run.plan import Plan, make_plan

DEMO = "chaos/blue-green-rollback.yaml"

ExperimentFile = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="An experiment, such as chaos/….yaml.")
]
TargetOption = Annotated[
    str, typer.Option("--target", metavar="FILE", help="The target; by default the testbed.")
]
RateOption = Annotated[
    str, typer.Option("--rate", metavar="R", help="Replaces the experiment's rate: 10000/min.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where the evidence goes; by default under runs/.")
]
ConfirmOption = Annotated[
    str, typer.Option("--confirm", metavar="NAME", help="The name of a production target.")
]
NoTestbedOption = Annotated[bool, typer.Option("--no-testbed", help="Never start the testbed.")]
MetricsOption = Annotated[
    Path | None,
    typer.Option("--metrics-textfile", metavar="FILE", help="Write Prometheus metrics for a node exporter."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(run)
    app.command()(suite)
    app.command()(demo)
    app.command()(recover)


def run(
    experiment: ExperimentFile,
    target: TargetOption = "",
    rate: RateOption = "",
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and start nothing.")] = False,
    confirm: ConfirmOption = "",
    no_testbed: NoTestbedOption = False,
    metrics: MetricsOption = None,
) -> int:
    """Run one experiment and judge it. Exit code: 0 pass, 1 fail, 2 unknown."""
    override = rate_of("--rate", rate) if rate else None
    source = read(experiment, "experiment")
    if dry_run:
        show_plan(make_plan(source, planned_target(target), override, confirm), is_up(target))
        return 0
    require_order()
    plan_for = functools.partial(make_plan, source, rate=override, confirm=confirm)
    with target_in_service(target, no_testbed, plan_for) as system:
        execution = _watched(plan_for(system), out_dir, metrics)
    return _tell(execution, as_json)


def demo(out_dir: OutOption = None, as_json: JsonOption = False) -> int:
    """Show the main job on this machine: a blue-green rollback at 10,000 requests a minute, measured."""
    source = read(DEMO, "experiment")
    require_order()
    with target_in_service("", False, lambda system: make_plan(source, system)) as system:
        execution = _watched(make_plan(source, system), out_dir)
    code = _tell(execution, as_json)
    rollback = next((each for each in execution.result.objectives if each.name.startswith("downtime")), None)
    if rollback is not None and rollback.upper is not None:
        between = f"between {rollback.lower:.3f} s and {rollback.upper:.3f} s"
        say(f"\nrollback downtime: {between} (allowed: {rollback.target:g} s)")
        say(f"report: {execution.evidence.path('report.html')}")
        _rehearse(execution, source.document.file)
    return code


def _rehearse(execution: Execution, experiment: str) -> None:
    """Show whom a broken promise would have woken, and with what words."""
    from seatrial.incidents.rehearsal import rehearse  # noqa: PLC0415

    reproduce = f"seatrial run {experiment}"
    request = rehearse(execution.result, datetime.now(UTC), "critical", reproduce)
    say("\nHad that promise been broken, PagerDuty would have been told (nothing was sent):")
    say(json.dumps(request, indent=2, ensure_ascii=False))


def suite(
    suite_file: Annotated[str, typer.Argument(metavar="SUITE", help="A suite, such as chaos/suites/….yaml.")],
    target: TargetOption = "",
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    confirm: ConfirmOption = "",
    no_testbed: NoTestbedOption = False,
    metrics: MetricsOption = None,
) -> int:
    """Run experiments one after the other. Exit code: that of the worst; unknown is worse than pass."""
    from seatrial.cli.figures import suite_table  # noqa: PLC0415
    from seatrial.run.suite import execute_suite, plan_suite, suite_document  # noqa: PLC0415

    source = read(suite_file, "suite")
    require_order()
    plan_for = functools.partial(plan_suite, source, confirm=confirm)
    with target_in_service(target, no_testbed, plan_for) as system, open_desk() as desk:
        with _interruptible() as stop:
            whole = execute_suite(
                plan_for(system),
                lambda plan, directory: _execute(plan, directory, stop, desk),
                stop,
                lambda result: err.print(summary(result)),
                out_dir,
            )
        if desk:
            desk.deliver()
            desk.leave_metrics(metrics)
    err.print(suite_table(whole))
    for reason in whole.reasons:
        say(reason)
    if as_json:
        print_json(suite_document(whole))
    return Interrupted.exit_code if stop.is_set() else whole.verdict.exit_code


def recover(as_json: JsonOption = False) -> int:
    """Undo what killed runs left behind, and finish them. Harmless at any time.

    Exit code 1 when a fault is left, 2 when a run cannot be finished.
    """
    found = recovered()
    if as_json:
        print_json({
            "recovered": [
                {
                    "run": each.run,
                    "target": each.target,
                    "fault": each.outcome.entry.undo.fault,
                    "role": each.outcome.entry.undo.role.name,
                    "undone": each.undone,
                    "error": each.outcome.error,
                    "by_hand": "" if each.undone else each.outcome.entry.undo.by_hand,
                }
                for each in found.undone
            ],
            "finished": [
                {
                    "run": each.run.run,
                    "experiment": each.run.experiment,
                    "directory": each.run.directory,
                    "verdict": each.result.verdict if each.result else None,
                    "reasons": each.result.reasons if each.result else each.pending,
                }
                for each in found.finished
            ],
        })  # fmt: skip
    if not found.undone and not found.finished:
        say("nothing was left to undo")
    if not found.all_undone:
        return 1
    return 0 if all(each.result is not None for each in found.finished) else 2


# the parts of these commands


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, once; pressing again changes nothing."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            say("stopping: undoing faults, keeping the evidence …")
        stop.set()

    handled = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in handled}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _execute(plan: Plan, directory: Path | None, stop: threading.Event, desk: Desk | None) -> Execution:
    reporter = desk.reporter(plan.experiment, " ".join(["seatrial", *sys.argv[1:]])) if desk else None
    with LiveView(plan.experiment.title or plan.experiment.experiment) as view:
        return execute(plan, home(), view, stop, directory, reporter)


def _watched(plan: Plan, directory: Path | None, metrics: Path | None = None) -> Execution:
    with open_desk() as desk:
        with _interruptible() as stop:
            execution = _execute(plan, directory, stop, desk)
        if desk:
            desk.deliver()
            desk.leave_metrics(metrics)
        return execution


def _tell(execution: Execution, as_json: bool) -> int:
    from seatrial.report.verdictfile import verdict_document  # noqa: PLC0415

    result = execution.result
    err.print(summary(result, str(execution.evidence.path("report.html"))))
    if as_json:
        print_json(verdict_document(result))
    for line in execution.pending:
        say(line)
    if execution.defective:
        say(f"this is a defect of seatrial; please report {execution.evidence.path('defect.txt')}")
    return execution.exit_code
