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


RATES = st.one_of(st.just(0.0), st.floats(0.01, 2_000))


@st.composite
def ramps(draw: st.DrawFn) -> tuple[tuple[RateStep, ...], float]:
    """A shape of steps and ramps, and where it ends."""
    lengths = draw(st.lists(st.floats(0.01, 4.0), min_size=1, max_size=6))
    starts = [0.0, *itertools.accumulate(lengths)]
    steps = [
        RateStep(start, Rate(draw(RATES), 1), draw(st.one_of(st.none(), RATES.map(lambda to: Rate(to, 1)))))
        for start in starts[:-1]
    ]
    return (*steps, RateStep(starts[-1], Rate(draw(RATES), 1))), starts[-1]


@given(ramps(), st.integers(1, 5_000))
def test_on_a_ramp_each_arrival_is_due_when_the_integral_reaches_its_number(
    shaped: tuple[tuple[RateStep, ...], float], size: int
) -> None:
    shape, end_s = shaped
    schedule = ArrivalSchedule(shape, end_s)
    instants = np.concatenate([np.empty(0), *schedule.chunks(size)])
    offered = sum(  # trapezoids, as one learns at school
        (after.at_s - step.at_s) * (step.rate.per_second + (step.to or step.rate).per_second) / 2
        for step, after in itertools.pairwise(shape)
    )
    assert schedule.offered(end_s) == pytest.approx(offered)
    assert abs(len(instants) - offered) <= 1
    assert np.all(np.diff(instants) >= 0)
    reached = np.array([schedule.offered(instant) for instant in instants[:200]])
    rounding = 1e-9 * (1 + offered)
    assert np.all(np.abs(reached - np.arange(len(reached))) <= rounding)  # none early, and none late


@given(ramps(), st.integers(0, 9))
def test_poisson_arrivals_of_a_ramp_have_the_gaps_of_its_integral(
    shaped: tuple[tuple[RateStep, ...], float], seed: int
) -> None:
    """Seen through Λ they are those of a rate of one: the same, whatever the shape (time change)."""
    shape, end_s = shaped
    schedule = ArrivalSchedule(shape, end_s, "poisson", seed)
    instants = schedule.instants()
    levels = np.cumsum(np.random.default_rng(seed).exponential(size=len(instants) + 1))
    reached = [schedule.offered(instant) for instant in instants[:200]]
    assert np.all(np.diff(instants) >= 0)
    assert reached == pytest.approx(levels[: len(reached)], abs=1e-6)
    assert levels[len(instants)] >= schedule.offered(end_s) - 1e-6


def test_a_ramp_is_slow_first_and_fast_then() -> None:
    shape = (RateStep(0.0, Rate(0, 1), Rate(4, 1)), RateStep(2.0, Rate(4, 1)))
    schedule = ArrivalSchedule(shape, 3.0)
    assert schedule.instants() == pytest.approx([0, 1, 2**0.5, 3**0.5, 2, 2.25, 2.5, 2.75])
    assert [schedule.rate_at(at).per_second for at in (0, 1, 1.5, 2, 9)] == [0, 2, 3, 4, 4]


def test_a_ramp_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="a ramp ends where the next step"):
        ArrivalSchedule((RateStep(0.0, Rate(1, 1), Rate(2, 1)),), 5.0)


def test_a_spike_in_a_ramp_multiplies_the_ramp() -> None:
    ramp = [RateStep(0.0, Rate(0, 1), Rate(100, 1)), RateStep(10.0, Rate(100, 1))]
    schedule = ArrivalSchedule(with_spikes(ramp, [(2.0, 4.0, 10.0)]), 20.0)
    assert [schedule.rate_at(at).per_second for at in (1, 2, 3, 4, 10)] == pytest.approx(
        [10, 200, 300, 40, 100]
    )
    assert schedule.offered(20.0) == pytest.approx(500 + 1000 + 9 * (20 + 40) / 2 * 2)


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
