"""`seatrial doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(
        epilog=examples(
            "seatrial doctor",
            "seatrial doctor --json",
        )
    )(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say what this machine can and cannot do, and the command that mends it."""
    from rich.table import Table
    from rich.text import Text

    from seatrial.doctor import examine
    from seatrial.home import seatrial_home

    findings = examine(seatrial_home())
    if as_json:
        print_json({"findings": findings})
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for each in findings:
        mark = Text("✓", "green") if each.able else Text("✗", "yellow")
        table.add_row(mark, Text(each.name), Text(each.detail), Text("" if each.able else each.mend, "bold"))
    out.print(table)
