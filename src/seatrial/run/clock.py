"""One monotonic clock and one wall-clock anchor for a whole run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class RunClock:
    """Durations come from CLOCK_MONOTONIC, wall times from one anchor: setting the clock changes nothing."""

    anchor_mono_s: float
    anchor_wall: datetime

    @classmethod
    def start(cls) -> RunClock:
        """A clock anchored now."""
        return cls(time.monotonic(), datetime.now(UTC))

    def now(self) -> float:
        """Seconds on CLOCK_MONOTONIC."""
        return time.monotonic()

    def wall(self, mono_s: float) -> datetime:
        """The wall time of a monotonic instant, UTC."""
        return self.anchor_wall + timedelta(seconds=mono_s - self.anchor_mono_s)

    def epoch_s(self, mono_s: float) -> float:
        """The same in seconds since 1970; NaN for NaN."""
        return self.anchor_wall.timestamp() + mono_s - self.anchor_mono_s
