"""Degraded spans and recovery: against the definition in loops, and in plain cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure import recovery
from seatrial.measure.degraded import DegradedSpans
from seatrial.measure.outages import Runs
from seatrial.measure.spacing import end_of
from seatrial.model.exactness import EXACT
from seatrial.model.requestlog import Bools, Floats, RequestLog

INTERVAL = 1 / 16
DEADLINE = 0.25


def log_of(goods: list[bool]) -> RequestLog:
    return oracle.log_of(
        [Row(i * INTERVAL, i * INTERVAL, i * INTERVAL + 0.01, ok=good) for i, good in enumerate(goods)]
    )


def spans_of(log: RequestLog, settle_s: float) -> DegradedSpans:
    good = log.good(DEADLINE)
    return DegradedSpans.of(log, good, Runs.of(log, good, DEADLINE), settle_s, DEADLINE)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 20))
def test_spans_are_those_of_the_definition(goods: list[bool], settle: int) -> None:
    log = log_of(goods)
    settle_s = settle * INTERVAL
    rows = [Row(i * INTERVAL, i * INTERVAL, i * INTERVAL + 0.01, ok=good) for i, good in enumerate(goods)]
    expected = oracle.degraded_spans(rows, DEADLINE, settle_s, end_of(log.intended))
    spans = spans_of(log, settle_s)
    assert list(zip(spans.start.tolist(), spans.end.tolist(), strict=True)) == expected
    assert spans.total_s(-1.0, 1e9) == pytest.approx(sum(end - start for start, end in expected))


def test_one_failure_in_a_hundred_is_steady_and_two_are_not() -> None:
    # 100 arrivals a settle time; the first good one after the outage is followed by one failure, or by two
    settle_s = 100 * INTERVAL
    once = [True] * 10 + [False] * 10 + [True] * 50 + [False] + [True] * 150
    twice = [True] * 10 + [False] * 10 + [True] * 50 + [False] + [True] * 10 + [False] + [True] * 150
    assert spans_of(log_of(once), settle_s).end[0] == 20 * INTERVAL
    assert spans_of(log_of(twice), settle_s).end[0] == 71 * INTERVAL


def test_flapping_is_one_span() -> None:
    goods = [True] * 10 + [False, False, True, True] * 10 + [True] * 40
    spans = spans_of(log_of(goods), 20 * INTERVAL)
    assert len(spans.start) == 1
    assert spans.end[0] - spans.start[0] == 38 * INTERVAL


def test_only_the_part_inside_a_window_counts() -> None:
    spans = DegradedSpans(np.array([1.0, 5.0]), np.array([2.0, 9.0]), np.zeros(2), np.zeros(2))
    assert spans.total_s(1.5, 6.0) == 1.5


def test_recovery_lies_between_the_last_failure_and_the_first_steady_answer() -> None:
    log = log_of([True] * 32 + [False] * 32 + [True] * 64)
    bounds = recovery(log, 2.0, DEADLINE, 1.0)
    assert bounds is not None
    assert bounds.lower_s == 31 * INTERVAL
    assert bounds.upper_s == pytest.approx(2.0 + 0.01)


def test_a_fault_that_nobody_saw_is_recovered_from_by_the_next_good_answer() -> None:
    bounds = recovery(log_of([True] * 64), 1.01, DEADLINE, 1.0)
    assert bounds is not None
    assert bounds.lower_s == 0
    assert bounds.upper_s == pytest.approx(17 * INTERVAL + 0.01 - 1.01)


def test_an_effect_that_comes_late_is_waited_for_until_the_next_step() -> None:
    log = log_of([True] * 48 + [False] * 16 + [True] * 64)
    late = recovery(log, 1.0, DEADLINE, 0.5)
    assert late is not None
    assert late.upper_s == pytest.approx(3.01)
    before_next_step = recovery(log, 1.0, DEADLINE, 0.5, until_s=2.0)
    assert before_next_step is not None
    assert before_next_step.upper_s < 0.1


@pytest.mark.parametrize("tail", [0, 8])
def test_a_service_not_seen_steady_for_the_settle_time_has_not_recovered(tail: int) -> None:
    bounds = recovery(log_of([True] * 16 + [False] * 16 + [True] * tail), 1.0, DEADLINE, 1.0)
    assert bounds is not None
    assert bounds.upper_s == math.inf
    assert bounds.lower_s == 15 * INTERVAL


def test_nothing_due_after_the_instant_means_nothing_can_be_said() -> None:
    assert recovery(log_of([True] * 16), 5.0, DEADLINE, 1.0) is None
    assert recovery(log_of([]), 0.0, DEADLINE, 1.0) is None


@given(
    st.integers(0, 2**32),
    st.integers(20, 200),
    st.sampled_from([0.0005, 0.002, 0.02]),
    st.sampled_from([0.2, 0.5, 1.0]),
    st.sampled_from([0.5, math.inf]),
)
def test_clocks_that_are_off_leave_the_recovery_inside(
    seed: int, count: int, off_s: float, settle_s: float, until_s: float
) -> None:
    chance = np.random.default_rng(seed)
    sent = np.sort(chance.uniform(0, 8, count))
    ended = sent + chance.exponential(chance.choice([0.001, 0.05]), count)
    down = np.sort(chance.uniform(1, 7, 2))
    ok = (chance.random(count) > chance.choice([0.0, 0.02])) & ~((sent > down[0]) & (sent < down[1]))
    clock = chance.uniform(-off_s, off_s, 3)[chance.integers(0, 3, count)]  # of three workers
    from_s = float(chance.uniform(0, 7))
    wanted = from_s, 0.5, settle_s, from_s + until_s
    known = recovery(made_of(sent, ended, ok), *wanted)
    seen = recovery(made_of(sent + clock, ended + clock, ok), *wanted, EXACT.off_by(off_s))
    if known is None:
        return  # what the log may have in front of `from_s` is no harm
    assert seen is not None
    assert seen.lower_s <= known.lower_s + 1e-9
    assert seen.upper_s >= known.upper_s - 1e-9


def made_of(sent: Floats, ended: Floats, ok: Bools) -> RequestLog:
    rows = zip(sent.tolist(), ended.tolist(), ok.tolist(), strict=True)
    return oracle.log_of([Row(at, at, end, ok=good) for at, end, good in rows])
