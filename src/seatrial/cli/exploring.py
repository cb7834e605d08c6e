"""`seatrial explore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.running import JsonOption, NoTestbedOption, OutOption, TargetOption
from seatrial.cli.terminal import out, print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

    from seatrial.explore.record import Finding
    from seatrial.explore.space import Space
    from seatrial.trials.exploration import Outlook
    from seatrial.trials.exploration_account import Done
    from seatrial.trials.fault_choices import LeftOut


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        epilog=examples(
            "seatrial explore --target chaos/target.yaml --objectives chaos/load.yaml --dry-run",
            "seatrial explore --target chaos/target.yaml --objectives chaos/load.yaml --budget 20m --seed 1",
            "seatrial explore --budget 1h --json",
        )
    )(explore)


def explore(
    target: TargetOption = "",
    budget: Annotated[str, typer.Option(metavar="D", help="How long, shrinking included.")] = "20m",
    seed: Annotated[int, typer.Option(help="Which schedules; the same seed goes on where it ended.")] = 1,
    objectives: Annotated[
        str,
        typer.Option(metavar="FILE", help="An experiment: its load and promises; by default the testbed's."),
    ] = "",
    repeats: Annotated[
        int, typer.Option(min=1, max=50, help="How often a failure is repeated before it is believed.")
    ] = 4,
    most: Annotated[int, typer.Option(min=1, max=3, help="The most faults in one run.")] = 3,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Faults or roles that are not chosen, such as process.slow."),
    ] = None,
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what could be tried and what was; start nothing.")
    ] = False,
    first: Annotated[bool, typer.Option("--first", help="End with the first weakness, once shrunk.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Put aside what was tried before.")] = False,
    no_testbed: NoTestbedOption = False,
) -> int:
    """Search for weaknesses: random legal faults together, judged, repeated, shrunk, written as experiments.

    What was tried is kept for each target, and is shown. Production is never explored. Exit code: 1 while a
    weakness stands, 2 when nothing was proven.
    """
    from seatrial.cli.terms import seconds_of
    from seatrial.trials.objectives import OBJECTIVES, ExploreRequest

    request = ExploreRequest(
        target=target,
        objectives=objectives or OBJECTIVES,
        budget_s=seconds_of("--budget", budget, positive=True),
        seed=seed,
        repeats=repeats,
        most=most,
        without=tuple(without or ()),
        no_testbed=no_testbed and not dry_run,
        anew=anew,
        first=first,
        evidence=out_dir,
    )
    if dry_run:
        from seatrial.trials.exploration import outlook

        _show_outlook(outlook(request), as_json=as_json)
        return 0
    from seatrial.cli.attended import AtTerminal
    from seatrial.trials.exploration import explore as explored
    from seatrial.trials.exploration_account import account_of

    done = explored(request, AtTerminal())
    _show(done)
    if as_json:
        print_json(account_of(done))
    return int(done.exit_code)


def _show(done: Done) -> None:
    """An exploration on one screen: what was found first, then how far it came."""
    from seatrial.explore.coverage import Coverage
    from seatrial.explore.record import Standing
    from seatrial.explore.writing import told
    from seatrial.model.figures import span

    exploration, runs = done.exploration, done.runs
    for weakness in done.weaknesses:
        plainest, *others = weakness.witnesses
        _say_finding("weakness", plainest, exploration.space)
        for other in others:
            again = other.schedule if other.schedule != plainest.schedule else other.origin
            say(f"  seen as well as: {told(again, exploration.space)}; {_how_often(other)}")
        for each in weakness.witnesses:
            if file := done.files.get(each.schedule):
                say(f"  run it: seatrial run {file}")
    for standing, word in ((Standing.FLAKE, "flake"), (Standing.MENDED, "mended")):
        for each in (one for one in exploration.found if one.standing is standing):
            _say_finding(word, each, exploration.space)
    for each in done.undecided:
        _say_finding("undecided", each, exploration.space)
    for each in exploration.unseen:
        _say_finding("not looked at again", each, exploration.space)
    counts = f"{runs['pass']} passed, {runs['fail']} failed, {runs['unknown']} unknown, which prove nothing"
    say(f"explored  {runs['total']} runs in {span(done.took_s)}: {counts}")
    say(f"coverage  {_shares(exploration.space, Coverage.of(exploration.record.trials))}")
    _say_left_out(done.left_out)
    say(f"ended     {_ENDS.get(done.end.value if done.end else '', '')}")
    say(f"evidence  {done.directory}")


_ENDS = {
    "time": "the budget is over; the same seed goes on from here",
    "found": "a weakness was found, and one was asked for",
    "exhausted": "no combination is left that does not hold a known weakness",
    "control-failed": "the load alone, without a fault, broke a promise; mend that first",
    "control-unknown": "the load alone proved nothing, so nothing else would; its report says why",
    "left-behind": "a fault is not known to be undone; run: seatrial recover",
    "interrupted": "interrupted; the same seed goes on from here",
}


def _say_finding(word: str, finding: Finding, space: Space) -> None:
    from seatrial.explore.writing import told

    broke = ", ".join(sorted(finding.violated)) or "a promise"
    say(f"{word}: {told(finding.schedule, space)}")
    if word != "mended":
        say(f"  broke {broke}; {_how_often(finding)}")


def _how_often(finding: Finding) -> str:
    from seatrial.explore.coverage import interval

    low, high = interval(finding.failed, finding.of)
    return (
        f"failed {finding.failed} of {finding.of} repetitions, probability in [{low:.2f}, {high:.2f}];"
        f" {finding.runs} runs{'' if finding.complete else '; not shrunk to the end'}"
    )


def _shares(space: Space, coverage: object) -> str:
    from seatrial.explore.coverage import Coverage

    assert isinstance(coverage, Coverage)
    shares = coverage.share(space).items()
    return ", ".join(f"{name} {tried} of {of}" for name, (tried, of) in shares)


def _say_left_out(left_out: Iterable[LeftOut]) -> None:
    for each in left_out:
        say(f"not here  {each.what}: {each.why}")


def _show_outlook(ahead: Outlook, *, as_json: bool) -> None:
    from seatrial.explore.coverage import Coverage
    from seatrial.explore.writing import told
    from seatrial.trials.exploration_account import coverage_of

    coverage = Coverage.of(ahead.record.trials)
    if as_json:
        print_json(
            {
                "coverage": coverage_of(ahead.space, coverage),
                "next": [told(schedule, ahead.space) for schedule in ahead.next],
                "not_here": [{"what": each.what, "why": each.why} for each in ahead.left_out],
            }
        )
        return
    out.print(_choices(ahead.space, coverage.faults))
    _line("coverage", _shares(ahead.space, coverage))
    for each in ahead.left_out:
        _line("not here", f"{each.what}: {each.why}")
    for schedule in ahead.next:
        _line("next", told(schedule, ahead.space))
    _line("each run", f"about {ahead.asked.length_s:g} s; faults come within {16 * ahead.space.slot_s:g} s")
    if not ahead.looked:
        _line("note", "the target is not there to be looked at: seatrial testbed up, and ask again")


def _choices(space: Space, tried: Mapping[str, int]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("can be tried", overflow="fold")
    table.add_column("tried", justify="right")
    for key in space.keys:
        table.add_row(key, str(tried[key]))
    return table


def _line(name: str, text: str) -> None:
    out.print(f"{name:<10} {text}", markup=False, soft_wrap=True)
