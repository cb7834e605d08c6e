"""What is made of the samples of several workers is what one worker would have made of all arrivals."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.agreement import SETTLED_S, Agreement, read
from seatrial.load.offer import Offer
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.requestsize import RequestSample

WEIGHTS = [3.0, 1.0]
OFFER = Offer((RateStep(0.0, Rate(100, 1.0)),), "even", 0, 10.0, 60.0, "requests")
TASKS: Any = [SimpleNamespace(name=name, weight=weight) for name, weight in zip("ab", WEIGHTS, strict=True)]


def sample() -> RequestSample:
    return RequestSample(WEIGHTS, ["a", "b"])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(1, 20)), min_size=1, max_size=60))
def test_it_is_the_estimate_of_all_arrivals_together(seen: list[tuple[int, int, int]]) -> None:
    agreement, whole, workers = Agreement(OFFER, TASKS), sample(), [sample() for _ in range(4)]
    for worker, task, requests in seen:
        whole.add(task, requests)
        workers[worker].add(task, requests)
        agreement.hear(worker, workers[worker].sums)  # each tells all of it again
    first = agreement.settle()
    assert (first.counts, len(first.warmed)) == ("requests", 2)
    second = agreement.settle()
    assert (second.counts, second.per_arrival) == ("arrivals", whole.estimate())
    assert read(json.loads(json.dumps(agreement.plain))) == [whole.estimate()] * 2
    assert Offer.of_plain(json.loads(json.dumps(second.plain()))) == second


def test_it_is_settled_before_it_counts() -> None:
    assert Agreement(OFFER, TASKS).settled_at_s == (-5.0 - SETTLED_S, -SETTLED_S)


def test_only_the_first_time_may_nothing_be_known() -> None:
    agreement = Agreement(OFFER, TASKS)
    agreement.hear(0, [[0, 0, 0], [0, 0, 0]])
    agreement.hear(1, [[9, 9, 9]])  # of another scenario
    sounded = agreement.settle()
    assert sounded.warmed[0] == sounded.warmed[1] == Rate(10.0, 1.0)
    assert agreement.plain == [None]
    with pytest.raises(ValueError, match="in the warm-up of 10 s no arrival that makes any came to its end"):
        agreement.settle()
