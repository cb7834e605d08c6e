"""Percentiles from the intended start, with nothing omitted that would flatter them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure.latency import latency
from seatrial.model.ownfailure import KILLED


def test_latency_counts_from_the_instant_at_which_a_request_was_due() -> None:
    found = latency(oracle.log_of([Row(0.0, 0.4, 0.5, ok=True)]), 2.0)
    assert found is not None
    assert found.max_ms == pytest.approx(500)


def test_a_request_that_was_never_answered_counts_as_its_deadline() -> None:
    found = latency(oracle.log_of([Row(0, 0, 0.001, ok=True)] * 80 + [Row(0, 0, None, ok=False)] * 20), 2.0)
    assert found is not None
    assert found.p50_ms == pytest.approx(1)
    assert found.p90_ms == found.max_ms == pytest.approx(2000)


def test_a_percentile_among_what_was_never_answered_is_a_lower_bound() -> None:
    rows = (
        [Row(0, 0, 0.001, ok=True)] * 80 + [Row(0, 0, 3.0, ok=True)] * 10 + [Row(0, 0, None, ok=False)] * 10
    )
    found = latency(oracle.log_of(rows), 2.0)
    assert found is not None
    assert found.at_least_from_ms == 2000
    assert (found.p50_ms, found.p90_ms, found.p99_ms) == pytest.approx((1, 2000, 3000))
    answered = latency(oracle.log_of(rows[:90]), 2.0)
    assert answered is not None
    assert answered.at_least_from_ms is None


@pytest.mark.parametrize(
    ("answers", "carried"), [(1, 0), (2, 1), (9, 1), (10, 2), (19, 2), (20, 3), (99, 3), (100, 4)]
)
def test_few_answers_carry_few_percentiles_and_always_a_maximum(answers: int, carried: int) -> None:
    found = latency(oracle.log_of([Row(0, 0, 0.5, ok=True)] * answers), 2.0)
    assert found is not None
    shown = [found.p50_ms, found.p90_ms, found.p95_ms, found.p99_ms]
    assert [value is not None for value in shown] == [True] * carried + [False] * (4 - carried)
    assert (found.max_ms, found.answers) == (500, answers)


def test_a_failure_that_came_quickly_is_no_latency_and_one_that_took_its_deadline_is() -> None:
    rows = [Row(0, 0, 1.0, ok=True), Row(0, 0, 0.001, ok=False), Row(0, 0, 2.5, ok=False)]
    found = latency(oracle.log_of(rows), 2.0)
    assert found is not None
    assert found.p50_ms == pytest.approx(1000)
    assert found.max_ms == pytest.approx(2500)


def test_what_the_generator_gave_up_on_took_nobody_knows_how_long() -> None:
    rows = [*([Row(0, 0, 0.001, ok=True)] * 80), *([Row(0, 0, None, ok=False, error=KILLED)] * 20)]
    found = latency(oracle.log_of(rows), 2.0)
    assert found is not None
    assert (found.answers, found.max_ms, found.at_least_from_ms) == (80, 1, None)


@pytest.mark.parametrize("rows", [[], [Row(0, None, None, ok=False)], [Row(0, 0, 0.1, ok=False)]])
def test_without_an_answer_there_is_no_latency(rows: list[Row]) -> None:
    assert latency(oracle.log_of(rows), 2.0) is None


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=300))
def test_percentiles_are_nearest_ranks(microseconds: list[int]) -> None:
    rows = [Row(0.0, 0.0, value / 1e6, ok=True) for value in microseconds]
    found = latency(oracle.log_of(rows), 10.0)
    assert found is not None
    ordered = sorted(value / 1000 for value in microseconds)
    shares = ((50, found.p50_ms), (90, found.p90_ms), (95, found.p95_ms), (99, found.p99_ms))
    for percent, value in shares:
        if len(ordered) * (100 - percent) < 100:
            assert value is None
            continue
        rank = -(-percent * len(ordered) // 100)  # the smallest value with at least so many at or below it
        assert value == pytest.approx(ordered[rank - 1])
    assert found.max_ms == pytest.approx(ordered[-1])


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=300), st.sampled_from([0.001, 0.1, 1.0]))
def test_lengths_that_are_cut_leave_each_percentile_within_what_they_are_off(
    took: list[float], resolution_s: float
) -> None:
    cut = [each // resolution_s * resolution_s for each in took]
    seen, known = (
        latency(oracle.log_of([Row(0.0, 0.0, each, ok=True) for each in of]), 9.0, off_s)
        for of, off_s in ((cut, resolution_s), (took, 0.0))
    )
    assert seen is not None
    assert known is not None
    for name in ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"):
        found, true = getattr(seen, name), getattr(known, name)
        assert found is true is None or abs(found - true) <= seen.off_by_ms + 1e-6
