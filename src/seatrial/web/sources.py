"""Where pages read from: the run database, the state directory, the readiness file and the schedules.

What takes long to judge and changes slowly, the matrix and the planned instants, is kept for some seconds;
the page says of which instant it is. Everything else is read for each page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from seatrial.incidents import IncidentSettings
from seatrial.schedule import LoadedSchedule, load_schedules
from seatrial.store import Store
from seatrial.trials.readiness import READINESS, Standing, standing

KEPT_S = 15.0
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """A value that is made anew when it is older than some seconds; by one thread, while others wait."""

    def __init__(self, make: Callable[[], Value], kept_s: float = KEPT_S) -> None:
        self._make = make
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._made: tuple[float, Value] | None = None

    def get(self, *, fresh: bool = False) -> Value:
        """The value; made just now if `fresh`. What `make` raises is not kept."""
        with self._lock:
            if fresh or self._made is None or time.monotonic() - self._made[0] > self._kept_s:
                self._made = None
                value = self._make()
                self._made = time.monotonic(), value
            return self._made[1]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Sources:
    """All that pages read from. `readiness`: the readiness file; `schedules`: files of schedules."""

    store: Store
    home: Path
    readiness: str = READINESS
    schedules: tuple[Path, ...] = ()
    incidents: IncidentSettings = field(default_factory=IncidentSettings.from_environment)
    now: Callable[[], datetime] = _now
    matrix: Kept[Standing] = field(init=False)
    """Where the service stands. Raises BadInput, Unavailable, Damaged."""
    loaded: Kept[list[LoadedSchedule]] = field(init=False)
    """The schedules. Raises BadInput."""

    def __post_init__(self) -> None:
        self.matrix = Kept(lambda: standing(self.readiness, self.store, self.now()))
        self.loaded = Kept(lambda: load_schedules(self.schedules))
