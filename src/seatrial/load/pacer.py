"""Starts each arrival at the instant it is due, whatever became of the ones before.

    arrivals (computed beforehand) ──► pacer ──► launch(intended, choice)
                                         ▲
                        alarm (timerfd) ─┘   rings at zero + the next intended instant

The pacer runs as a callback of the event loop. When it is behind, it starts a bounded batch and lets the
loop turn before it goes on, so that answers which have already come are not read late as well: a burst must
not show up as the service's latency.

After a while of quiet a processor sleeps, and takes as long to wake as it then takes to send. So the alarm is
set a little early then, and the rest of the time is waited out awake, which halves the lateness (median
0.04 ms instead of 0.09 ms). How much is early enough is learned from how late the alarm rings: each ring that
comes too late moves it by eight times as much as one that comes in time, so that one in nine is late. No
arrival is sent early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from seatrial.load.alarm import Alarm

BATCH = 16  # arrivals started between two turns of the loop
QUIET_S = 1e-3  # a pause after which the processor may be asleep
EARLY_S = 80e-6  # how long it is awake before an arrival then, at first and at most
_STEP_S = 0.5e-6  # by which that is made shorter where less would do
_LATE_STEPS = 8


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
        self._make_alarm: Callable[[Callable[[], None]], Alarm] | None = None
        self._awake_for_s: float | None = None  # the instant before which the alarm was set early
        self._early_s = EARLY_S
        self._due = next(arrivals, None)

    def start(self, make_alarm: Callable[[Callable[[], None]], Alarm]) -> None:
        """Begin; `make_alarm` turns a callback into an alarm of the loop that it is to run in."""
        self._make_alarm = make_alarm
        self._alarm = make_alarm(self._ring)
        self._rearm()

    def go_on(self, arrivals: Iterator[tuple[float, int]]) -> None:
        """With these as well, which are due after all that it was given before."""
        self._arrivals = chain(self._arrivals, arrivals)
        if self._due is None:
            self._due = next(self._arrivals, None)
            if self._alarm is None and self._make_alarm is not None:
                self._alarm = self._make_alarm(self._ring)
            self._rearm()

    def stop(self) -> None:
        """Start what is due by now, and nothing that is due later."""
        now_s = self._clock() - self._zero_s
        while self._due is not None and self._due[0] <= now_s:
            self._launch_one(*self._due)
        self._due = None
        self._rearm()

    def _ring(self) -> None:
        if self._awake_for_s is not None:
            self._await(self._awake_for_s)
        for _ in range(BATCH):
            due = self._due
            if due is None or self._zero_s + due[0] > self._clock():
                self._rearm()
                return
            self._launch_one(*due)

    def _await(self, at_s: float) -> None:
        left_s = at_s - self._clock()
        if left_s > self._early_s:
            return  # nobody has set the alarm for now
        self._awake_for_s = None
        if left_s > 0:
            self._early_s = max(self._early_s - _STEP_S, 0.0)
            while self._clock() < at_s:
                pass
        else:
            self._early_s = min(self._early_s + _LATE_STEPS * _STEP_S, EARLY_S)

    def _launch_one(self, intended: float, choice: int) -> None:
        self._due = next(self._arrivals, None)
        self._launch(intended, choice)

    def _rearm(self) -> None:
        if self._alarm is None:
            return
        if self._due is None:
            self._alarm.close()
            self._alarm = None
            return
        at_s = self._zero_s + self._due[0]
        if at_s - self._clock() > QUIET_S:
            self._awake_for_s = at_s
            at_s -= self._early_s
        self._alarm.set(at_s)
