"""`seatrial testbed up|status|down|logs`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.interruption import shielded
from seatrial.cli.terminal import err, out, print_json, say
from seatrial.cli.waiting import Waiting
from seatrial.model.problems import BadInput

commands = typer.Typer(help="The reference system that ships with seatrial.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="testbed")


@commands.command(
    epilog=examples(
        "seatrial testbed up",
        "seatrial testbed up --tenants 100",
    )
)
def up(
    tenants: Annotated[
        int | None,
        typer.Option("--tenants", metavar="N", help="How many tenants the shop has; 4 by default."),
    ] = None,
) -> None:
    """Bring it up: HAProxy, two releases of the app, PostgreSQL under Patroni, Valkey, SoftHSM."""
    from seatrial import testbed

    started = time.monotonic()
    with Waiting("bringing up the testbed", testbed.usual_s("up")):
        state = testbed.up(lambda text: err.print(f"  {text}", style="dim", markup=False), tenants=tenants)
    say(f"the testbed answers at {state.base_url} after {time.monotonic() - started:.1f} s")
    say(f"as a target: {state.target}")


@commands.command(
    epilog=examples(
        "seatrial testbed status --json",
    )
)
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Show what runs where. Exit code 2 when there is no testbed, or not all of it."""
    from rich.table import Table

    from seatrial import testbed
    from seatrial.model.result import plain
    from seatrial.model.verdict import Verdict

    state = testbed.status()
    if state is None:
        if as_json:
            print_json({"phase": "down"})
        say("there is no testbed; to start it: seatrial testbed up")
        return Verdict.UNKNOWN.exit_code
    if as_json:
        print_json({**plain(state), "root": str(state.root), "base_url": state.base_url})
    else:
        table = Table("part", "condition", "address", "pid", box=None, pad_edge=False)
        for part in state.parts:
            table.add_row(
                part.name, part.condition, str(part.endpoint), str(part.process.pid if part.process else "")
            )
        out.print(table)
        say(f"{state.phase}: {state.base_url}")
    whole = state.phase == "ready" and all(part.condition == "running" for part in state.parts)
    return 0 if whole else Verdict.UNKNOWN.exit_code


@commands.command(
    epilog=examples(
        "seatrial testbed down",
    )
)
def down() -> None:
    """Take it down, and clear what a killed one left. Its logs are kept until the next `up`."""
    from seatrial import testbed

    with shielded(), Waiting("taking the testbed down", testbed.usual_s("down")):
        existed = testbed.down()
    say("the testbed is down" if existed else "there was no testbed")


@commands.command(
    epilog=examples(
        "seatrial testbed logs",
        "seatrial testbed logs edge",
    )
)
def logs(
    part: Annotated[str, typer.Argument(help="A part's name; without one, where each log is.")] = "",
) -> None:
    """Print a part's log."""
    from seatrial import testbed

    found = testbed.logs()
    if not part:
        for name, path in found.items():
            out.print(f"{name:<16} {path}", markup=False, soft_wrap=True)
        return
    matching = [path for name, path in found.items() if part in (name, name.rpartition(".")[2])]
    if not matching:
        raise BadInput(f"no log of '{part}'; there are: {', '.join(found) or 'none'}")
    for path in matching:
        out.print(path.read_text(errors="replace"), markup=False, soft_wrap=True, end="")
