"""An alarm clock for an event loop that rings within tens of microseconds.

An event loop's own timers are as coarse as the time-out of its poll system call: epoll counts in whole
milliseconds, so at 10,000 arrivals a minute each is sent up to a millisecond late, and that millisecond is
reported as the service's latency. A `timerfd` is an ordinary file descriptor that the kernel makes readable
at an absolute instant of CLOCK_MONOTONIC, from a high-resolution timer, and the loop wakes for it as for a
socket.

Where there is no timerfd (it is Linux only) the loop's own timer stands in, and the lateness that the
generator reports about itself shows the difference.
"""

from __future__ import annotations

import ctypes
import os
import select
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import gevent.monkey

CLOCK_MONOTONIC = 1
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_READABLE = 1  # libev's EV_READ


class Alarm(Protocol):
    """Calls back in the loop at an instant, and again in each turn of the loop until it is set anew."""

    def set(self, at_s: float) -> None:
        """Ring at `at_s` of the monotonic clock; at once when that is past."""

    def close(self) -> None:
        """Never ring again."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _LibcTimer:
    """A timerfd by way of libc, for the Pythons before 3.13."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._settime = libc.timerfd_settime
        self._settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._spec = _Itimerspec()
        self._address = ctypes.addressof(self._spec)

    def set(self, at_s: float) -> None:
        seconds = int(at_s)
        value = self._spec.value
        value.seconds = seconds
        value.nanoseconds = int((at_s - seconds) * 1e9)
        self._settime(self.fd, _ABSOLUTE, self._address, None)


class _OsTimer:
    """A timerfd by way of `os`, from Python 3.13 on."""

    def __init__(self) -> None:
        api: Any = os
        self.fd: int = api.timerfd_create(CLOCK_MONOTONIC, flags=os.O_NONBLOCK | os.O_CLOEXEC)
        self._settime = api.timerfd_settime

    def set(self, at_s: float) -> None:
        self._settime(self.fd, flags=_ABSOLUTE, initial=at_s)


class TimerfdAlarm:
    """Rings from a timerfd. The descriptor stays readable, and so keeps ringing, until it is set anew."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._timer = _OsTimer() if hasattr(os, "timerfd_create") else _LibcTimer()
        # The highest priority: within one turn of the loop an arrival goes out before answers are read.
        self._watcher = loop.io(self._timer.fd, _READABLE, priority=loop.MAXPRI)
        self._watcher.start(ring)
        self.set = self._timer.set

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        os.close(self._timer.fd)


class LoopAlarm:
    """Rings from the loop's own timer, as late as that is."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: Any = None

    def set(self, at_s: float) -> None:
        self.close()
        self._timer = self._loop.timer(max(0.0, at_s - time.monotonic()))
        self._timer.start(self._again, update=True)  # counting from now, not from when the loop last looked

    def _again(self) -> None:
        rung = self._timer
        self._ring()
        if self._timer is rung:
            self.set(0.0)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


class Respite(Protocol):
    """An instant that one thread puts off again and again, and another one waits for."""

    def until(self, at_s: float) -> None:
        """Put it off until `at_s` of the monotonic clock. That wakes nobody, unless it is past."""

    def wait(self) -> None:
        """Let this thread sleep until it has come."""

    def close(self) -> None:
        """Nobody waits any more."""


class TimerfdRespite:
    """That of a timerfd, which has come when it begins."""

    def __init__(self) -> None:
        self._timer = _OsTimer() if hasattr(os, "timerfd_create") else _LibcTimer()
        self._poll = gevent.monkey.get_original("select", "poll")()
        self._poll.register(self._timer.fd, select.POLLIN)
        self.until = self._timer.set
        self.until(time.monotonic())

    def wait(self) -> None:
        self._poll.poll()

    def close(self) -> None:
        os.close(self._timer.fd)


class NoRespite:
    """One that has always come."""

    def until(self, at_s: float) -> None:
        pass

    def wait(self) -> None:
        pass

    def close(self) -> None:
        pass


def respite() -> Respite:
    """The best that this system has."""
    try:
        return TimerfdRespite()
    except (AttributeError, OSError):
        return NoRespite()


def alarm(loop: Any, ring: Callable[[], None]) -> Alarm:
    """The best alarm that this system has for gevent's `loop`."""
    try:
        return TimerfdAlarm(loop, ring)
    except (AttributeError, OSError):
        return LoopAlarm(loop, ring)


def sleep_until(at_s: float) -> None:
    """Let others run until an instant of the monotonic clock.

    Not by `spawn_later`, which counts from when the loop last looked at the clock: what has held the loop
    since would be cut off.
    """
    gevent.sleep(max(0.0, at_s - time.monotonic()))
