"""`seatrial run`, `demo` and `recover`: what touches a target."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.sharing import NOT_SAID, Sharing, with_workers
from seatrial.cli.terminal import err, print_json, say, suggest

if TYPE_CHECKING:
    from seatrial.model.offeredrate import OfferedRate
    from seatrial.model.problems import Problems

DEMO = "chaos/blue-green-rollback.yaml"
_AFTER_THE_DEMO = {
    "seatrial init --host http://…": "a target, a scenario and two experiments",
    "seatrial run chaos/load.yaml --target chaos/target.yaml": "measure it",
    "seatrial explain": "all that can be broken, checked and promised",
}

ExperimentFile = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="An experiment, such as chaos/….yaml.")
]
TargetOption = Annotated[
    str, typer.Option("--target", metavar="FILE", help="The target; by default the testbed.")
]
RateOption = Annotated[
    str,
    typer.Option("--rate", metavar="R", help="In place of the experiment's: 10000/min, requests:10000/min."),
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
    app.command(
        epilog=examples(
            "seatrial run chaos/load.yaml --target chaos/target.yaml --dry-run",
            "seatrial run chaos/load.yaml --target chaos/target.yaml --rate 10000/min",
            "seatrial run chaos/redis-outage.yaml",
        )
    )(with_workers(run))
    app.command(
        epilog=examples(
            "seatrial suite chaos/suites/monthly.yaml",
            "seatrial suite chaos/suites/monthly.yaml --target chaos/target.yaml --json",
        )
    )(suite)
    app.command(
        epilog=examples(
            "seatrial demo",
        )
    )(demo)
    app.command(
        epilog=examples(
            "seatrial recover",
            "seatrial recover --json",
        )
    )(recover)


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
    sharing: Sharing = NOT_SAID,
) -> int:
    """Run one experiment and judge it. Exit code: 0 pass, 1 fail, 2 unknown."""
    from seatrial.cli.attended import AtTerminal, tell
    from seatrial.model.problems import Problems
    from seatrial.trials.request import TrialRequest

    problems = Problems()
    request = TrialRequest(
        experiment,
        target=target,
        rate=_rate(rate, problems),
        confirm=confirm,
        no_testbed=no_testbed and not dry_run,
        evidence=out_dir,
        metrics=metrics,
        workers=sharing.read(problems),
    )
    if dry_run:
        from seatrial.cli.planning import show
        from seatrial.trials.preview import preview

        show(preview(request, problems))
        return 0
    from seatrial.trials.running import run_experiment

    return tell(run_experiment(request, AtTerminal(), problems=problems), as_json)


def _rate(text: str, problems: Problems) -> OfferedRate | None:
    """What `--rate` says, if it is given and can be read."""
    from seatrial.cli.terms import offered_rate_of

    with problems.collected():
        return offered_rate_of("--rate", text) if text else None
    return None


def demo(out_dir: OutOption = None, as_json: JsonOption = False) -> int:
    """Show the main job on this machine: a blue-green rollback at 10,000 requests a minute, measured."""
    from seatrial.cli.attended import AtTerminal, rehearse, tell
    from seatrial.extras import TESTBED
    from seatrial.trials.request import TrialRequest
    from seatrial.trials.running import run_experiment

    TESTBED.require("`seatrial demo`")
    execution = run_experiment(TrialRequest(DEMO, evidence=out_dir), AtTerminal())
    code = tell(execution, as_json)
    rollback = next((each for each in execution.result.objectives if each.name.startswith("downtime")), None)
    if rollback is not None and rollback.lower is not None:
        between = f"between {rollback.lower:.3f} s and {rollback.upper:.3f} s"
        if rollback.upper is None or math.isinf(rollback.upper):  # its end was never seen
            between = f"at least {rollback.lower:.3f} s"
        say(f"\nrollback downtime: {between} (allowed: {rollback.target:g} s)")
        say(f"report: {execution.evidence.path('report.html')}")
        rehearse(execution, DEMO)
    suggest("for a service of your own", _AFTER_THE_DEMO)
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
    from seatrial.cli.attended import AtTerminal, show
    from seatrial.cli.figures import suite_table
    from seatrial.report.suitefile import suite_document
    from seatrial.trials.request import TrialRequest
    from seatrial.trials.running import run_suite

    request = TrialRequest(
        suite_file,
        "suite",
        target=target,
        confirm=confirm,
        no_testbed=no_testbed,
        evidence=out_dir,
        metrics=metrics,
    )
    whole = run_suite(request, AtTerminal(), told=show)
    err.print(suite_table(whole))
    for reason in whole.reasons:
        say(reason)
    if as_json:
        print_json(suite_document(whole))
    return whole.exit_code


def recover(as_json: JsonOption = False) -> int:
    """Undo what killed runs left behind, and finish them. Harmless at any time.

    Exit code 1 when a fault is left, 2 when a run cannot be finished.
    """
    from seatrial.cli.attended import AtTerminal
    from seatrial.cli.waiting import Waiting
    from seatrial.trials import recovery

    with Waiting("undoing and finishing what killed runs left"):
        found = recovery.recovered(AtTerminal())
    if as_json:
        print_json(recovery.recovery_document(found))
    if not found.undone and not found.finished:
        say("nothing was left to undo")
    if not found.all_undone:
        return 1
    return 0 if all(each.result is not None for each in found.finished) else 2
