from __future__ import annotations

import math
from collections import Counter
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.offer import Offer, Share
from seatrial.model.arrivals import RateStep, Spacing
from seatrial.model.quantities import Rate

SPACINGS = st.sampled_from(["even", "poisson"])


def offer(
    spacing: Spacing = "even",
    seed: int = 0,
    warmup_s: float = 0.0,
    duration_s: float = 3.0,
    rate: float = 700.0,
) -> Offer:
    shape = (RateStep(0.0, Rate(rate, 1.0)), RateStep(1.0, Rate(2 * rate, 1.0)))
    return Offer(shape, spacing, seed, warmup_s, duration_s)


@given(SPACINGS, st.integers(1, 5), st.integers(0, 99), st.floats(0, 2))
def test_workers_share_the_very_same_arrivals(
    spacing: Spacing, count: int, seed: int, warmup_s: float
) -> None:
    one = offer(spacing, seed, warmup_s)
    everything = list(one.arrivals([1, 2, 3], Share()))
    shares = [list(one.arrivals([1, 2, 3], Share(index, count))) for index in range(count)]
    for index, share in enumerate(shares):
        assert share == everything[index::count]


@given(SPACINGS, st.floats(0.01, 5))
def test_the_measured_part_does_not_depend_on_the_warm_up(spacing: Spacing, warmup_s: float) -> None:
    warm = np.concatenate(list(offer(spacing, warmup_s=warmup_s).instants()))
    cold = np.concatenate(list(offer(spacing).instants()))
    assert np.array_equal(warm[warm >= 0], cold)
    assert np.all(np.diff(warm) >= 0)
    assert warm[0] >= -warmup_s


def test_the_warm_up_is_offered_the_first_rate() -> None:
    instants = np.concatenate(list(offer(warmup_s=2.0).instants()))
    assert np.count_nonzero(instants < 0) == 1400
    assert instants[0] == -2.0


@given(SPACINGS, st.floats(0, 4), st.floats(0, 2))
def test_arrivals_are_counted_without_the_warm_up(spacing: Spacing, end_s: float, warmup_s: float) -> None:
    told = offer(spacing, warmup_s=warmup_s)
    instants = np.concatenate(list(told.instants()))
    assert told.due_before(end_s) == np.count_nonzero((instants >= 0) & (instants < end_s))


def test_tasks_are_picked_by_weight() -> None:
    picked = Counter(task for _, task in offer(duration_s=10).arrivals([1, 3, 6], Share()))
    total = sum(picked.values())
    assert [round(picked[task] / total, 1) for task in range(3)] == [0.1, 0.3, 0.6]


def test_an_endless_offer_is_lazy() -> None:
    endless = offer(duration_s=math.inf).arrivals([1], Share())
    assert len(list(islice(endless, 5000))) == 5000
