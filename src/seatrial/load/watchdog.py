"""Sees what stops the loop that sends all requests, from a thread beside it, and names the line.

A scenario's client that waits in the operating system's way and not in gevent's (a library in C, a lock, a
long computation) stops everybody: nothing is sent and no answer is read until it returns. The lateness that
the generator reports tells that something did; where, can only be told while it lasts.

    the loop's thread    ──turn──┬──turn──┬── read(2) in pay.py:31 ───────────────┬──turn──►
    the watchdog's           ·      ·     ·      ·      ·      ·      ·      ·      ·
                                          └ the same turn, and the loop is not asleep: whose line is it?

The watchdog is a thread of the operating system, not of gevent. It looks at how long ago the loop last came
back from its poll, and at the frame that the loop's thread is in: in the loop's own, it is idle. Two looks in
one turn at one place make a hold. A generator that the machine does not let run holds nothing itself; the
kernel tells how long a thread has waited for a processor, and how long it has run.

A look costs the loop nothing but the moment that the interpreter is taken from it. It costs the machine as
much as half a request, though, for a thread has to wake. As long as the loop sets the alarm for one arrival
after the other, nothing holds it; so each time it puts off the next look (`Minded`) until that arrival would
be late. The watchdog sleeps through a load that is in time, and looks often as soon as it is not:

    arrivals    │      │      │      │ ──── read(2) in pay.py:31 ────►
    looks                                  ·  ·  ·  ·  ·

Where arrivals are seldom it looks between them as well: an answer, too, may lead to what holds the loop.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import gevent.hub
import gevent.monkey

from seatrial.load.alarm import Alarm, respite
from seatrial.load.scenario_errors import ErrorTally, place_among
from seatrial.model.scenarioaccount import BlockingCall

_SHORTEST_S, _LONGEST_S = 0.005, 0.1  # of arrival intervals: what is shorter is noise, what is longer counts
_LOOKS = 2  # in the time that a hold has to last
_SELDOM_S = 0.025  # a look is put off for no longer than that, and what may be noticed
_EXACT = 4  # a look is put off anew for a difference of that part of what may be noticed
_MOST_PLACES = 50
_IDLE = gevent.hub.Hub.run.__code__

logger = logging.getLogger(__name__)


def noticeable_s(peak_per_s: float) -> float:
    """What the loop may be held for at `peak_per_s` arrivals before it is told: an arrival interval."""
    return min(max(1 / peak_per_s if peak_per_s else _LONGEST_S, _SHORTEST_S), _LONGEST_S)


class Spot(NamedTuple):
    """Where the loop's thread is. Within one function the line may move on; it is one spot."""

    place: str
    during: str  # the function
    function: int  # its first line

    def is_in(self, other: Spot) -> bool:
        """Whether both are in one function."""
        return self.during == other.during and self.function == other.function


class Look(NamedTuple):
    """What one look sees."""

    turn: int  # of the loop
    age_s: float  # of the turn
    spot: Spot | None  # None: the loop sleeps
    ran_s: float = 0.0  # the thread has had a processor for so long …
    waited_s: float = 0.0  # … and has waited for one
    runnable: bool = False  # it runs, or waits for a processor


class Holds:
    """Makes holds of looks. `allowed_s`: how long the loop may be held."""

    def __init__(self, allowed_s: float) -> None:
        self.allowed_s = allowed_s
        self.found: dict[Spot, BlockingCall] = {}
        self.changed = False  # since somebody has looked and set it back
        self._last: Look | None = None
        self._since_s = 0.0  # the age at which this spot was first seen in this turn
        self._counted: Spot | None = None  # the spot whose hold is counted already

    def see(self, look: Look) -> None:
        """One look; they come in order."""
        last, self._last = self._last, None
        if look.spot is None or look.age_s < self.allowed_s:
            return
        self._last = look
        if last is None or last.spot is None or last.turn != look.turn:
            self._since_s, self._counted = 0.0, None
            return
        if not look.spot.is_in(last.spot):
            self._since_s, self._counted = last.age_s, None
        length_s = look.age_s - self._since_s
        if self._counted or (length_s >= self.allowed_s and _is_its_own_doing(last, look)):
            self._hold(self._counted or look.spot, length_s)

    def _hold(self, spot: Spot, length_s: float) -> None:
        known = self.found.get(spot)
        if known is None and len(self.found) >= _MOST_PLACES:
            return
        known = known or BlockingCall(spot.place, spot.during, 0, 0.0)
        count = known.count + (self._counted is None)
        self.found[spot] = replace(known, count=count, longest_ms=max(known.longest_ms, length_s * 1e3))
        self._counted = spot
        self.changed = True


def _is_its_own_doing(last: Look, look: Look) -> bool:
    """Between two looks it has run, or slept by itself; it has not waited for the machine to let it run."""
    passed_s = look.age_s - last.age_s
    if look.runnable:
        return look.ran_s - last.ran_s >= passed_s / 2
    return look.waited_s - last.waited_s <= passed_s / 2


