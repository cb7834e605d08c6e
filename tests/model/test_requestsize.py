"""How many requests an arrival makes, by a sample: against what is known beforehand."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.requestsize import RequestSample, RequestsPerArrival

WEIGHTS = st.lists(st.floats(0.01, 100), min_size=1, max_size=6)


@given(WEIGHTS, st.data())
def test_of_constant_tasks_the_mean_is_exact_whatever_was_drawn(
    weights: list[float], data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 50), min_size=len(weights), max_size=len(weights)))
    counts = data.draw(st.lists(st.integers(2, 20), min_size=len(weights), max_size=len(weights)))
    sample = RequestSample(weights, [str(each) for each in range(len(weights))])
    for task, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        for _ in range(count):
            sample.add(task, size)
    found = sample.estimate()
    assert found is not None
    true = sum(weight * size for weight, size in zip(weights, sizes, strict=True)) / sum(weights)
    assert found.mean == pytest.approx(true)
    assert found.margin == pytest.approx(0.0, abs=1e-6)
    assert (found.arrivals, found.unseen, found.unseen_share) == (sum(counts), (), 0.0)


@given(WEIGHTS, st.data())
def test_the_mean_lies_among_what_was_seen(weights: list[float], data: st.DataObject) -> None:
    seen = data.draw(
        st.lists(st.tuples(st.integers(0, len(weights) - 1), st.integers(0, 99)), min_size=1, max_size=40)
    )
    sample = RequestSample(weights, [str(each) for each in range(len(weights))])
    for task, requests in seen:
        sample.add(task, requests)
    found = sample.estimate()
    numbers = [requests for _, requests in seen]
    if found is None:
        assert not any(numbers)
        return
    assert min(numbers) - 1e-9 <= found.mean <= max(numbers) + 1e-9
    assert found.margin >= 0
    unseen = set(range(len(weights))) - {task for task, _ in seen}
    assert set(found.unseen) == set(map(str, unseen))
    assert found.unseen_share == pytest.approx(sum(weights[each] for each in unseen) / sum(weights))


def test_the_margin_holds_the_true_mean_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(7)
    weights, means = (5.0, 3.0, 2.0), (1.0, 4.0, 9.0)
    true = np.dot(weights, means) / sum(weights)
    held = 0
    for _ in range(1000):
        sample = RequestSample(weights, ["a", "b", "c"])
        for task in random.choice(3, 60, p=np.array(weights) / sum(weights)):
            sample.add(int(task), 1 + int(random.poisson(means[task] - 1)))
        found = sample.estimate()
        assert found is not None
        held += abs(found.mean - true) <= found.margin
    assert held >= 950


def test_one_arrival_is_no_sample() -> None:
    sample = RequestSample([1.0], ["home"])
    assert sample.estimate() is None
    sample.add(0, 5)
    found = sample.estimate()
    assert found is not None
    assert (found.mean, found.margin, str(found)) == (5.0, math.inf, "5 requests an arrival")


def test_a_task_that_was_seen_once_varies_as_the_most_varied_does() -> None:
    sample = RequestSample([1.0, 1.0], ["home", "search"])
    for requests in (1, 3):
        sample.add(0, requests)
    sample.add(1, 2)
    found = sample.estimate()
    assert found is not None
    assert found.margin == pytest.approx(2.26 * math.sqrt(0.25 * 2 / 2 + 0.25 * 2 / 1))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (RequestsPerArrival(5.0, 0.1, 40), ""),
        (RequestsPerArrival(5.0, 0.0, 9), "9 arrivals of the warm-up came to an end, and fewer than 10 tell"),
        (RequestsPerArrival(5.0, math.inf, 1), "1 arrival of the warm-up came to an end"),
        (
            RequestsPerArrival(5.0, 0.6, 40),
            "they vary too much: 5 ± 0.6 requests an arrival by 40 arrivals of the warm-up, and 5% either way",
        ),
        (
            RequestsPerArrival(5.0, 0.0, 40, ("checkout", "search"), 0.12),
            "none of checkout, search, which 12% of the arrivals run, was seen through in the warm-up",
        ),
        (RequestsPerArrival(5.0, 0.0, 40, ("rare",), 0.04), ""),
    ],
)
def test_what_cannot_be_built_on_says_why(found: RequestsPerArrival, says: str) -> None:
    assert found.doubt.startswith(says)
    assert bool(found.doubt) == bool(says)
    assert RequestsPerArrival.of_plain(json.loads(json.dumps(asdict(found)))) == found
