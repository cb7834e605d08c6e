"""Bounds of shares, percentiles and rates: the truth lies between the best and the worst of what is unknown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure import Latencies, good_per_s, share_bad
from seatrial.model.requestlog import RequestLog

DEADLINE = 0.5


def log(*fates: str) -> RequestLog:
    """good, refused, silent (never answered), dropped, own (failed on our side), late (sent 0.6 s late, answered)."""
    made = {
        "good": lambda at: Row(at, at, at + 0.01, ok=True),
        "refused": lambda at: Row(at, at, at + 0.001, ok=False, error="connection refused"),
        "silent": lambda at: Row(at, at, None, ok=False, error="deadline"),
        "dropped": lambda at: Row(at, None, None, ok=False, error="dropped: too many open files"),
        "own": lambda at: Row(at, at, None, ok=False, error="unaccounted: the generator died"),
        "late": lambda at: Row(at, at + 0.6, at + 0.61, ok=True),
    }
    return oracle.log_of([made[fate](index / 10) for index, fate in enumerate(fates)])


@pytest.mark.parametrize(
    ("fates", "expected"),
    [
        (["good"] * 4, (0.0, 0.0)),
        (["good", "refused", "silent", "good"], (0.5, 0.5)),
        (["good", "refused", "dropped", "good"], (0.25, 0.5)),
        (["dropped"] * 4, (0.0, 1.0)),
        (["late", "own", "good", "good"], (0.0, 0.5)),
    ],
)
def test_only_what_is_proven_is_in_the_lower_bound_of_the_share(
    fates: list[str], expected: tuple[float, float]
) -> None:
    assert share_bad(log(*fates), DEADLINE) == expected


def test_of_nothing_there_is_no_share_no_rate_and_no_percentile() -> None:
    assert share_bad(log(), DEADLINE) is None
    assert good_per_s(log("good"), DEADLINE, 0.0) is None
    assert Latencies.of(log(), DEADLINE).percentile(50) is None
    assert Latencies.of(log("dropped", "own"), DEADLINE).percentile(100) is None


def test_a_rate_counts_what_is_unknown_as_good_in_its_upper_bound_alone() -> None:
    assert good_per_s(log("good", "good", "dropped", "refused"), DEADLINE, 2.0) == (1.0, 1.5)


def test_what_we_sent_late_is_in_the_upper_bound_of_latency_alone() -> None:
    lower, upper = Latencies.of(log(*["late"] * 30), DEADLINE).percentile(95) or (0.0, 0.0)
    assert lower == pytest.approx(0.01)
    assert upper == pytest.approx(0.61)


def test_who_waited_in_vain_took_a_deadline_at_the_least_and_nobody_knows_how_long() -> None:
    latencies = Latencies.of(log(*["good"] * 90, *["silent"] * 10), DEADLINE)
    assert latencies.percentile(95) == (DEADLINE, math.inf)
    assert list(latencies.percentile(90) or ()) == pytest.approx([0.01, 0.01])


def test_failures_that_came_quickly_are_no_latencies() -> None:
    assert Latencies.of(log(*["good"] * 40, *["refused"] * 60), DEADLINE).known == 40


@pytest.mark.parametrize(("percent", "least"), [(50, 2), (90, 10), (95, 20), (99, 100), (100, 1)])
def test_a_percentile_needs_a_sample_that_can_carry_it(percent: int, least: int) -> None:
    assert Latencies.of(log(*["good"] * least), DEADLINE).percentile(percent) is not None
    assert Latencies.of(log(*["good"] * (least - 1)), DEADLINE).percentile(percent) is None


@given(
    st.lists(
        st.sampled_from(["good", "refused", "silent", "dropped", "own", "late"]), min_size=1, max_size=40
    )
)
def test_bounds_are_in_order_and_without_the_unknown_they_meet(fates: list[str]) -> None:
    lower, upper = share_bad(log(*fates), DEADLINE) or (math.nan, math.nan)
    assert 0 <= lower <= upper <= 1
    if not {"dropped", "own", "late"} & set(fates):
        assert lower == upper
    latencies = Latencies.of(log(*fates), DEADLINE)
    for percent in (50, 95, 100):
        bounds = latencies.percentile(percent)
        assert bounds is None or bounds[0] <= bounds[1]
