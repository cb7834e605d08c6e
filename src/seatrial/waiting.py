"""Wait for a condition, and no longer than was said: the one loop of all that look again and again.

What is asked is asked at least once, and once more when the time is over, however long the machine slept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from seatrial.model.problems import Unavailable

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], None]

_EVERY_S = 0.05


def wait_until(
    condition: Callable[[], T],
    within_s: float,
    every_s: float = _EVERY_S,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> T:
    """The first answer of `condition` that is true; when the time is over, its last one."""
    end_s = clock() + within_s
    while True:
        over = clock() >= end_s
        if (answer := condition()) or over:
            return answer
        sleep(every_s)


def wait_while(
    look: Callable[[], T],
    within_s: float,
    every_s: float = _EVERY_S,
) -> T:
    """What `look` finds last: something false once it is over, or what is left of it when the time is."""
    found: list[T] = []

    def is_over() -> bool:
        found[:] = [look()]
        return not found[0]

    wait_until(is_over, within_s, every_s)
    return found[0]


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
            if over:
                raise
        sleep(every_s)
