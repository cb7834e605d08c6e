"""`seatrial calibrate`."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput

_COVERED = 0.99


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(
        epilog=examples(
            "seatrial calibrate",
            "seatrial calibrate --rate 500/s --outages 12 --json",
        )
    )(calibrate)


def calibrate(
    rate: Annotated[str, typer.Option(metavar="R", help="The rate to calibrate at.")] = "10000/min",
    outages: Annotated[
        int, typer.Option(min=6, max=10_000, help="How many to plant; about 2.6 s each.")
    ] = 36,
    seed: Annotated[int, typer.Option(help="Which outages, when.")] = 1,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", parser=place_of, help="Keep the request log and the truth here."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Plant outages of known length, and say how often the bounds held the truth."""
    from rich.table import Table

    from seatrial.calibrate.calibration import calibrate as calibrated
    from seatrial.cli.terms import rate_of
    from seatrial.cli.waiting import Waiting
    from seatrial.home import private_directory, seatrial_home
    from seatrial.model.result import plain
    from seatrial.model.verdict import Verdict

    offered = rate_of("--rate", rate)
    if directory is not None and directory.is_file():
        raise BadInput(f"--out {directory}: is a file; name a directory")
    with (
        tempfile.TemporaryDirectory(prefix="seatrial-calibrate-") as scratch,
        Waiting("planting outages") as waiting,
    ):
        result = calibrated(
            offered,
            outages,
            seed,
            directory or Path(scratch),
            waiting.at,
            now=lambda: datetime.now(UTC),
        )
    home = seatrial_home()
    private_directory(home)
    result.save(home / "calibration.json")
    if as_json:
        print_json({**plain(result), "coverage": result.coverage})
    else:
        head, *rows = result.rows()
        table = Table(*head, box=None, pad_edge=False, padding=(0, 3, 0, 0))
        for row in rows:
            table.add_row(*row)
        out.print(table)
        say(f"control: {result.control_outages} outages in {result.control_s:.0f} s without a fault")
    if result.doubt:
        say(f"the load generator cannot be trusted: {result.doubt}")
        return Verdict.UNKNOWN.exit_code
    held = result.coverage >= _COVERED and not result.control_outages and not result.unexplained
    return (Verdict.PASS if held else Verdict.FAIL).exit_code
