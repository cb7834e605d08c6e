"""`seatrial run`, `demo` and `recover`: what touches a target."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.terminal import err, print_json, say
from seatrial.model.problems import Interrupted

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
    from seatrial.cli.asked import asked_rate, asked_source
    from seatrial.cli.targets import is_up, planned_target, target_in_service
    from seatrial.model.problems import Problems
    from seatrial.run.plan import make_plan

    problems = Problems()
    override = asked_rate(rate, problems)
    source = asked_source(
        experiment,
        "experiment",
        target,
        problems,
        confirm=confirm,
        no_testbed=no_testbed and not dry_run,
        out=out_dir,
        metrics=metrics,
    )
    plan_for = functools.partial(make_plan, source, rate=override, confirm=confirm)
    if dry_run:
        from seatrial.cli.planning import show_plan

        show_plan(plan_for(planned_target(target)), is_up(target))
        return 0
    from seatrial.cli.conducting import tell, watched
    from seatrial.cli.recovering import recover_first
    from seatrial.cli.reporting import Asked

    recover_first()
    with target_in_service(target, no_testbed, plan_for) as system:
        execution = watched(plan_for(system), Asked(target, rate, confirm), out_dir, metrics)
    return tell(execution, as_json)


def demo(out_dir: OutOption = None, as_json: JsonOption = False) -> int:
    """Show the main job on this machine: a blue-green rollback at 10,000 requests a minute, measured."""
    from seatrial.cli.asked import asked_source
    from seatrial.cli.conducting import rehearse, tell, watched
    from seatrial.cli.recovering import recover_first
    from seatrial.cli.reporting import Asked
    from seatrial.cli.targets import target_in_service
    from seatrial.model.problems import Problems
    from seatrial.run.plan import make_plan

    source = asked_source(DEMO, "experiment", "", Problems(), out=out_dir)
    recover_first()
    with target_in_service("", False, lambda system: make_plan(source, system)) as system:
        execution = watched(make_plan(source, system), Asked(), out_dir)
    code = tell(execution, as_json)
    rollback = next((each for each in execution.result.objectives if each.name.startswith("downtime")), None)
    if rollback is not None and rollback.lower is not None:
        between = f"between {rollback.lower:.3f} s and {rollback.upper:.3f} s"
        if rollback.upper is None or math.isinf(rollback.upper):  # its end was never seen
            between = f"at least {rollback.lower:.3f} s"
        say(f"\nrollback downtime: {between} (allowed: {rollback.target:g} s)")
        say(f"report: {execution.evidence.path('report.html')}")
        rehearse(execution, source.document.file)
    return code


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
    from seatrial.cli.asked import asked_source
    from seatrial.cli.conducting import watched_suite
    from seatrial.cli.figures import suite_table
    from seatrial.cli.recovering import recover_first
    from seatrial.cli.reporting import Asked
    from seatrial.cli.targets import target_in_service
    from seatrial.model.problems import Problems
    from seatrial.run.suite import plan_suite, suite_document

    source = asked_source(
        suite_file,
        "suite",
        target,
        Problems(),
        confirm=confirm,
        no_testbed=no_testbed,
        out=out_dir,
        metrics=metrics,
    )
    recover_first()
    plan_for = functools.partial(plan_suite, source, confirm=confirm)
    with target_in_service(target, no_testbed, plan_for) as system:
        whole = watched_suite(plan_for(system), Asked(target, confirm=confirm), out_dir, metrics)
    err.print(suite_table(whole))
    for reason in whole.reasons:
        say(reason)
    if as_json:
        print_json(suite_document(whole))
    return Interrupted.exit_code if whole.interrupted else whole.verdict.exit_code


def recover(as_json: JsonOption = False) -> int:
    """Undo what killed runs left behind, and finish them. Harmless at any time.

    Exit code 1 when a fault is left, 2 when a run cannot be finished.
    """
    from seatrial.cli.recovering import recovered

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
                    "undo": each.outcome.undo_outcome.value,
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
