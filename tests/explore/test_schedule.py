"""Schedules: what they hold, in which order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explore.conftest import SPACE, random_schedule

from seatrial.explore.schedule import Injection, Relation, holds, ordered, relation, scheduled

A, B = "process.kill on alpha", "process.pause on beta"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Injection(0, A, 2), Injection(0, B, 1), Relation.TOGETHER),
        (Injection(0, A, 2), Injection(1, B, 4), Relation.DURING),
        (Injection(0, A, 2), Injection(2, B, 1), Relation.THEN),
        (Injection(0, A, 2), Injection(9, B, 1), Relation.THEN),
    ],
)
def test_how_two_faults_stand_to_one_another(first: Injection, second: Injection, expected: Relation) -> None:
    assert relation(first, second) is expected


def test_of_two_that_begin_together_none_is_the_first() -> None:
    assert ordered(A, Relation.TOGETHER, B) == ordered(B, Relation.TOGETHER, A)
    assert ordered(A, Relation.THEN, B) != ordered(B, Relation.THEN, A)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ([(3, A, 4), (8, B, 2)], True),  # later, and longer
        ([(3, A, 4), (8, B, 2), (0, "process.kill on gamma", 1)], True),  # and with another
        ([(3, A, 4), (8, B, 1)], False),  # shorter
        ([(3, A, 8), (8, B, 2)], False),  # at the same time
        ([(8, A, 2), (3, B, 2)], False),  # the other way round
        ([(3, A, 4)], False),
    ],
)
def test_a_schedule_holds_a_weakness_that_is_in_it(
    schedule: list[tuple[int, str, int]], expected: bool
) -> None:
    weakness = scheduled([Injection(0, A, 2), Injection(2, B, 2)])
    assert holds(scheduled(Injection(*each) for each in schedule), weakness) is expected


@given(st.integers())
def test_every_schedule_holds_itself_and_the_load_alone(seed: int) -> None:
    schedule = random_schedule(random.Random(seed), SPACE)
    assert holds(schedule, schedule)
    assert holds(schedule, ())
