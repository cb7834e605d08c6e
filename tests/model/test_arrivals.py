"""Arrival schedules against their definition: Λ, the integral of the rate."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.arrivals import ArrivalSchedule, RateStep, with_spikes
from seatrial.model.quantities import Rate


def test_ten_thousand_a_minute_for_a_minute() -> None:
    instants = ArrivalSchedule.constant(Rate.parse("10000/min"), 60.0).instants()
    assert len(instants) == 10_000
    assert np.max(np.abs(np.diff(instants) - 0.006)) < 1e-9


def test_a_pause_delays_the_next_arrival_until_load_resumes() -> None:
    shape = (RateStep(0.0, Rate(2, 1)), RateStep(1.0, Rate(0, 1)), RateStep(5.0, Rate(2, 1)))
    assert ArrivalSchedule(shape, 6.0).instants().tolist() == [0.0, 0.5, 5.0, 5.5]


def test_a_rate_that_ends_at_zero_ends_the_schedule_of_any_length() -> None:
    shape = (RateStep(0.0, Rate(10, 1)), RateStep(1.0, Rate(0, 1)))
    assert len(ArrivalSchedule(shape, float("inf")).instants()) == 10


def test_an_endless_schedule_is_lazy() -> None:
    chunks = ArrivalSchedule.constant(Rate(100, 1), float("inf")).chunks(size=50)
    first, second = itertools.islice(chunks, 2)
    assert first[0] == 0
    assert second[0] == pytest.approx(0.5)


def test_poisson_is_reproducible_and_has_the_right_mean_and_spread() -> None:
    schedule = ArrivalSchedule.constant(Rate(1000, 1), 60.0, "poisson", seed=7)
    instants = schedule.instants()
    assert np.array_equal(instants, schedule.instants())
    gaps = np.diff(instants)
    # 60,000 expected; five standard deviations either way
    assert abs(len(instants) - 60_000) < 5 * np.sqrt(60_000)
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.03)


steps = st.lists(st.tuples(st.floats(0.1, 5.0), st.integers(0, 400)), min_size=1, max_size=6)


@given(steps, st.sampled_from(["even", "poisson"]), st.integers(1, 500))
def test_arrivals_ascend_and_even_ones_follow_the_integral(
    lengths_and_rates: list[tuple[float, int]], spacing: str, size: int
) -> None:
    starts = [0.0, *itertools.accumulate(length for length, _ in lengths_and_rates)]
    shape = tuple(
        RateStep(start, Rate(rate, 1)) for start, (_, rate) in zip(starts, lengths_and_rates, strict=False)
    )
    schedule = ArrivalSchedule(shape, starts[-1], "even" if spacing == "even" else "poisson")
    parts = list(schedule.chunks(size))
    instants = np.concatenate(parts) if parts else np.empty(0)
    assert np.all(np.diff(instants) >= 0)
    assert np.all((instants >= 0) & (instants < starts[-1]))
    if spacing == "even":
        offered = sum(length * rate for length, rate in lengths_and_rates)
        assert abs(len(instants) - offered) <= 1


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20), st.floats(1, 10)), max_size=4), st.floats(0, 80)
)
def test_spikes_multiply_the_rate_while_they_last(
    spikes: list[tuple[float, float, float]], at: float
) -> None:
    timed = [(start, start + length, factor) for start, length, factor in spikes]
    shape = with_spikes([RateStep(0.0, Rate(10, 1)), RateStep(30.0, Rate(20, 1))], timed)
    expected = 10.0 if at < 30 else 20.0
    for start, end, factor in timed:
        expected *= factor if start <= at < end else 1
    assert ArrivalSchedule(shape, 100.0).rate_at(at).per_second == pytest.approx(expected)
