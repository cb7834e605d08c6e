"""Starts each arrival at the instant it is due, whatever became of the ones before.

    arrivals (computed beforehand) ──► pacer ──► launch(intended, choice)
                                         ▲
                        alarm (timerfd) ─┘   rings at zero + the next intended instant

The pacer runs as a callback of the event loop. When it is behind, it starts a bounded batch and lets the
loop turn before it goes on, so that answers which have already come are not read late as well: a burst must
not show up as the service's latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seatrial.load.alarm import Alarm

BATCH = 16  # arrivals started between two turns of the loop


class Pacer:
    """Paces `arrivals`, pairs of an intended instant (seconds after `zero_s`) and a choice.

    `zero_s` is an instant of `clock`, a monotonic clock in seconds.
    """

    def __init__(
        self,
        arrivals: Iterator[tuple[float, int]],
        zero_s: float,
        launch: Callable[[float, int], None],
        clock: Callable[[], float],
    ) -> None:
        self._arrivals = arrivals
        self._zero_s = zero_s
        self._launch = launch
        self._clock = clock
        self._alarm: Alarm | None = None
        self._due = next(arrivals, None)

    def start(self, make_alarm: Callable[[Callable[[], None]], Alarm]) -> None:
        """Begin; `make_alarm` turns a callback into an alarm of the loop that it is to run in."""
        self._alarm = make_alarm(self._ring)
        self._rearm()

    def stop(self) -> None:
        """Start what is due by now, and nothing that is due later."""
        now_s = self._clock() - self._zero_s
        while self._due is not None and self._due[0] <= now_s:
            self._launch_one(*self._due)
        self._due = None
        self._rearm()

    def _ring(self) -> None:
        for _ in range(BATCH):
            due = self._due
            if due is None or self._zero_s + due[0] > self._clock():
                self._rearm()
                return
            self._launch_one(*due)

    def _launch_one(self, intended: float, choice: int) -> None:
        self._due = next(self._arrivals, None)
        self._launch(intended, choice)

    def _rearm(self) -> None:
        if self._alarm is None:
            return
        if self._due is None:
            self._alarm.close()
            self._alarm = None
        else:
            self._alarm.set(self._zero_s + self._due[0])
