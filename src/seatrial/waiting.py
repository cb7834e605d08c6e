"""Wait for a condition, and no longer than was said: the one loop of all that look again and again.

What is asked is asked at least once, and once more when the time is over, however long the machine slept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from operator import not_
from typing import TypeVar

from seatrial.model.problems import Unavailable

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], object]  # True, as Event.wait gives it, ends the wait

_EVERY_S = 0.05


def look_until(
    look: Callable[[], T],
    is_enough: Callable[[T], object],
    within_s: float,
    every_s: float = _EVERY_S,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> T:
    """What `look` finds first that `is_enough`; when the time is over, or `sleep` says so, its last find."""
    end_s = clock() + within_s
    while True:
        over = clock() >= end_s
        found = look()
        if is_enough(found) or over or sleep(every_s):
            return found


def wait_until(
    condition: Callable[[], T],
    within_s: float,
    every_s: float = _EVERY_S,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> T:
    """The first answer of `condition` that is true; when the time is over, its last one."""
    return look_until(condition, bool, within_s, every_s, clock=clock, sleep=sleep)


def wait_while(look: Callable[[], T], within_s: float, every_s: float = _EVERY_S) -> T:
    """What `look` finds last: something false once it is over, or what is left of it when the time is."""
    return look_until(look, not_, within_s, every_s)


def try_until(
    attempt: Callable[[], T],
    within_s: float,
    every_s: float = _EVERY_S,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> T:
    """What `attempt` returns once it raises Unavailable no more; its last one, when the time is over."""
    end_s = clock() + within_s
    while True:
        over = clock() >= end_s
        try:
            return attempt()
        except Unavailable:
            if over or sleep(every_s):
                raise


def join_all(threads: Iterable[threading.Thread], within_s: float) -> None:
    """Wait for the end of all of them that were started, for `within_s` in total."""
    end_s = time.monotonic() + within_s
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, end_s - time.monotonic()))
