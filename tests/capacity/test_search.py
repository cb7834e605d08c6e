"""The search against services whose capacity is known, exact and noisy ones: simulated, so that it is quick."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.capacity.search import (
    Known,
    Outcome,
    Settings,
    Stop,
    Tried,
    known,
    next_rate,
    rounded,
    standing,
)

HELD, BROKEN, GENERATOR, UNKNOWN = Outcome.HELD, Outcome.BROKEN, Outcome.GENERATOR, Outcome.UNKNOWN
MOST_TRIALS = 200


def searched(
    wanted: Settings,
    outcome: Callable[[float], Outcome],
    carried: Callable[[float], float | None] = lambda _: None,
) -> tuple[Known, Stop, list[Tried]]:
    trials: list[Tried] = []
    while not isinstance(rate := next_rate(trials, wanted), Stop):
        assert rate <= wanted.to_per_s
        trials.append(Tried(rate, outcome(rate), carried(rate)))
        assert len(trials) < MOST_TRIALS
    return known(trials, wanted), rate, trials


def limit(at_per_s: float) -> Callable[[float], Outcome]:
    return lambda rate: HELD if rate <= at_per_s else BROKEN


@given(st.floats(0.5, 50_000), st.floats(0.02, 0.5), st.floats(1, 5_000))
def test_the_interval_holds_a_limit_and_is_as_narrow_as_was_asked_for(
    capacity: float, width: float, first: float
) -> None:
    wanted = Settings(first, width=width)
    found, stop, trials = searched(wanted, limit(capacity))
    if capacity < first / 64:
        assert found.lower_per_s is None or found.lower_per_s <= capacity
        return
    if stop is Stop.LOWEST:
        assert capacity < first / 32
        return
    assert stop is Stop.FOUND
    assert found.lower_per_s is not None
    assert found.upper_per_s is not None
    assert found.lower_per_s <= capacity < found.upper_per_s
    assert found.upper_per_s <= found.lower_per_s * (1 + width) * 1.001
    ends = [
        each for each in standing(trials, wanted) if each.rate_per_s in (found.lower_per_s, found.upper_per_s)
    ]
    assert all(each.trials >= 2 for each in ends)


@given(st.floats(100, 9_000), st.floats(0.03, 0.3), st.floats(100, 1_000), st.floats(0.3, 1.5))
def test_what_a_full_service_carries_leads_and_never_misleads(
    capacity: float, width: float, first: float, share: float
) -> None:
    """`share` of its capacity is carried beyond it: all by a token bucket, less by what collapses."""
    wanted, first = Settings(first, width=width), min(first, capacity)
    plain, _, without = searched(wanted, limit(capacity))
    found, stop, trials = searched(wanted, limit(capacity), lambda rate: min(rate, capacity * share))
    assert stop is Stop.FOUND
    assert found.lower_per_s is not None
    assert found.upper_per_s is not None
    assert found.lower_per_s <= capacity < found.upper_per_s
    assert found.upper_per_s <= found.lower_per_s * (1 + width) * 1.001
    assert len(trials) <= len(without) + 4, "where it misleads, it does so but once or twice"
    if share == 1:
        assert len(trials) <= len(without)
    assert plain.lower_per_s is not None


def test_a_full_service_is_found_in_fewer_trials() -> None:
    trials = [
        tuple(
            len(searched(Settings(float(first)), limit(1500), carried)[2])
            for carried in (lambda _: None, full)
        )
        for first in range(400, 1300, 45)
    ]
    assert sum(led for _, led in trials) <= 0.9 * sum(plain for plain, _ in trials)


def full(rate: float) -> float:
    """What a token bucket of 1,500/s answers well, measured to a hundredth."""
    return min(rate, 1500 * (1 + 0.01 * math.sin(rate)))


@given(st.integers(0, 10_000), st.floats(0, 0.08), st.floats(80, 400))
@settings(max_examples=200)
def test_a_trial_in_twelve_may_be_wrong(seed: int, wrong: float, capacity: float) -> None:
    """It ends, and says no more than majorities do; that they are trials wrong: `test_of_a_hundred`."""
    draw = random.Random(seed)

    def noisy(rate: float) -> Outcome:
        true = HELD if rate <= capacity else BROKEN
        return true if draw.random() >= wrong else draw.choice([HELD, BROKEN, UNKNOWN, GENERATOR])

    found, _, trials = searched(Settings(50.0), noisy)
    for end, outcome in ((found.lower_per_s, HELD), (found.upper_per_s, BROKEN)):
        if end is not None:
            assert [trial.outcome for trial in trials if trial.rate_per_s == end].count(outcome) >= 2


def test_of_a_hundred_noisy_searches_the_interval_holds_the_limit_in_ninety_five() -> None:
    """A bucket of 150/s whose edge is soft by 2 %, and one trial in twenty disturbed."""
    draw, holds = random.Random(13), 0
    for _ in range(100):

        def soft(rate: float) -> Outcome:
            if draw.random() < 0.05:
                return draw.choice([BROKEN, UNKNOWN, GENERATOR])
            return HELD if rate <= draw.gauss(150, 0.5) else BROKEN

        found, _, _ = searched(Settings(draw.uniform(40, 120)), soft)
        assert found.lower_per_s is not None
        holds += found.lower_per_s <= 150 <= (found.upper_per_s or math.inf)
    assert holds >= 95


def test_a_generator_that_is_the_limit_is_told_and_not_taken_for_the_service() -> None:
    found, stop, _ = searched(Settings(100.0), lambda rate: HELD if rate <= 900 else GENERATOR)
    assert stop is Stop.GENERATOR
    assert found.upper_per_s is None
    assert found.lower_per_s is not None
    assert found.generator_per_s is not None
    assert found.lower_per_s <= 900 < found.generator_per_s <= found.lower_per_s * 1.101


def test_a_limit_below_that_of_the_generator_is_found_all_the_same() -> None:
    def both(rate: float) -> Outcome:
        return HELD if rate <= 1500 else BROKEN if rate < 1900 else GENERATOR

    found, stop, _ = searched(Settings(1000 / 60), both)
    assert stop is Stop.FOUND
    assert (found.lower_per_s or 0) <= 1500 < (found.upper_per_s or 0) < 1900


def test_the_highest_rate_that_was_to_be_tried_may_hold() -> None:
    found, stop, trials = searched(Settings(100.0, to_per_s=450.0), limit(1e9))
    assert (stop, found) == (Stop.HIGHEST, Known(450.0, None, None))
    assert [trial.rate_per_s for trial in trials] == [100, 200, 400, 450, 450]


def test_rates_that_stay_undecided_widen_the_interval_and_are_told() -> None:
    def straddling(rate: float) -> Outcome:
        return HELD if rate < 290 else UNKNOWN if rate < 310 else BROKEN

    found, stop, _ = searched(Settings(100.0), straddling)
    assert stop is Stop.UNDECIDED
    assert found.undecided_per_s
    assert (found.lower_per_s or 0) < 290
    assert (found.upper_per_s or 0) >= 310
    assert all(290 <= rate < 310 for rate in found.undecided_per_s)


def test_nothing_holds() -> None:
    found, stop, trials = searched(Settings(100.0), lambda _: BROKEN)
    assert stop is Stop.LOWEST
    assert found.lower_per_s is None
    assert found.upper_per_s == min(trial.rate_per_s for trial in trials)


@pytest.mark.parametrize("outcome", [UNKNOWN, GENERATOR])
def test_what_only_ever_fails_by_ourselves_says_nothing_of_the_service(outcome: Outcome) -> None:
    found, stop, _ = searched(Settings(100.0, to_per_s=6400.0), lambda _: outcome)
    assert (found.lower_per_s, found.upper_per_s) == (None, None)
    assert stop is not Stop.FOUND


@pytest.mark.parametrize(
    "noise", [(UNKNOWN,), (HELD, UNKNOWN, UNKNOWN), (UNKNOWN, HELD, BROKEN), (HELD, BROKEN, GENERATOR)]
)
def test_nobody_is_offered_ever_more_while_nothing_is_known(noise: tuple[Outcome, ...]) -> None:
    """A scenario that raises, a check that cannot ask: each trial is unknown, at whatever rate."""
    turn = itertools.cycle(noise)
    _, stop, trials = searched(Settings(100.0), lambda _: next(turn))
    assert stop is Stop.UNDECIDED
    assert max(trial.rate_per_s for trial in trials) <= 200


def test_an_unknown_rate_above_one_that_held_ends_the_search() -> None:
    found, stop, trials = searched(Settings(100.0), lambda rate: HELD if rate < 500 else UNKNOWN)
    assert (stop, found.lower_per_s, found.upper_per_s) == (Stop.UNDECIDED, 400, None)
    assert max(trial.rate_per_s for trial in trials) == 800


def test_an_end_that_its_repeats_overturn_is_none() -> None:
    trials = [Tried(100, HELD), Tried(200, BROKEN), Tried(200, HELD), Tried(200, HELD)]
    assert known(trials, Settings(100.0)).upper_per_s is None
    assert next_rate(trials, Settings(100.0)) == 400


def test_until_a_majority_has_spoken_no_end_is_told() -> None:
    assert known([Tried(100, HELD), Tried(200, BROKEN)], Settings(100.0)) == Known(None, None, None)


@given(st.floats(0.02, 1e7))
def test_a_rate_is_rounded_within_a_thousandth(rate: float) -> None:
    assert rounded(rate) == pytest.approx(rate, rel=1e-3)
