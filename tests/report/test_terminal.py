import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from seatrial.model.result import CheckResult, Failover, Phase, StepRecord
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, summary, to_do

Make = Callable[[str], Dossier]
KINDS = ["pass", "fail", "unknown", "none", "many", "empty"]


def shown(dossier: Dossier, width: int, report: str = "") -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(summary(dossier.result, report))
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_it_fits_any_terminal(kind: str, width: int, make: Make) -> None:
    assert all(len(line) <= width for line in shown(make(kind), width).splitlines())


@pytest.mark.parametrize(
    ("kind", "first"),
    [("pass", "✓ PASS"), ("fail", "✗ FAIL"), ("unknown", "? UNKNOWN"), ("empty", "? UNKNOWN")],
)
def test_the_first_line_is_the_verdict(kind: str, first: str, make: Make) -> None:
    assert shown(make(kind), 100).lstrip().startswith(first)


def test_a_check_is_shown_with_its_figures(make: Make) -> None:
    check = CheckResult("convergence", Verdict.PASS, "replicas equal", {"lost": 0.0, "agreed_after_s": 0.05})
    dossier = make("pass")
    text = shown(replace(dossier, result=replace(dossier.result, checks=(check,))), 140)
    assert "lost 0 · agreed after 50.0 ms" in text


def test_a_failover_has_a_line(make: Make) -> None:
    failover = Failover("crash", (Phase("detect", 20.0, 20.58, "db-1"),))
    dossier = make("pass")
    text = shown(replace(dossier, result=replace(dossier.result, failovers=(failover,))), 140)
    assert "failover   crash: detect 580 ms" in text


def test_each_objective_stands_on_one_line_with_its_bounds(make: Make) -> None:
    lines = shown(make("pass"), 80).splitlines()
    line = next(line for line in lines if line.startswith("downtime after rollback"))
    assert "≤ 5 s" in line
    assert "[1.19, 1.21] s" in line
    assert "✓ pass" in line


def test_reasons_and_the_report_are_named(make: Make) -> None:
    text = shown(make("unknown"), 120, "runs/x/report.html")
    assert "• audit-chain: the check crashed" in text
    assert "runs/x/report.html" in text
    assert "6,667" not in text
    assert "0 dropped" in text


def test_markup_in_evidence_is_only_text(make: Make) -> None:
    dossier = make("fail")
    result = replace(dossier.result, title="[red]boo[/red]", reasons=("[link=x]y[/link]", "[/]"))
    text = shown(replace(dossier, result=result), 100)
    assert "[red]boo[/red]" in text
    assert "[link=x]y[/link]" in text


def test_a_fault_that_is_not_verified_is_loud(make: Make) -> None:
    dossier = make("pass")
    steps = tuple(replace(step, verified=False) for step in dossier.result.steps)
    assert "NOT well" in shown(replace(dossier, result=replace(dossier.result, steps=steps)), 120)


def test_what_a_person_has_to_do_now_stands_in_the_last_lines_the_last_injected_first(make: Make) -> None:
    dossier = make("fail")
    first, second = (
        StepRecord(
            *(name, kind, does, "cache", at_s, at_s, at_s),
            undo=UndoOutcome.FAILED,
            error="sh failed with 3",
            by_hand=f"mend {name}",
        )
        for name, kind, does, at_s in (
            ("boom", "fault", "command.run", 5.0),
            ("back", "action", "release.stop", 9.0),
        )
    )
    assert list(to_do(replace(dossier.result, steps=(first, second)))) == [
        "back (release.stop on cache) is left behind, NOT put back: sh failed with 3",
        "by hand    mend back",
        "boom (command.run on cache) is left behind, NOT undone: sh failed with 3",
        "by hand    mend boom",
        "then       seatrial recover",
    ]


@pytest.mark.parametrize(
    ("kind", "undo", "told"),
    [
        ("fault", UndoOutcome.VERIFIED, "9.000 s, undone, verified"),
        ("fault", UndoOutcome.UNVERIFIED, "9.000 s, undone, not verified"),
        ("action", UndoOutcome.VERIFIED, "9.000 s, put back, verified"),
        ("action", UndoOutcome.UNVERIFIED, "9.000 s, put back, not verified"),
        ("fault", UndoOutcome.NOT_INJECTED, "nothing to undo"),
    ],
)
def test_what_is_undone_says_how_that_is_known(kind: str, undo: UndoOutcome, told: str, make: Make) -> None:
    dossier = make("pass")
    step = StepRecord("boom", kind, "command.run", "cache", 5.0, 5.0, 5.0, undone_s=9.0, undo=undo)
    result = replace(dossier.result, steps=(step,))
    assert told in shown(replace(dossier, result=result), 140)
    assert list(to_do(result)) == []


def test_many_reasons_do_not_push_the_table_off_the_screen(make: Make) -> None:
    dossier = make("fail")
    result = replace(dossier.result, reasons=tuple(f"reason {i}" for i in range(50)))
    assert "and 42 more reasons in the report" in shown(replace(dossier, result=result), 100)
