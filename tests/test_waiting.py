"""Each loop asks at least once, and gives back the last answer when the time is over."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread

import pytest

from seatrial.model.problems import Unavailable
from seatrial.waiting import join_all, look_until, try_until, wait_until, wait_while


def answers(*values: int) -> Iterator[int]:
    yield from values


def test_the_first_true_answer_comes_back() -> None:
    found = answers(0, 0, 7, 8)
    assert wait_until(lambda: next(found), within_s=10, every_s=0) == 7


def test_what_is_left_is_looked_at_until_nothing_is() -> None:
    left = answers(2, 1, 0, 5)
    assert wait_while(lambda: next(left), within_s=10, every_s=0) == 0


def test_when_the_time_is_over_the_last_answer_comes_back() -> None:
    assert wait_until(lambda: 0, within_s=0) == 0
    assert wait_while(lambda: ["still there"], within_s=0) == ["still there"]


def test_an_attempt_is_repeated_until_it_succeeds_and_its_last_failure_comes_out() -> None:
    found = answers(0, 0, 7)

    def attempt() -> int:
        if not (value := next(found)):
            raise Unavailable("not yet")
        return value

    assert try_until(attempt, within_s=10, every_s=0) == 7
    found = answers(0)
    with pytest.raises(Unavailable, match="not yet"):
        try_until(attempt, within_s=0)


def test_what_is_found_is_given_back_with_all_that_it_says() -> None:
    found = answers(1, 5, 12)
    assert look_until(lambda: next(found), lambda value: value > 4, within_s=10, every_s=0) == 5
    assert look_until(lambda: 3, lambda value: value > 4, within_s=0) == 3


def test_whoever_is_told_not_to_wait_looks_no_more() -> None:
    stop, looks = Event(), []
    stop.set()
    assert not wait_until(lambda: looks.append(1), within_s=60, every_s=60, sleep=stop.wait)
    assert looks == [1]


def test_threads_are_waited_for_together() -> None:
    go = Event()
    waiting = [Thread(target=go.wait, daemon=True) for _ in range(2)]
    never_started = Thread(target=go.wait)
    for thread in waiting:
        thread.start()
    join_all([*waiting, never_started], within_s=0.0)
    assert all(thread.is_alive() for thread in waiting)
    go.set()
    join_all([*waiting, never_started], within_s=60.0)
    assert not any(thread.is_alive() for thread in waiting)
