"""`seatrial measure`, `calibrate`, `report` and `compare`: what reads logs and evidence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.model.result import RunResult


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(measure)
    app.command()(report)
    app.command()(compare)


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
    from seatrial.measure import measure as measured
    from seatrial.measure import vouched_for
    from seatrial.measure.importers import read
    from seatrial.report.verdictfile import measured_document

    deadline_s, settle_s = seconds_of("--deadline", deadline, positive=True), seconds_of("--settle", settle)
    imported = read(log, format_)
    for warning in imported.warnings:
        say(f"note: {warning}")
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
    from seatrial.report.terminal import summary
    from seatrial.report.verdictfile import verdict_document

    result = _finished(run) if _unfinished(run) else _result_of(run)
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

    out.print(compared(_result_of(before), _result_of(after)))


def _unfinished(run: Path) -> bool:
    """Whether it is a run's directory without a verdict."""
    return (run / "experiment.yaml").exists() and not (run / "verdict.json").exists()


def _finished(run: Path) -> RunResult:
    from seatrial.cli.recovering import recording
    from seatrial.cli.targets import home
    from seatrial.run.unfinished import finish_at

    return finish_at(run, home(), recording)


def _result_of(run: Path) -> RunResult:
    from seatrial.report.verdictfile import read_verdict

    path = run / "verdict.json" if run.is_dir() else run
    try:
        return read_verdict(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; a run is the directory that `seatrial run` named") from error
