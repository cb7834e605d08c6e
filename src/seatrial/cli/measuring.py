"""`seatrial measure`: what reads logs."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.logs import MeasuredLog, reads_log
from seatrial.cli.terminal import out, print_json, say


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


@reads_log
def measure(
    measured: MeasuredLog,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure a request log: outages with bounds, latency from the intended start, the generator's audit."""
    from seatrial.cli.figures import measured_table

    for warning in measured.warnings:
        say(f"note: {warning}")
    if as_json:
        print_json(measured.document())
    else:
        out.print(measured_table(measured.result, measured.doubt))
