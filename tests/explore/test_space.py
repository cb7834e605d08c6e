"""What may stand beside what."""

from __future__ import annotations

import pytest

from seatrial.explore.schedule import SLOTS, Injection, scheduled
from seatrial.explore.space import Choice, Space, same_thing

CACHE = Choice("redis.evict", "cache", {"keep": "1%"}, frozenset({"redis://127.0.0.1:1/0", "east.cache"}))
PROCESS = Choice("process.kill", "cache.process")
EAST = Choice("process.pause", "east.cache.process")
OTHER = Choice("process.kill", "west.cache.process")
SPIKE = Choice("traffic.spike", "", {"times": 3.0})
SPACE = Space((CACHE, PROCESS, EAST, OTHER, SPIKE), 1.0)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (CACHE, PROCESS, True),  # what belongs to it
        (CACHE, EAST, True),  # what belongs to another name of it
        (CACHE, OTHER, False),
        (PROCESS, OTHER, False),
        (SPIKE, CACHE, False),
        (SPIKE, SPIKE, True),
        (Choice("a", "x", {}, frozenset({"/p"})), Choice("b", "y", {}, frozenset({"/p"})), True),
        (Choice("a", "cache"), Choice("b", "cache2"), False),
    ],
)
def test_one_thing_has_several_names(one: Choice, other: Choice, expected: bool) -> None:
    assert same_thing(one, other) is expected
    assert same_thing(other, one) is expected


@pytest.mark.parametrize(
    ("injections", "expected"),
    [
        ([], True),
        ([(0, PROCESS, 8), (0, OTHER, 8), (0, SPIKE, 8)], True),
        ([(0, PROCESS, 2), (1, CACHE, 2)], False),  # at one time
        ([(0, PROCESS, 2), (2, CACHE, 2)], False),  # no slot between them
        ([(0, PROCESS, 2), (3, CACHE, 2)], True),
        ([(0, PROCESS, 2), (4, PROCESS, 2)], False),  # twice
        ([(SLOTS - 1, PROCESS, 2)], False),
        ([(-1, PROCESS, 2)], False),
    ],
)
def test_no_thing_is_held_by_two_faults_at_once(
    injections: list[tuple[int, Choice, int]], expected: bool
) -> None:
    schedule = scheduled(Injection(at, choice.key, length) for at, choice, length in injections)
    assert SPACE.legal(schedule) is expected


def test_what_cannot_be_chosen_is_not_legal_and_no_more_than_may_be() -> None:
    assert not SPACE.legal((Injection(0, "process.kill on nobody", 1),))
    two = scheduled([Injection(0, PROCESS.key, 1), Injection(0, OTHER.key, 1)])
    assert not Space(SPACE.choices, 1.0, most=1).legal(two)
