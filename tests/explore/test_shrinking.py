"""Whatever a failure began as, what is left of it fails, and nothing in it can be left out."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explore.conftest import RULES, SPACE, random_schedule

from seatrial.explore.schedule import LENGTHS, Injection, Schedule, choices_of, scheduled
from seatrial.explore.shrinking import packed, shrink


def failing(rule: str, seed: int) -> Schedule:
    """A schedule that breaks a rule, with whatever else around it."""
    draw = random.Random(seed)
    while True:
        schedule = random_schedule(draw)
        if RULES[rule](schedule):
            return schedule


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10_000))
def test_what_is_left_fails_and_each_of_it_is_needed(rule: str, seed: int) -> None:
    tries: list[Schedule] = []
    kept: list[Schedule] = []

    def fails(schedule: Schedule) -> bool:
        tries.append(schedule)
        return RULES[rule](schedule)

    whole = failing(rule, seed)
    left = shrink(whole, SPACE, fails, kept.append)
    assert RULES[rule](left)
    assert SPACE.legal(left)
    assert choices_of(left) <= choices_of(whole)
    assert not any(RULES[rule](tuple(each for each in left if each != one)) for one in left)
    assert sum(each.length for each in left) <= sum(each.length for each in whole)
    assert left == (kept or [whole])[-1]
    twice = 3 if len(left) > 2 else 0  # three faults that are all needed are too rare to be taken for granted
    assert len(tries) - twice <= len(set(tries)) <= 25
    assert all(SPACE.legal(each) and each for each in tries)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("kill delta", [(0, "process.kill on delta", 1)]),
        ("long pause", [(0, "process.pause on gamma", 8)]),
        ("both away", [(0, "process.kill on alpha", 1), (0, "process.pause on beta", 1)]),
        ("one before the other", [(0, "process.kill on beta", 1), (1, "process.pause on alpha", 1)]),
    ],
)
@given(seed=st.integers(0, 10_000))
def test_it_is_as_short_and_as_simple_as_can_be(
    rule: str, expected: list[tuple[int, str, int]], seed: int
) -> None:
    left = shrink(failing(rule, seed), SPACE, RULES[rule], lambda _: None)
    if rule != "one before the other" or left[0].end == left[1].at:
        assert left == scheduled(Injection(*each) for each in expected)
    assert left[0].at == 0


@given(st.integers(0, 10_000), st.sampled_from(LENGTHS))
def test_a_length_is_found_by_halves(seed: int, threshold: int) -> None:
    schedule = (Injection(random.Random(seed).randint(0, 8), "process.pause on gamma", 8),)
    left = shrink(schedule, SPACE, lambda each: each[0].length >= threshold, lambda _: None)
    assert left == (Injection(0, "process.pause on gamma", threshold),)


@given(st.integers(0, 10_000))
def test_packing_keeps_the_order_and_stays_legal(seed: int) -> None:
    schedule = random_schedule(random.Random(seed))
    close = packed(schedule, SPACE)
    assert SPACE.legal(close)
    assert close[0].at == 0
    assert [each.choice for each in sorted(close)] == [each.choice for each in close]
    assert max(each.end for each in close) <= max(each.end for each in schedule)
