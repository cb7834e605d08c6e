"""`seatrial measure`: what reads logs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.logs import (
    Columns,
    LogFormat,
    NamePatterns,
    Since,
    Statuses,
    Until,
    measured_log,
    spans,
)
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(
        epilog=examples(
            "seatrial measure results.jtl",
            "seatrial measure k6.json --deadline 500ms --json",
            "seatrial measure haproxy.log.gz --since 2026-11-28T22:00:00 --name 'GET /orders*'",
            "seatrial measure access.log --log-format nginx --status '!404'",
            "seatrial measure hits.csv --columns sent=start:ms,took=elapsed:ms,status=code",
        )
    )(measure)


def measure(
    log: Annotated[Path, typer.Argument(metavar="LOG", parser=place_of, help="A request log.")],
    format_: Annotated[
        str, typer.Option("--format", help="auto, or the tool that wrote it: k6, haproxy, access …")
    ] = "auto",
    deadline: Annotated[str, typer.Option(metavar="D", help="Unanswered by then is bad.")] = "2s",
    settle: Annotated[str, typer.Option(metavar="D", help="Good for so long is recovered.")] = "1s",
    log_format: LogFormat = "",
    columns: Columns = "",
    since: Since = "",
    until: Until = "",
    name: NamePatterns = None,
    status: Statuses = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure a request log: outages with bounds, latency from the intended start, the generator's audit."""
    from seatrial.cli.figures import measured_table

    measured = measured_log(
        log,
        format_,
        *spans(deadline, settle),
        log_format=log_format,
        columns=columns,
        since=since,
        until=until,
        names=name,
        statuses=status,
    )
    for warning in measured.warnings:
        say(f"note: {warning}")
    if as_json:
        print_json(measured.document())
    else:
        out.print(measured_table(measured.result, measured.doubt))
