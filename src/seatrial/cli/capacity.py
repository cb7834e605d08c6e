"""`seatrial capacity`: the highest rate at which a promise holds, as an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatrial.cli.examples import examples
from seatrial.cli.running import (
    ConfirmOption,
    ExperimentFile,
    JsonOption,
    NoTestbedOption,
    OutOption,
    TargetOption,
)
from seatrial.cli.sharing import NOT_SAID, Sharing, with_workers
from seatrial.cli.terminal import print_json, say

if TYPE_CHECKING:
    from seatrial.capacity.found import Trial
    from seatrial.model.experiment import Objectives
    from seatrial.model.offeredrate import OfferedRate
    from seatrial.model.problems import Problems

_MOST_REPEATS = 15
_NARROWEST = 0.01


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        epilog=examples(
            "seatrial capacity chaos/load.yaml --objective 'p95 < 900ms' --from 1000/min",
            "seatrial capacity chaos/load.yaml --from 1000/min --to 60000/min --budget 20m --json",
            "seatrial capacity chaos/load.yaml --objective 'p95 < 900ms' --from 60000/min --workers 2",
        )
    )(with_workers(capacity))


def capacity(
    experiment: ExperimentFile,
    first: Annotated[
        str,
        typer.Option("--from", metavar="R", help="The first rate that is tried, which is to hold: 1000/min."),
    ],
    objective: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            metavar="LIMIT",
            help="What must hold: 'p95 < 900ms', 'errors < 1%'; may be repeated. By default what the "
            "experiment promises. Where no share of errors is promised, 1% may be bad.",
        ),
    ] = None,
    target: TargetOption = "",
    to: Annotated[str, typer.Option("--to", metavar="R", help="The highest rate that is tried.")] = "",
    budget: Annotated[
        str, typer.Option("--budget", metavar="T", help="No trial is begun that would end later than this.")
    ] = "",
    trial: Annotated[
        str,
        typer.Option(
            "--trial", metavar="T", help="How long each trial is measured, in place of the duration."
        ),
    ] = "",
    cool_down: Annotated[
        str, typer.Option("--cool-down", metavar="T", help="How long nothing is offered between two trials.")
    ] = "2s",
    within: Annotated[
        str, typer.Option("--within", metavar="SHARE", help="How wide the interval may be.")
    ] = "10%",
    repeats: Annotated[
        int,
        typer.Option(
            "--repeats", min=1, max=_MOST_REPEATS, help="Each end rests on the majority of so many trials."
        ),
    ] = 3,
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    confirm: ConfirmOption = "",
    no_testbed: NoTestbedOption = False,
    sharing: Sharing = NOT_SAID,
) -> int:
    """Find the highest rate that holds, between one that held and one that did not.

    Exit code: 0 when the first rate holds, 1 when it is proven not to, 2 when neither is known.
    """
    from seatrial.capacity.found import capacity_document
    from seatrial.cli.attended import AtTerminal
    from seatrial.model.problems import Interrupted, Problems
    from seatrial.trials.capacity import PAGE, CapacityRequest, find_capacity
    from seatrial.trials.request import TrialRequest

    problems = Problems()
    request = CapacityRequest(
        trial=TrialRequest(
            experiment,
            target=target,
            confirm=confirm,
            no_testbed=no_testbed,
            evidence=out_dir,
            workers=sharing.read(problems),
        ),
        **_asked(
            first,
            to,
            objective or [],
            within,
            repeats,
            {"budget": budget, "trial": trial, "cool-down": cool_down},
            problems,
        ),
    )
    done = find_capacity(request, AtTerminal(), tell=_tell)
    document = capacity_document(done.found, str(done.evidence.directory))
    say(f"\ncapacity: {document['answer']}")
    for line in done.pending:
        say(line)
    say(f"report: {done.evidence.path(PAGE)}")
    if as_json:
        print_json(document)
    return Interrupted.exit_code if done.result.interrupted else done.result.verdict.exit_code


def _asked(
    first: str,
    to: str,
    objective: Sequence[str],
    within: str,
    repeats: int,
    lengths: Mapping[str, str],
    problems: Problems,
) -> dict[str, Any]:
    """What the options say, as `CapacityRequest` wants it. Raises BadInput with all that is wrong."""
    from seatrial.capacity.search import Settings
    from seatrial.cli.terms import offered_rate_of, seconds_of
    from seatrial.model.quantities import Duration

    rates: dict[str, OfferedRate] = {}
    for option, text in (("--from", first), ("--to", to)):
        with problems.collected():
            if text:
                rates[option] = offered_rate_of(option, text)
    seconds: dict[str, float] = {}
    for option, text in lengths.items():
        with problems.collected():
            if text:
                seconds[option] = seconds_of(f"--{option}", text, positive=option != "cool-down")
    with problems.collected():
        promised = _objectives(objective)
    with problems.collected():
        width = _width(within)
    problems.tell()
    search = Settings(rates["--from"].rate.per_second, width=width, repeats=repeats)
    if "--to" in rates:
        search = replace(search, to_per_s=_highest(rates["--from"], rates["--to"]))
    return {
        "first": rates["--from"],
        "search": search,
        "objectives": promised,
        "duration": Duration(seconds["trial"]) if "trial" in seconds else None,
        "cool_down_s": seconds.get("cool-down", 0.0),
        "budget_s": seconds.get("budget"),
    }


def _highest(first: OfferedRate, highest: OfferedRate) -> float:
    """The highest rate that is to be tried, a second. Raises BadInput."""
    from seatrial.model.problems import BadInput

    if highest.counts != first.counts:
        raise BadInput(f"--to: counts {highest.counts}, and --from {first.counts}")
    if highest.rate.per_second < first.rate.per_second:
        raise BadInput(f"--to: {highest} is below {first}, where --from begins")
    return highest.rate.per_second


def _objectives(texts: Sequence[str]) -> Objectives:
    """What `--objective` promises. Raises BadInput."""
    from seatrial.capacity.objective import objectives_of
    from seatrial.model.problems import BadInput

    try:
        return objectives_of(texts)
    except ValueError as error:
        raise BadInput(f"--objective: {error}") from error


def _width(text: str) -> float:
    """How wide the interval may be, as a share. Raises BadInput."""
    from seatrial.model.problems import BadInput
    from seatrial.model.quantities import Ratio

    try:
        width = Ratio.parse(text).fraction
    except ValueError as error:
        raise BadInput(f"--within: {error}") from error
    if width < _NARROWEST:
        raise BadInput(f"--within: {text} is narrower than trials can tell apart; at least {_NARROWEST:.0%}")
    return width


def _tell(trial: Trial) -> None:
    """A line for each trial as it ends."""
    from seatrial.model.figures import latency, rate, share

    told = f"p95 {latency(trial.p95_ms, None, trial.at_least_from_ms)}, good {rate(trial.good_per_s)}"
    bad = "" if trial.bad_share is None else f", {share(trial.bad_share)} bad"
    why = f"  {trial.why}" if trial.why else ""
    say(f"{trial.number:>3}  {trial.rate:<14} {trial.outcome:<9} {told}{bad}{why}")
