"""Deadlines by one timer: each is raised once, in its own greenlet, at its own instant, or never."""

from __future__ import annotations

import time
from typing import Any

import gevent
import pytest
from gevent.event import Event

from seatrial.load import deadlines
from seatrial.load.deadlines import Deadlines

EARLY_S = 0.002  # what the loop's clock and the monotonic one may differ by


def waits(lengths_s: list[float], answered_s: list[float | None]) -> list[float | None]:
    """After how long each was interrupted; None for those that were answered before."""
    found: list[float | None] = [None] * len(lengths_s)

    def wait(number: int) -> None:
        began_s = time.monotonic()
        deadline = Deadlines.here().start(lengths_s[number])
        try:
            gevent.sleep(10 if answered_s[number] is None else answered_s[number])
        except gevent.Timeout as expired:
            assert expired is deadline.expired
            found[number] = time.monotonic() - began_s
        finally:
            deadline.close()

    gevent.joinall([gevent.spawn(wait, number) for number in range(len(lengths_s))], raise_error=True)
    return found


def test_each_is_raised_at_its_own_instant_or_not_at_all() -> None:
    """Of two lengths, in mixed order, with answers before, between and after."""
    found = waits([0.06, 0.02, 0.06, 0.02, 0.06], [None, None, 0.001, 0.03, 0.03])
    assert [each is not None for each in found] == [True, True, False, True, False]
    for length_s, took_s in zip([0.06, 0.02, 0.02], [found[0], found[1], found[3]], strict=True):
        assert took_s is not None
        assert took_s >= length_s - EARLY_S


def test_one_that_is_over_is_never_raised() -> None:
    """Though it is in the queue when the timer rings."""
    deadline = Deadlines.here().start(0.01)
    deadline.close()
    gevent.sleep(0.03)
    assert deadline.expired is None


def test_those_that_begin_later_end_later() -> None:
    """The timer is set anew for each that is left when it has rung."""
    ended: list[int] = []

    def wait(number: int) -> None:
        deadline = Deadlines.here().start(0.02)
        with pytest.raises(gevent.Timeout):
            Event().wait()
        deadline.close()
        ended.append(number)

    waiting = []
    for number in range(3):
        waiting.append(gevent.spawn(wait, number))
        gevent.sleep(0.005)
    gevent.joinall(waiting, raise_error=True)
    assert ended == [0, 1, 2]


def test_time_outs_of_every_length_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario may make up a length for each request."""
    monkeypatch.setattr(deadlines, "_MOST_LENGTHS", 4)
    every: Any = Deadlines(gevent.get_hub().loop)
    for number in range(50):
        every.start(0.0005 + number * 1e-6).close()
        gevent.sleep(0.002)
    assert len(every._of_length) <= 4