class Watchdog:
    """Looks, in a thread of its own, for as long as `stop` is not called. Made in the loop's thread."""

    def __init__(self, hub: Any, allowed_s: float, scenario: str) -> None:
        self.holds = Holds(allowed_s)
        self._loop = hub.loop
        self._scenario = Path(scenario).resolve() if scenario else None
        self._watched = _original("_thread", "get_ident")()
        self._processor = _Processor()
        self._told: set[Spot] = set()
        self._stopping = False
        self._respite = respite()  # until the next look
        self._until_s = 0.0
        self._ended = _original("_thread", "allocate_lock")()

    def start(self) -> None:
        """Begin to look."""
        self._ended.acquire()
        _original("_thread", "start_new_thread")(self._watch, ())

    def minding(self, alarm: Alarm) -> Alarm:
        """The same alarm, by which the watchdog knows that the loop turns as long as it is set."""
        return Minded(alarm, self._expect)

    def stop(self) -> None:
        """The last look is over when this returns."""
        self._stopping = True
        self._respite.until(time.monotonic())
        self._ended.acquire()
        self._processor.close()
        self._respite.close()

    def report(self, errors: ErrorTally) -> None:
        """Say what was found since the last time. In the loop's thread, for logging waits in gevent's way."""
        if not self.holds.changed:
            return
        self.holds.changed = False
        found = self.holds.found.copy()
        for spot, call in found.items():
            if spot not in self._told:
                self._told.add(spot)
                logger.warning("%s; nothing was sent or read meanwhile (told once, and counted)", call)
        errors.stopped_by(tuple(sorted(found.values(), key=lambda each: -each.longest_ms)))

    def _expect(self, at_s: float) -> None:
        """The alarm is set for `at_s`: it is late after that."""
        allowed_s = self.holds.allowed_s
        until_s = min(at_s, time.monotonic() + _SELDOM_S) + allowed_s / _LOOKS
        if not 0 <= until_s - self._until_s <= allowed_s / _EXACT and not self._stopping:
            self._until_s = until_s
            self._respite.until(until_s)

    def _watch(self) -> None:
        sleep, pause_s = _original("time", "sleep"), self.holds.allowed_s / _LOOKS
        try:
            while not self._stopping:
                sleep(pause_s)
                self._respite.wait()
                self.holds.see(self._look())
        finally:
            self._ended.release()

    def _look(self) -> Look:
        age_s = time.time() - self._loop.now()  # by the clock that the loop goes by
        turn = self._loop.iteration
        if age_s < self.holds.allowed_s:
            return Look(turn, age_s, None)
        frame = sys._current_frames().get(self._watched)
        if frame is None or frame.f_code is _IDLE:
            return Look(turn, age_s, None)
        return Look(turn, age_s, self._spot(frame), *self._processor.read())

    def _spot(self, innermost: FrameType) -> Spot:
        frames = list(_chain(innermost))
        lines = [(frame.f_code.co_filename, frame.f_lineno) for frame in frames]
        at, place = place_among(lines, self._scenario)
        code = frames[at].f_code
        return Spot(place, code.co_name, code.co_firstlineno)


class Minded:
    """An alarm of which somebody hears what it is set for."""

    def __init__(self, alarm: Alarm, hear: Callable[[float], None]) -> None:
        self._set = alarm.set
        self._hear = hear
        self.close = alarm.close

    def set(self, at_s: float) -> None:
        """Ring at `at_s`."""
        self._set(at_s)
        self._hear(at_s)


class _Processor:
    """What the kernel says of this thread: how long it ran, how long it waited to, and whether it would."""

    def __init__(self) -> None:
        folder = f"/proc/self/task/{_original('_thread', 'get_native_id')()}"
        self._files: list[int] = []
        try:
            for name in ("schedstat", "stat"):
                self._files.append(os.open(f"{folder}/{name}", os.O_RDONLY))
        except OSError:
            self.close()  # elsewhere than on Linux every hold is taken for the scenario's

    def read(self) -> tuple[float, float, bool]:
        if not self._files:
            return 0.0, 0.0, False
        ran, waited, _ = os.pread(self._files[0], 128, 0).split()
        state = os.pread(self._files[1], 512, 0).rpartition(b")")[2].split()[0]
        return int(ran) / 1e9, int(waited) / 1e9, state == b"R"

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


def _chain(innermost: FrameType) -> Iterator[FrameType]:
    """From the outermost frame to the innermost."""
    frames = []
    frame: FrameType | None = innermost
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return reversed(frames)


def _original(module: str, name: str) -> Callable[..., Any]:
    """What gevent has replaced: the watchdog must not wait in the loop that it watches."""
    found: Callable[..., Any] = gevent.monkey.get_original(module, name)
    return found
