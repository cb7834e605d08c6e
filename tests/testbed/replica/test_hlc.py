"""Stamps follow causality, and stay within the declared difference of clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.testbed.replica.hlc import DriftError, Stamp, require_bounded, successor

TIMES = st.integers(0, 10**15)
STAMPS = st.builds(Stamp, TIMES, st.integers(0, 10**6))
UNBOUNDED = 10**16


@given(STAMPS, TIMES)
def test_a_successor_is_greater_than_what_was_seen_and_not_behind_the_clock(
    seen: Stamp, physical_us: int
) -> None:
    stamp = successor(seen, physical_us, UNBOUNDED)
    assert stamp > seen
    assert stamp.time_us >= physical_us
    assert stamp.time_us == max(seen.time_us, physical_us)


def by_the_paper(clock: Stamp, message: Stamp, physical_us: int) -> Stamp:
    """The receiving rule as published, case by case."""
    time_us = max(clock.time_us, message.time_us, physical_us)
    if time_us == clock.time_us == message.time_us:
        return Stamp(time_us, max(clock.count, message.count) + 1)
    if time_us == clock.time_us:
        return Stamp(time_us, clock.count + 1)
    if time_us == message.time_us:
        return Stamp(time_us, message.count + 1)
    return Stamp(time_us, 0)


NEAR = st.builds(Stamp, st.integers(0, 3), st.integers(0, 3))


@given(NEAR, NEAR, st.integers(0, 4))
def test_one_rule_is_both_rules_of_the_paper(clock: Stamp, message: Stamp, physical_us: int) -> None:
    assert successor(max(clock, message), physical_us, UNBOUNDED) == by_the_paper(clock, message, physical_us)


@given(STAMPS)
def test_text_is_read_back(stamp: Stamp) -> None:
    assert Stamp.parse(str(stamp)) == stamp


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "-1.0", "1.0 ", "1e3.0", "9" * 17 + ".0", "١.٠"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a stamp"):
        Stamp.parse(text)


def test_a_stamp_from_too_far_ahead_is_refused() -> None:
    require_bounded(Stamp(1_500, 0), 1_000, 500)
    with pytest.raises(DriftError, match=r"0\.001 s ahead"):
        require_bounded(Stamp(1_501, 0), 1_000, 500)
    with pytest.raises(DriftError):
        successor(Stamp(1_501, 0), 1_000, 500)
