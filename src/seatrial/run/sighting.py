"""Sees from outside when the effect of a fault first shows, beside the timeline and without delaying it.

The injection says when it was done; a look at the victim by another way says that it is true.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from seatrial.model.problems import SeatrialError
from seatrial.undo import calling
from seatrial.undo.clock import Instant, SystemClock
from seatrial.undo.protocol import Observable, Undo
from seatrial.waiting import wait_until

_LOOK_EVERY_S = 0.001
_LOOK_FOR_S = 1.0
_LAST_LOOK_WITHIN_S = 3.0  # a look at a server that is silent waits for it


class Sighting(threading.Thread):
    """Looks until the effect shows, a second has passed, or it is told to end."""

    def __init__(self, fault: Observable, undo: Undo, seen: Callable[[Instant], None]) -> None:
        """`seen` is told, in this thread and at most once, at which instant the effect was there."""
        super().__init__(name="seatrial-sighting", daemon=True)
        self._fault = fault
        self._undo = undo
        self._seen = seen
        self._over = threading.Event()

    def run(self) -> None:
        wait_until(self._has_seen, _LOOK_FOR_S, _LOOK_EVERY_S, sleep=self._over.wait)

    def _has_seen(self) -> bool:
        shows = not self._over.is_set() and self._shows()
        instant = SystemClock().now()
        if shows and not self._over.is_set():
            self._seen(instant)
        return shows

    def _shows(self) -> bool:
        try:
            return calling.effective(self._fault, self._undo)
        except SeatrialError:  # whatever it is, nothing was seen
            return False

    def end(self) -> None:
        """From now on nothing counts as seen: the effect is about to be taken back."""
        self._over.set()

    def await_end(self) -> None:
        """Tell it to end, and wait until it has."""
        self.end()
        self.join(_LAST_LOOK_WITHIN_S)
