"""From a rate of requests to one of arrivals, with a service that is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.correction import Correction
from seatrial.load.offer import Offer, Share
from seatrial.model.arrivals import RateStep, Spacing
from seatrial.model.quantities import Rate


@dataclass(eq=False)
class Played:
    """A task that makes so many requests each time."""

    name: str
    requests: int
    weight: float = 1.0


class Warmed:
    """The arrivals that a correction lets through; each is over at once."""

    def __init__(
        self, *tasks: Played, rate: float, warmup_s: float = 4.0, spacing: Spacing = "even", ends: bool = True
    ) -> None:
        shape = (RateStep(0.0, Rate(rate, 1.0)), RateStep(5.0, Rate(2 * rate, 1.0)))
        offer = Offer(shape, spacing, 3, warmup_s, 10.0, "requests")
        self.corrected: list[Offer] = []
        self.reasons: list[str] = []
        known: Any = tasks
        correction = Correction(offer, known, self.corrected.append, self.reasons.append)
        self.requests: list[tuple[float, int]] = []
        for at_s, choice in offer.arrivals([task.weight for task in tasks], Share(), correction.instants()):
            task = tasks[choice]
            self.requests.append((at_s, task.requests))
            if ends and at_s < 0:
                correction.seen(task, task.requests)  # type: ignore[arg-type]

    def between(self, start_s: float, end_s: float) -> int:
        """Requests that were made."""
        return sum(requests for at_s, requests in self.requests if start_s <= at_s < end_s)


@given(st.integers(1, 12), st.floats(5, 500), st.sampled_from(["even", "poisson"]))
def test_a_journey_makes_the_requests_that_were_asked_for(size: int, rate: float, spacing: Spacing) -> None:
    warmed = Warmed(Played("journey", size), rate=rate, spacing=spacing)
    (offer,) = warmed.corrected
    assert offer.per_arrival is not None
    assert offer.per_arrival.mean == size
    assert [step.rate.per_second for step in offer.shape] == pytest.approx([rate / size, 2 * rate / size])
    made, wanted = warmed.between(0, 10), 15 * rate
    assert made == offer.due_before(10) * size
    if spacing == "even":
        assert abs(made - wanted) <= 2 * size


@given(st.integers(1, 10), st.floats(30, 500))
def test_the_warm_up_never_asks_for_more_than_was_asked_for(size: int, rate: float) -> None:
    warmed = Warmed(Played("journey", size), rate=rate)
    for start_s in np.arange(-4.0, 0.0, 1.0):
        assert warmed.between(start_s, start_s + 1.0) <= rate + 2 * size
    assert warmed.between(-2.0, 0.0) >= 2 * rate - 2 * size, "corrected from its middle on"


def test_tasks_count_by_their_weights() -> None:
    warmed = Warmed(Played("look", 1, 3.0), Played("buy", 5, 1.0), rate=100)
    assert warmed.corrected[0].per_arrival is not None
    assert warmed.corrected[0].per_arrival.mean == 2.0
    assert warmed.between(0, 10) == pytest.approx(1500, rel=0.1)


@pytest.mark.parametrize(
    ("size", "ends"), [(5, False), (0, True)], ids=["none came to its end", "none made a request"]
)
def test_a_warm_up_that_shows_nothing_ends_the_load(size: int, ends: bool) -> None:
    warmed = Warmed(Played("journey", size), rate=100, ends=ends)
    assert warmed.corrected == []
    (reason,) = warmed.reasons
    assert "in the warm-up of 4 s no arrival that makes any came to its end" in reason
    assert all(at_s < 0 for at_s, _ in warmed.requests), "nothing is measured"
