"""What every process of a test is told at its start: one time zero, and who takes which arrivals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from seatrial.load.offer import Share
from seatrial.processes import boot_id

KEY = "seatrial_assignment"  # among Locust's options, which a master sends to its workers


@dataclass(frozen=True, slots=True)
class Assignment:
    """Zero is an instant of the monotonic clock of the machine that assigns.

    Workers that it has forked read the same clock and write into the same folder. Those that are `far` are
    told how much their own clocks are ahead, and have disks of their own.
    """

    zero_monotonic_s: float
    zero_unix_s: float
    machine: str  # which boot of which machine: within one, monotonic clocks agree
    workers: tuple[str, ...]  # in order of their shares
    folder: str  # where the spools go
    ahead_s: tuple[float, ...] = ()  # the clocks of far workers; () when all are near
    test: str = ""  # tells this test from others

    @classmethod
    def starting(
        cls, in_s: float, workers: tuple[str, ...], folder: Path, ahead_s: tuple[float, ...] = ()
    ) -> Self:
        """With zero `in_s` seconds from now."""
        now, test = time.monotonic(), uuid4().hex
        return cls(now + in_s, time.time() + in_s, boot_id(), workers, str(folder), ahead_s, test)

    @property
    def far(self) -> bool:
        """Whether workers share neither clock nor disk with whoever assigns."""
        return bool(self.ahead_s)

    @property
    def place(self) -> Path:
        """The folder of the spools."""
        return Path(self.folder)

    def zero_of(self, share: Share) -> float:
        """The instant of zero by the clock of the worker with this share."""
        return self.zero_monotonic_s + (self.ahead_s[share.index] if self.far else 0.0)

    def plain(self) -> dict[str, Any]:
        """For sending."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` made."""
        tuples = {name: tuple(plain[name]) for name in ("workers", "ahead_s")}
        return cls(**{**plain, **tuples})

    def share_of(self, worker: str) -> Share | None:
        """The arrivals that `worker` takes; None for one that came too late to be counted in."""
        return Share(self.workers.index(worker), len(self.workers)) if worker in self.workers else None

    def spool(self, index: int) -> Path:
        """The spool of a worker."""
        return Path(self.folder) / f"worker-{index}.spool"

    def spools(self) -> list[Path]:
        """The spools of all workers."""
        return [self.spool(index) for index in range(len(self.workers))]
