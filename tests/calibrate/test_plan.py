"""What is planted when."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seatrial.calibrate.plan import CONTROL_S, KINDS, CalibrationPlan, plan

SETTLE_S = 1.0


def planned(outages: int, seed: int) -> CalibrationPlan:
    return plan(outages, seed, settle_s=SETTLE_S, interval_s=0.006, shortest_s=0.05, longest_s=5.0)


@given(st.integers(0, 80), st.integers(0, 2**32))
def test_outages_are_apart_by_more_than_the_settle_time_and_of_the_lengths_asked_for(
    outages: int, seed: int
) -> None:
    made = planned(outages, seed)
    assert len(made.outages) == outages
    for outage in made.outages:
        assert outage.at_s >= CONTROL_S
        assert 0.05 <= outage.length_s <= 5.0
    for one, other in pairwise(made.outages):
        assert other.at_s - (one.at_s + one.length_s) > SETTLE_S
    assert all(outage.at_s + outage.length_s + SETTLE_S < made.duration_s for outage in made.outages)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_every_kind_has_its_share_and_a_length_in_each_part_of_the_range(times: int, seed: int) -> None:
    made = planned(times * len(KINDS), seed)
    for kind in KINDS:
        lengths = sorted(outage.length_s for outage in made.outages if outage.kind == kind)
        assert len(lengths) == times
        for i, length_s in enumerate(lengths):
            assert 0.05 * 100 ** (i / times) <= length_s * (1 + 1e-9)
            assert length_s <= 0.05 * 100 ** ((i + 1) / times) * (1 + 1e-9)


@given(st.integers(0, 2**32))
def test_flapping_begins_and_ends_down_and_is_never_well_for_the_settle_time(seed: int) -> None:
    for outage in planned(24, seed).outages:
        if outage.kind != "flapping":
            assert outage.phases_s == ()
            continue
        assert outage.phases_s[0][0] == 0
        assert outage.phases_s[-1][1] == outage.length_s
        assert all(down < up for down, up in outage.phases_s)
        assert all(0 < down - up < SETTLE_S for (_, up), (down, _) in pairwise(outage.phases_s))


def test_the_same_seed_plants_the_same_outages() -> None:
    assert planned(12, 3) == planned(12, 3)
    assert planned(12, 3) != planned(12, 4)
