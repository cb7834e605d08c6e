"""`seatrial incidents list|retry`."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.model.problems import BadInput

_LARGEST_NUMBER = 2**63 - 1  # that a database takes

commands = typer.Typer(help="What was, and what waits to be, told to people.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="incidents")


@commands.command(
    "list",
    epilog=examples(
        "seatrial incidents list",
        "seatrial incidents list --dry-run",
    ),
)
def listing(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the requests to PagerDuty that wait, without keys.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show open incidents, and messages that have not reached their receiver."""
    from rich.table import Table

    from seatrial.incidents import IncidentSettings, list_incidents, would_send
    from seatrial.model.result import plain
    from seatrial.store import Store

    with Store.default() as store:
        if dry_run:
            print_json({"would_send": would_send(store)})
            return
        found = list_incidents(store, IncidentSettings.from_environment())
    if as_json:
        print_json(_times_as_text(plain(found)))
        return
    incidents = Table(
        "severity", "opened (UTC)", "failures", "what", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for each in found.incidents:
        incidents.add_row(each.severity, f"{each.opened:%Y-%m-%d %H:%M}", str(each.failures), each.summary)
    out.print(incidents if found.incidents else "no incident is open")
    messages = Table(
        "no.", "to", "what", "state", "tries", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for message in (*found.failed, *found.waiting):
        row = (
            message.number,
            message.sink,
            message.kind,
            message.state,
            message.attempts,
            message.last_error or message.off,
        )
        messages.add_row(*map(str, row))
    if messages.row_count:
        out.print(messages)
    for sink, how in found.off.items():
        say(f"{sink} is off: {how}")


@commands.command(
    epilog=examples(
        "seatrial incidents retry",
        "seatrial incidents retry 3 4",
    )
)
def retry(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="[NO.]…", min=1, max=_LARGEST_NUMBER, help="Messages; by default all."),
    ] = None,
) -> None:
    """Try again now what has not arrived."""
    from seatrial.incidents import IncidentSettings, list_incidents
    from seatrial.incidents import retry as tried_again
    from seatrial.store import Store

    settings = IncidentSettings.from_environment()
    with Store.default() as store:
        tried = tried_again(store, settings, numbers or None)
        left = list_incidents(store, settings)
    if numbers and not tried:
        raise BadInput(
            f"no message {', '.join(map(str, numbers))} waits; to see those that do: seatrial incidents list"
        )
    say(f"{tried} tried; {len(left.waiting)} waiting, {len(left.failed)} failed")
    for sink, how in left.off.items():
        say(f"{sink} is off: {how}")


def _times_as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _times_as_text(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_times_as_text(child) for child in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
