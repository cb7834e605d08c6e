"""`seatrial report export-otlp`: a run for those who look at traces."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import print_json, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput


def register(commands: typer.Typer) -> None:
    """Add this command to `seatrial report`."""
    commands.command(
        "export-otlp",
        epilog=examples(
            "seatrial report export-otlp latest --to http://127.0.0.1:4318/v1/traces",
            "seatrial report export-otlp runs/20261126T000923Z-load",
        ),
    )(export_otlp)


def export_otlp(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's directory or id, latest, or latest:EXPERIMENT.")
    ],
    to: Annotated[
        str,
        typer.Option(metavar="URL", help="Where spans are taken; by default OTEL_EXPORTER_OTLP_ENDPOINT."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Send a run, its steps and its outages as OpenTelemetry spans, by OTLP over HTTP. Harmless to repeat.

    Each run is sent at its end where OTEL_EXPORTER_OTLP_ENDPOINT is set; needs seatrial[otlp].
    """
    from seatrial.trials.lookup import run_named
    from seatrial.trials.telemetry import ENDPOINTS, export_run, wanted

    if to and (urlsplit(to).scheme not in ("http", "https") or not urlsplit(to).hostname):
        raise BadInput(f"--to {to}: is not an http:// or https:// address")
    if not to and not wanted():
        raise BadInput(f"nobody says where spans are taken: give --to URL, or set {ENDPOINTS[-1]}")
    found = run_named(run, place_of(run))
    if found.note:
        say(f"note: {found.note}")
    count = export_run(found.result, found.directory, to or None)
    if as_json:
        print_json({"run": found.result.run, "spans": count})
    else:
        say(f"{found.result.run}: {count} spans")
