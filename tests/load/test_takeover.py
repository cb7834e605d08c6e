"""Those who take a lost share over offer each of its arrivals once, and no other."""

from __future__ import annotations

from itertools import islice

import tests.support.unpatched_locust  # noqa: F401  # before gevent
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.offer import Offer, Share
from seatrial.load.takeover import part_of
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate

OFFER = Offer((RateStep(0.0, Rate(50, 1.0)),), "poisson", 5, 0.5, 4.0)


@given(st.integers(1, 5), st.data(), st.integers(1, 4))
def test_the_parts_of_a_share_are_the_share(count: int, data: st.DataObject, parts: int) -> None:
    share = Share(data.draw(st.integers(0, count - 1)), count)
    taken = [
        arrival for part in range(parts) for arrival in OFFER.arrivals([1, 3], part_of(share, part, parts))
    ]
    assert sorted(taken) == sorted(islice(OFFER.arrivals([1, 3], share), 10_000))
