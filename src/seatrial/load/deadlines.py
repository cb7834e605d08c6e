"""The deadlines of all requests by one timer of the loop, for hardly any of them ever rings.

    deadlines of 2 s:   ✓ ✓ · ✓ ✓ · · ·     a queue, for what begins later ends later; ✓ is over
                            ▲
                            one timer, set for the first that is not over when it rang last

`gevent.Timeout` makes a timer of the loop for each request, starts it and closes it: 4 µs of the 60 that a
request takes, and these take 1. A request that is over is only marked so, and leaves the queue when all
before it have. What is raised is a `gevent.Timeout` all the same, one for each request, at the same instant.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent import Timeout
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

_MOST_LENGTHS = 64  # whose queues are kept when they are empty; a scenario may make up a time-out a request


class Deadline:
    """The end of one request's time. `close` it, whatever has become of the request."""

    __slots__ = ("ends_s", "expired", "waiting")

    def __init__(self, ends_s: float, waiting: greenlet) -> None:
        self.ends_s = ends_s
        self.waiting: greenlet | None = waiting  # None: it is over
        self.expired: Any = None  # the Timeout that was raised

    def close(self) -> None:
        """The request is over: nothing is raised from here on."""
        self.waiting = None


class Deadlines:
    """Those of one hub's greenlets. `Deadlines.here()` are the calling thread's."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._of_length: dict[float, _Queue] = {}

    @staticmethod
    def here() -> Deadlines:
        """Of the hub that the calling thread has."""
        hub = gevent.get_hub()
        found = _OF_HUB.get(hub)
        if found is None:
            found = _OF_HUB[hub] = Deadlines(hub.loop)
        return found

    def start(self, allowed_s: float) -> Deadline:
        """The calling greenlet has `allowed_s` seconds, and then a `gevent.Timeout` is raised in it."""
        queue = self._of_length.get(allowed_s)
        if queue is None:
            if len(self._of_length) >= _MOST_LENGTHS:
                self._of_length = {length: each for length, each in self._of_length.items() if each.is_used}
            queue = self._of_length[allowed_s] = _Queue(self._loop)
        deadline = Deadline(time.monotonic() + allowed_s, getcurrent())
        queue.append(deadline)
        return deadline


class _Queue:
    """Deadlines of one length, in the order in which they end."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._waiting: deque[Deadline] = deque()
        self._timer: Any = None  # of the loop, as long as there is something to wait for

    @property
    def is_used(self) -> bool:
        """Whether a timer is set."""
        return self._timer is not None

    def append(self, deadline: Deadline) -> None:
        """It ends last of all. Those that are over leave, up to the first that is not."""
        waiting = self._waiting
        while waiting and waiting[0].waiting is None:
            waiting.popleft()
        waiting.append(deadline)
        if self._timer is None:
            self._set(deadline)

    def _ring(self) -> None:
        self._timer.close()
        waiting = self._waiting
        try:
            while waiting and ((first := waiting[0]).waiting is None or first.ends_s <= time.monotonic()):
                waiting.popleft()
                if first.waiting is not None:
                    first.expired = Timeout()
                    first.waiting.throw(first.expired)
        finally:
            self._timer = None
            if waiting:
                self._set(waiting[0])

    def _set(self, first: Deadline) -> None:
        # The priority is that of gevent's: an answer that came in the same turn of the loop is read first.
        self._timer = self._loop.timer(max(first.ends_s - time.monotonic(), 0.0), priority=-1)
        self._timer.start(self._ring, update=True)


_OF_HUB: WeakKeyDictionary[Any, Deadlines] = WeakKeyDictionary()
