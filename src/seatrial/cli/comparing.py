"""`seatrial compare`: two runs, or one and all before it."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.examples import examples
from seatrial.cli.terminal import print_json, print_text, say
from seatrial.cli.terms import place_of
from seatrial.model.problems import BadInput


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        epilog=examples(
            "seatrial compare runs/before runs/after",
            "seatrial compare 20261101T023000Z-deploy latest:deploy --json",
            "seatrial compare --baseline",
            "seatrial compare --baseline latest:deploy",
        )
    )(compare)


def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN] [RUN]", help="Directories, ids, latest, or latest:EXPERIMENT."),
    ] = None,
    baseline: Annotated[
        bool,
        typer.Option("--baseline", help="Compare RUN (by default the latest) with all before it on record."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Hold two runs side by side: worse or better only where the intervals do not overlap.

    Exit code: 1 when something is worse, 2 when nothing could be compared, else 0.
    """
    named = runs or (["latest"] if baseline else [])
    if len(named) != (1 if baseline else 2):
        raise BadInput("name two runs, or one with --baseline")
    return _with_earlier(named[0], as_json) if baseline else _two(named[0], named[1], as_json)


def _two(first: str, second: str, as_json: bool) -> int:
    from seatrial.report.comparison import compared
    from seatrial.trials.lookup import run_named

    before, after = (run_named(name, place_of(name)) for name in (first, second))
    for run in (before, after):
        if run.note:
            say(f"note: {run.result.run}: {run.note}")
    found = compared(before.result, after.result, (before.conditions, after.conditions))
    return _tell(found, as_json)


def _with_earlier(name: str, as_json: bool) -> int:
    from seatrial.store import Store
    from seatrial.trials.baseline import against_earlier
    from seatrial.trials.lookup import run_named

    run = run_named(name, place_of(name))
    with Store.default() as store:
        baseline = against_earlier(store, run)
    if baseline.note:
        say(f"note: {baseline.note}; A is the last of them")
    return _tell(baseline.found, as_json)


def _tell(found: object, as_json: bool) -> int:
    from seatrial.report.comparison import (
        AgainstBaseline,
        Comparison,
        against_baseline,
        baseline_document,
        compare,
        comparison_document,
    )

    if isinstance(found, Comparison):
        print_json(comparison_document(found)) if as_json else print_text(compare(found))
        return found.verdict.exit_code
    assert isinstance(found, AgainstBaseline)
    print_json(baseline_document(found)) if as_json else print_text(against_baseline(found))
    return found.verdict.exit_code
