"""`seatrial measure`, `calibrate`, `report` and `compare`: what reads logs and evidence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(
        epilog=examples(
            "seatrial measure results.jtl",
            "seatrial measure k6.json --deadline 500ms --json",
        )
    )(measure)
    app.command(
        epilog=examples(
            "seatrial report runs/20261126T000923Z-load",
        )
    )(report)
    app.command(
        epilog=examples(
            "seatrial compare runs/before runs/after",
        )
    )(compare)


def measure(
    log: Annotated[Path, typer.Argument(metavar="LOG", parser=place_of, help="A request log.")],
    format_: Annotated[
        str, typer.Option("--format", help="auto, seatrial, k6, vegeta, jtl or locust.")
    ] = "auto",
    deadline: Annotated[str, typer.Option(metavar="D", help="Unanswered by then is bad.")] = "2s",
    settle: Annotated[str, typer.Option(metavar="D", help="Good for so long is recovered.")] = "1s",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure a request log: outages with bounds, latency from the intended start, the generator's audit."""
    from seatrial.cli.figures import measured_table
    from seatrial.cli.terms import seconds_of
    from seatrial.cli.waiting import Waiting
    from seatrial.measure import measure as measured
    from seatrial.measure import vouched_for
    from seatrial.measure.importers import read
    from seatrial.measure.importers.compressed import followed
    from seatrial.model.figures import count
    from seatrial.report.verdictfile import measured_document

    deadline_s, settle_s = seconds_of("--deadline", deadline, positive=True), seconds_of("--settle", settle)
    with Waiting(f"reading {log}") as waiting, followed(waiting.at):
        imported = read(log, format_)
    for warning in imported.warnings:
        say(f"note: {warning}")
    with Waiting(f"measuring {count(len(imported.log))} requests"):
        result = measured(imported.log, deadline_s, settle_s, tells=imported.tells)
    if as_json:
        print_json(
            {
                "log": str(log),
                "format": imported.format,
                "warnings": imported.warnings,
                **measured_document(result),
            }
        )
    else:
        offered = result.generator.offered_per_s
        interval_s = 1 / offered if offered else math.inf
        doubts = (imported.doubt, vouched_for(result.generator, interval_s, deadline_s))
        out.print(measured_table(result, ", and ".join(filter(None, doubts))))


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", parser=place_of, help="A run's evidence directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Show a run again; one that was killed is finished first. Exit code: that of its verdict."""
    from seatrial.cli.attended import AtTerminal
    from seatrial.report.terminal import summary
    from seatrial.report.verdictfile import verdict_document
    from seatrial.trials.results import result_of

    result = result_of(run, AtTerminal())
    if as_json:
        print_json(verdict_document(result))
    else:
        out.print(summary(result, str(run / "report.html")))
    return result.verdict.exit_code


def compare(
    before: Annotated[
        Path, typer.Argument(metavar="RUN", parser=place_of, help="A run's evidence directory.")
    ],
    after: Annotated[Path, typer.Argument(metavar="RUN", parser=place_of, help="Another's.")],
) -> None:
    """Hold two runs side by side: what is better, what is worse, what cannot be told apart."""
    from seatrial.report.comparison import compare as compared
    from seatrial.trials.results import recorded_result

    out.print(compared(recorded_result(before), recorded_result(after)))
