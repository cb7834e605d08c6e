"""`seatrial cost watch`: whether a bill is as it was, and somebody told where it is not."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import out, print_json, say
from seatrial.cli.terms import place_of, seconds_of
from seatrial.model.problems import BadInput

if TYPE_CHECKING:
    from seatrial.cost.watch import Watched
    from seatrial.model.experiment import Severity
    from seatrial.trials.costs import CostWatch

commands = typer.Typer(help="What a service costs, and whether it is as it was.", no_args_is_help=True)

_NAME_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-_."


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(commands, name="cost")


@commands.command(
    epilog=examples(
        "seatrial cost watch bill.csv",
        "seatrial cost watch --focus export.csv.gz --json",
        "seatrial cost watch --focus hourly.csv.gz --hours --every 1h",
        "seatrial cost watch --focus export.csv --column EffectiveCost --until 2026-10-31 --quiet",
        "seatrial cost watch --promql 'sum(increase(cost_eur[1d]))' --target shop.yaml --every 6h",
    )
)
def watch(
    series: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SERIES.csv]", parser=place_of, help="A CSV of day,cost; by the hour: 2026-10-01T14:00Z."
        ),
    ] = None,
    focus: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=place_of, help="A billing export in FOCUS (CSV).")
    ] = None,
    column: Annotated[str, typer.Option(help="Which cost of a FOCUS export.")] = "BilledCost",
    promql: Annotated[
        str, typer.Option(metavar="EXPR", help="What a day cost, asked at its end of a Prometheus server.")
    ] = "",
    target: Annotated[str, typer.Option(metavar="FILE", help="The target that has that server.")] = "",
    on: Annotated[str, typer.Option(metavar="ROLE", help="Its role there.")] = "metrics",
    name: Annotated[str, typer.Option(help="What the series is called; by default as its file is.")] = "",
    until: Annotated[
        str, typer.Option(metavar="DAY", help="The last day that is due; by default two days ago.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=60, help="How many of the latest are judged.")] = 7,
    hours: Annotated[
        bool, typer.Option("--hours", help="Judge hours as well, of a bill that has them.")
    ] = False,
    severity: Annotated[str, typer.Option(help="How loud an anomaly is.")] = "error",
    quiet: Annotated[bool, typer.Option("--quiet", help="Tell nobody else.")] = False,
    every: Annotated[str, typer.Option(metavar="DURATION", help="Look again and again, until Ctrl-C.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, for each look.")
    ] = False,
) -> int:
    """Judge the latest days of a bill by those before them, and tell whom incidents go to.

    With --hours, the hours of a bill by the hour are judged too, by the four to nine weeks before them and
    until the newest but one: what is dear is found within hours. That has false alarms of its own beside
    those of days. Where too few hours are known, days alone are judged, and that is told.

    Exit code: 0 all is as it was, 1 an anomaly, 2 days are missing or it cannot be told.
    """
    from seatrial.incidents.event import SEVERITIES

    loud = next((each for each in SEVERITIES if each == severity), None)
    if loud is None:
        raise BadInput(f"--severity: '{severity}' is not one of {', '.join(SEVERITIES)}")
    every_s = seconds_of("--every", every, positive=True) if every else None
    watched = replace(_watch(series, focus, column, (promql, target, on), name, until, days), hours=hours)
    found = watched.look(datetime.now(UTC).date())
    _tell(watched, found, None if quiet else loud, as_json)
    while every_s is not None:
        found = _again(watched, every_s)
        _tell(watched, found, None if quiet else loud, as_json)
    return found.verdict.exit_code


def _watch(
    series: Path | None,
    focus: Path | None,
    column: str,
    asked: tuple[str, str, str],
    name: str,
    until: str,
    days: int,
) -> CostWatch:
    from seatrial.cost.billing import COSTS, read_bill
    from seatrial.trials.costs import CostWatch, by_promql, day_of

    promql, target, on = asked
    if sum(map(bool, (series, focus, promql))) != 1:
        raise BadInput("name one source of costs: a CSV, --focus FILE, or --promql EXPR")
    if bool(promql) != bool(target):
        raise BadInput("--promql EXPR and --target FILE belong together")
    if column not in COSTS:
        raise BadInput(f"--column: '{column}' is not one of {', '.join(COSTS)}")
    last = day_of("--until", until) if until else None
    if promql:
        whose, bill = by_promql(target, on, promql)
        return CostWatch(_named(name or "promql"), whose, bill, last, days)
    file = focus or series
    assert file is not None
    stem = file.name.partition(".")[0]
    return CostWatch(
        _named(name or stem),
        "billing",
        lambda _: read_bill(file, focus=focus is not None, column=column),
        last,
        days,
    )


def _named(name: str) -> str:
    """A name as incidents are called by: what does not belong there is a dash."""
    return "".join(sign if sign in _NAME_SIGNS else "-" for sign in name.lower())[:80] or "bill"


def _again(watched: CostWatch, every_s: float) -> Watched:
    """The next look. Of a bill that cannot be read any more nothing is known; the watch goes on."""
    import threading

    from seatrial.cost.watch import due_on
    from seatrial.trials.costs import unreadable

    threading.Event().wait(every_s)
    today = datetime.now(UTC).date()
    try:
        return watched.look(today)
    except BadInput as error:
        return unreadable(watched.until or due_on(today), error)


def _tell(watched: CostWatch, found: Watched, severity: Severity | None, as_json: bool) -> None:
    from seatrial.cost.watch import document

    if as_json:
        print_json(document(watched.series, found))
    else:
        _show(watched, found)
    if severity is not None:
        _tell_others(watched, found, severity)


def _show(watched: CostWatch, found: Watched) -> None:
    latest = f"{found.judged} days until {found.due}" if found.judged else f"until {found.due}"
    if found.hours_until is not None:
        latest += f", {found.hours} hours until {found.hours_until:%Y-%m-%d %H:%M} UTC"
    out.print(f"{found.verdict.value}  costs of {watched.series}, {latest}", markup=False, soft_wrap=True)
    for sentence in found.sentences or ("as expected",):
        out.print(f"  {sentence}", markup=False, soft_wrap=True)
    for remark in found.series.remarks:
        say(f"note: {remark}")


def _tell_others(watched: CostWatch, found: Watched, severity: Severity) -> None:
    """That nobody else could be told takes nothing from what was found."""
    from seatrial.incidents import IncidentSettings
    from seatrial.model.problems import Unavailable
    from seatrial.store import Store
    from seatrial.trials.costs import tell

    command = shlex.join(["seatrial", *sys.argv[1:]])
    try:
        settings = IncidentSettings.from_environment()
        with Store.default() as store:
            told = tell(watched, found, store, settings, severity, command)
    except Unavailable as error:
        say(f"nobody else was told: {error}")
        return
    for sink, how in settings.off().items() if told else ():
        if not sink.startswith("pagerduty-"):
            say(f"{sink} is off ({how}); to see what it would be sent: seatrial incidents list --dry-run")
