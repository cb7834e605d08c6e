"""What is said of a search claims no more than its trials have shown."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from seatrial.capacity.found import Found, Trial, answer, capacity_document, result_of
from seatrial.capacity.search import Outcome, Settings, Stop
from seatrial.model.verdict import Verdict
from seatrial.report.capacitypage import render_capacity
from seatrial.report.change import Change
from seatrial.report.comparison import compared
from seatrial.report.terminal import summary
from seatrial.report.verdictfile import read_verdict, verdict_document

HELD, BROKEN, GENERATOR, UNKNOWN = Outcome.HELD, Outcome.BROKEN, Outcome.GENERATOR, Outcome.UNKNOWN

WHY = {GENERATOR: "late: p99 90 ms", UNKNOWN: "home.py:7 KeyError"}


def found(*trials: tuple[float, Outcome], stop: Stop | None = Stop.FOUND) -> Found:
    """A search from 100/s on."""
    return Found(
        run="20261129T120000Z-shop-capacity",
        experiment="shop",
        title="<The shop>",
        target="staging",
        started_at="2026-11-29T12:00:00+00:00",
        objectives=("p95 <= 900ms", "errors <= 1%"),
        counts="arrivals",
        settings=Settings(100.0),
        trials=tuple(
            Trial(
                number, f"run-{number}", f"{number:02d}", f"{rate:g}/s", rate, outcome, WHY.get(outcome, ""),
                offered_per_s=rate, good_per_s=min(rate, 150.0), bad_share=max(0.0, 1 - 150 / rate),
                p50_ms=2.0, p95_ms=rate / 20, p99_ms=None, at_least_from_ms=2000.0, in_flight=rate / 400,
            )
            for number, (rate, outcome) in enumerate(trials, start=1)
        ),
        stop=stop,
    )  # fmt: skip


PAIR = ((100, HELD), (200, BROKEN), (141, HELD), (141, HELD), (200, BROKEN))


@pytest.mark.parametrize(
    ("search", "verdict", "says"),
    [
        (found(*PAIR), Verdict.PASS, "between 141/s (8,460/min), which held, and 200/s (12,000/min), which did not"),
        (found(*PAIR, stop=None), Verdict.UNKNOWN, "which did not: the search is not over"),
        (replace(found(*PAIR), interrupted=True), Verdict.UNKNOWN, "which did not"),
        (found((100, HELD), (100, HELD), stop=Stop.HIGHEST), Verdict.PASS,
         "at least 100/s (6,000/min): the highest rate that was to be tried"),
        (found((100, HELD), (100, HELD), (200, GENERATOR), (200, GENERATOR), stop=Stop.GENERATOR), Verdict.PASS,
         "at least 100/s (6,000/min): the load generator was the limit, at 200/s late: p99 90 ms"),
        (found((100, HELD), (100, HELD), stop=Stop.BUDGET), Verdict.PASS, "there was no time for more trials"),
        (found((100, BROKEN), (100, BROKEN), stop=Stop.BUDGET), Verdict.FAIL, "below 100/s (6,000/min): no rate"),
        (found((100, BROKEN), (100, BROKEN), (50, HELD), (50, HELD)), Verdict.FAIL, "between 50/s"),
        (found((100, HELD), stop=Stop.BUDGET), Verdict.UNKNOWN, "not known: no rate was decided"),
        (found((100, GENERATOR), (100, GENERATOR), stop=Stop.LOWEST), Verdict.UNKNOWN,
         "not known: no rate was decided: the load generator was the limit"),
        (found((100, UNKNOWN), (100, UNKNOWN), stop=Stop.UNDECIDED), Verdict.UNKNOWN,
         "not known: no rate was decided: what came of trials at 100/s is not known: home.py:7 KeyError"),
        (found(stop=None), Verdict.UNKNOWN, "not known: no rate was decided: the search is not over"),
        (replace(found(*PAIR, stop=Stop.LEFT_BEHIND), left_behind=("crash is NOT undone",)), Verdict.FAIL, "left something behind"),
    ],
)  # fmt: skip
def test_the_answer_and_the_verdict(search: Found, verdict: Verdict, says: str) -> None:
    assert says in answer(search)
    assert search.verdict is verdict
    result = result_of(search, {})
    assert result.verdict is verdict
    assert bool(result.reasons) == (verdict is not Verdict.PASS)
    again = read_verdict(json.dumps(verdict_document(result)), "verdict.json")
    assert again.objectives[0].lower == result.objectives[0].lower
    screen = Console(file=io.StringIO(), width=200)
    screen.print(summary(result))
    told = screen.file.getvalue()  # type: ignore[attr-defined]
    assert ("Capacity: " + answer(search)) in " ".join(told.split())
    assert "Nothing could be measured" not in told
    page = render_capacity(capacity_document(search, "runs/x"))
    assert "&lt;The shop&gt;" in page
    assert answer(search) in page.replace("&gt;", ">")


def test_as_a_run_the_interval_has_an_end_above_only_where_a_rate_was_broken() -> None:
    capacity = result_of(found(*PAIR), {}).objectives[0]
    assert (capacity.lower, capacity.upper, capacity.target) == (141, 200, 100)
    assert capacity.name == "capacity at p95 <= 900ms, errors <= 1%"
    (capacity,) = result_of(found((100, HELD), (100, HELD), stop=Stop.HIGHEST), {}).objectives
    assert (capacity.lower, capacity.upper) == (100, math.inf)
    (capacity,) = result_of(found((100, UNKNOWN), stop=Stop.BUDGET), {}).objectives
    assert (capacity.lower, capacity.upper) == (None, None)


def test_the_knee_is_drawn_with_each_trial_and_the_interval() -> None:
    page = render_capacity(capacity_document(found(*PAIR), "runs/x"))
    assert page.count("<polyline") == 3  # p50 and p95 of the latency, and good answers; no p99 was measured
    assert page.count('<circle class="tone') == 3 * len(PAIR)
    assert page.count('class="band"') == 2
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_no_line_leads_through_what_a_late_generator_measured() -> None:
    """Its trial has a point, hollow and dashed; at a rate that has no other the line has no corner."""
    whole = render_capacity(capacity_document(found(*PAIR), "runs/x"))
    late = render_capacity(capacity_document(found(*PAIR, (141, GENERATOR), (170, GENERATOR)), "runs/x"))
    assert re.findall(r"<polyline.*?>", late) == re.findall(r"<polyline.*?>", whole)
    assert late.count('<circle class="tone') == 3 * (len(PAIR) + 2)


def test_searches_are_compared_over_months_by_their_intervals() -> None:
    """A higher capacity is better, an overlap is no difference, and one promise is not held beside another."""
    before = found(*PAIR)
    lower = found((100, HELD), (100, HELD), (120, BROKEN), (120, BROKEN))
    (row,) = compared(result_of(before, {}), result_of(lower, {})).objectives
    assert row.change is Change.WORSE
    (row,) = compared(result_of(lower, {}), result_of(before, {})).objectives
    assert row.change is Change.BETTER
    (row,) = compared(result_of(before, {}), result_of(before, {})).objectives
    assert row.change is Change.ALIKE
    stricter = replace(before, objectives=("p95 <= 100ms", "errors <= 1%"))
    comparison = compared(result_of(before, {}), result_of(stricter, {}))
    assert comparison.verdict is Verdict.UNKNOWN
    assert len(comparison.objectives) == 2
