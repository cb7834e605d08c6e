"""Instants on the three clocks that a fault's life is told in, and the boot that two of them belong to.

The monotonic clock is the request log's: downtime is measured against it. Wall time is for people.
CLOCK_BOOTTIME also runs while the machine sleeps, so a fault's time to live ends on the hour that was
promised even when somebody closed the lid. Neither of the first and last survives a reboot, which is why
everything that is compared with them carries the boot's id.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant, in nanoseconds, read from three clocks within microseconds of each other."""

    monotonic_ns: int
    wall_ns: int
    boottime_ns: int


class Clock(Protocol):
    """Where instants come from; tests pass their own."""

    def now(self) -> Instant:
        """The present instant."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The kernel's clocks. Where there is no CLOCK_BOOTTIME (macOS), the monotonic clock stands in."""

    def now(self) -> Instant:
        return Instant(time.monotonic_ns(), time.time_ns(), boottime_ns())


def boottime_ns() -> int:
    """Nanoseconds since boot, sleep included."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()
