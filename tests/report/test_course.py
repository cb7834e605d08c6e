"""Slow decay is told, noise is not; the campaign with its figures is tests/bench/bench_trend.py."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.bench.bench_trend import World
from tests.support.results import result

from seatrial.model.verdict import Verdict
from seatrial.report.change import Change
from seatrial.report.comparison import AgainstBaseline, against_baseline, baseline_document
from seatrial.report.course import Course, Point, courses

START = datetime(2024, 1, 1, tzinfo=UTC)
QUICK = 499


def points(*ends: tuple[float, float]) -> list[Point]:
    return [
        Point(f"r{number}", START + timedelta(days=30 * number), lower, upper)
        for number, (lower, upper) in enumerate(ends)
    ]


def course(some: list[Point], unit: str = "ms") -> Course:
    (found,) = courses({"latency p95": (unit, some)}, resamples=QUICK)
    return found


def test_slow_decay_is_told_with_its_slope() -> None:
    rising = [(10.0 + number, 10.5 + number) for number in range(12)]
    found = course(points(*rising))
    assert (found.change, found.how) == (Change.WORSE, "trend")
    assert found.slope_lower is not None
    assert found.slope_lower <= 30.4375 / 30 <= (found.slope_upper or 0) + 1e-9
    assert course(points(*reversed(rising))).change is Change.BETTER
    assert course(points(*rising), "per_s").change is Change.BETTER


def test_the_same_decay_within_what_the_measurement_can_tell_is_none() -> None:
    found = course(points(*((10.0 + number, 30.0 + number) for number in range(12))))
    assert (found.change, found.chance) == (Change.ALIKE, 1.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_chance_of_a_trend_is_the_share_of_all_orders_that_rise_or_fall_as_much(
    ends: list[tuple[int, int]],
) -> None:
    """Counted here pair by pair, order by order, as the definition says."""
    some = [(float(lower), float(lower + width)) for lower, width in ends]

    def rising(order: Sequence[tuple[float, float]]) -> int:
        return sum((b[0] > a[1]) - (b[1] < a[0]) for a, b in itertools.combinations(order, 2))

    as_much = [abs(rising(order)) >= abs(rising(some)) for order in itertools.permutations(some)]
    (found,) = courses({"latency p95": ("ms", points(*some))})
    assert found.chance == pytest.approx(fmean(as_much))


def test_a_jump_of_the_newest_run_is_told_alone() -> None:
    quiet = [(10.0, 10.4), (10.2, 10.6), (9.9, 10.3), (10.1, 10.5), (10.0, 10.4), (10.3, 10.7)]
    found = course(points(*quiet, (40.0, 41.0)))
    assert (found.change, found.how) == (Change.WORSE, "jump")
    assert course(points(*quiet, (10.9, 11.0))).change is Change.ALIKE
    assert course(points(*quiet, (40.0, math.inf))).change is Change.WORSE


def test_what_never_varied_tells_nothing_of_its_noise() -> None:
    assert course(points(*[(0.0, 0.0)] * 6, (0.001, 0.001))).change is Change.ALIKE


def test_the_rate_is_shared_by_all_objectives() -> None:
    some = points(*((10.0 + number, 10.5 + number) for number in range(6)))
    assert courses({"a": ("ms", some)})[0].change is Change.WORSE
    many = courses({str(number): ("ms", some) for number in range(8)})
    assert {each.change for each in many} == {Change.ALIKE}


def test_too_few_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        course(points(*[(1.0, 2.0)] * 5))


ENDS = st.tuples(st.floats(0.1, 1e6), st.floats(0, 1e6)).map(lambda ends: (ends[0], ends[0] + ends[1]))


@settings(max_examples=25, deadline=None)
@given(st.lists(ENDS, min_size=6, max_size=9))
def test_the_course_backwards_is_never_told_the_same_way(ends: list[tuple[float, float]]) -> None:
    there, back = course(points(*ends)), course(points(*reversed(ends)))
    trends = [each.change for each in (there, back) if each.how == "trend"]
    assert len(set(trends)) == len(trends)


def test_a_short_campaign_keeps_the_stated_rate_and_sees_decay() -> None:
    """1,000 histories of each world: tests/bench/bench_trend.py."""
    quiet = World("normal", 12).called(150, resamples=QUICK)
    assert quiet[Change.ALIKE] >= 0.97
    decaying = World("normal", 24, drift=8.0).called(40, resamples=QUICK)
    assert decaying[Change.WORSE] >= 0.9
    assert World("normal", 24, width=16.0, drift=4.0).called(40, resamples=QUICK)[Change.ALIKE] == 1.0


def test_a_person_reads_the_span_the_slope_and_the_rate_of_false_alarms() -> None:
    found = course(points(*((10.0 + number, 10.5 + number) for number in range(12))))
    told = AgainstBaseline(result(), (found,), ("errors",), left_out=3)
    assert told.verdict is Verdict.FAIL
    out = io.StringIO()
    Console(file=out, width=160).print(against_baseline(told))
    text = out.getvalue()
    for word in ("[10.0, 20.5] ms", "[21.0, 21.5] ms", "worse: since 2024-01", "1% of such comparisons",
                 "errors: measured by too few", "3 earlier runs"):  # fmt: skip
        assert word in text
    (objective,) = baseline_document(told)["objectives"]
    assert (objective["change"], len(objective["runs"])) == ("worse", 12)
