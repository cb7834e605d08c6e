"""`seatrial schedule start|next|history|export`: chaos on a calendar."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput
from seatrial.model.secrets import ShownFormatter

if TYPE_CHECKING:
    from seatrial.schedule import Upcoming
    from seatrial.store import RecordedOccurrence

commands = typer.Typer(
    help="Runs on a calendar: never twice, never silently not at all.", no_args_is_help=True
)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="SCHEDULE…", parser=place_of, help="Schedules, such as schedules/….yaml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="schedule")


@commands.command(
    "next",
    epilog=examples(
        "seatrial schedule next schedules/monthly.yaml --count 3",
    ),
)
def upcoming(
    files: Files,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 12,
    as_json: JsonOption = False,
) -> None:
    """Show the next planned instants, in local time and UTC, with clock changes and blackouts.

    What the schedules run is planned as well; exit code 64 when that could not be run.
    """
    from seatrial.schedule import next_occurrences, reviewed
    from seatrial.trials.scheduled import review

    found = next_occurrences(files, count, datetime.now(UTC))
    problems = reviewed(files, review)
    if as_json:
        print_json({
            "occurrences": [each.to_json() for each in found],
            "problems": [str(problem) for problem in problems],
        })  # fmt: skip
    else:
        _show(found)
    if problems:
        raise BadInput(problems)


def _show(found: list[Upcoming]) -> None:
    from rich.table import Table

    table = Table(
        "schedule", "local", "UTC", "due (UTC)", "note", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for each in found:
        notes = [each.note, f"skipped: {each.blackout}" if each.blackout else ""]
        table.add_row(
            each.schedule, f"{each.local:%a %Y-%m-%d %H:%M %Z}", f"{each.planned:%m-%d %H:%M}",
            f"{each.due:%m-%d %H:%M:%S}", "; ".join(filter(None, notes)),
        )  # fmt: skip
    out.print(table)


@commands.command(
    "history",
    epilog=examples(
        "seatrial schedule history monthly-readiness --limit 12",
    ),
)
def past(
    schedule: Annotated[str, typer.Argument(help="A schedule's name; without one, all.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what became of planned instants: run, missed, skipped or interrupted."""
    from rich.table import Table

    from seatrial.schedule import history
    from seatrial.store import Store

    with Store.default() as store:
        found = history(store, schedule or None, limit)
    if as_json:
        print_json({"occurrences": [_plain(each) for each in found]})
        return
    table = Table("schedule", "planned (UTC)", "became", "run", "verdict", "detail", box=None, pad_edge=False)
    for each in found:
        row = _plain(each)
        table.add_row(
            *(
                str(row[name] or "")
                for name in ("schedule", "planned_utc", "state", "run", "verdict", "detail")
            )
        )
    out.print(table)
    if not found:
        say("no occurrence was recorded yet; a daemon records them: seatrial schedule start schedules/…")


@commands.command(
    epilog=examples(
        "seatrial schedule start schedules/monthly.yaml --metrics 127.0.0.1:9464",
    )
)
def start(
    files: Files,
    once: Annotated[
        bool, typer.Option("--once", help="Run what is due and end, for those whom cron wakes.")
    ] = False,
    metrics: Annotated[str, typer.Option(metavar="HOST:PORT", help="Serve /metrics there.")] = "",
) -> None:
    """Be the daemon: run what is planned when it is due, and account for every planned instant."""
    from seatrial.schedule import StartOptions
    from seatrial.schedule import start as serve
    from seatrial.store import Store
    from seatrial.trials import scheduled

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ShownFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    options = replace(StartOptions(), once=once, metrics=_address(metrics) if metrics else None)
    scheduled.put_in_order()
    with Store.default() as store:
        serve(
            files,
            store,
            scheduled.executor(store),
            options,
            open_faults=scheduled.open_faults,
            review=scheduled.review,
        )


@commands.command(
    epilog=examples(
        "seatrial schedule export schedules/monthly.yaml --systemd",
        "seatrial schedule export schedules/monthly.yaml --github-actions",
    )
)
def export(
    files: Files,
    systemd: Annotated[bool, typer.Option("--systemd", help="A unit for the daemon.")] = False,
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="A CronJob.")] = False,
    github_actions: Annotated[bool, typer.Option("--github-actions", help="A workflow.")] = False,
    image: Annotated[str, typer.Option(help="The container image of the CronJob.")] = "seatrial:latest",
) -> None:
    """Print what lets something else wake the schedule."""
    from seatrial.schedule import export as exported
    from seatrial.schedule import load_schedule, reviewed
    from seatrial.trials.scheduled import review

    if systemd + kubernetes + github_actions != 1:
        raise BadInput("choose one of --systemd, --kubernetes and --github-actions")
    if problems := reviewed(files, review):
        raise BadInput(problems)
    if systemd:
        sys.stdout.write(exported.systemd([str(file) for file in files]))
        return
    for file in files:
        loaded = load_schedule(file)
        text = (
            exported.kubernetes(loaded, image, str(file))
            if kubernetes
            else exported.github_actions(loaded, str(file), datetime.now(UTC))
        )
        sys.stdout.write(text)


def _plain(occurrence: RecordedOccurrence) -> dict[str, str | None]:
    return {
        "schedule": occurrence.schedule,
        "target": occurrence.target,
        "planned_utc": occurrence.planned_at.isoformat(),
        "due_utc": occurrence.due_at.isoformat(),
        "state": str(occurrence.state),
        "ended_utc": occurrence.ended_at.isoformat() if occurrence.ended_at else None,
        "run": occurrence.run,
        "verdict": occurrence.verdict,
        "detail": occurrence.detail,
    }


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"--metrics: '{text}' is not HOST:PORT, such as 127.0.0.1:9464")
    return host, int(port)
