"""What every process of a test is told at its start: one time zero, and who takes which arrivals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from seatrial.load.offer import Share
from seatrial.processes import boot_id

KEY = "seatrial_assignment"  # among Locust's options, which a master sends to its workers


@dataclass(frozen=True, slots=True)
class Assignment:
    """Zero is an instant of one machine's monotonic clock, so all workers must run on that machine."""

    zero_monotonic_s: float
    zero_unix_s: float
    machine: str  # which boot of which machine: within one, monotonic clocks agree
    workers: tuple[str, ...]  # in order of their shares
    folder: str  # where the spools go

    @classmethod
    def starting(cls, in_s: float, workers: tuple[str, ...], folder: Path) -> Self:
        """With zero `in_s` seconds from now."""
        now = time.monotonic()
        return cls(now + in_s, time.time() + in_s, boot_id(), workers, str(folder))

    def plain(self) -> dict[str, Any]:
        """For sending."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` made."""
        return cls(**{**plain, "workers": tuple(plain["workers"])})

    def share_of(self, worker: str) -> Share | None:
        """The arrivals that `worker` takes; None for one that came too late to be counted in."""
        return Share(self.workers.index(worker), len(self.workers)) if worker in self.workers else None

    def spool(self, index: int) -> Path:
        """The spool of a worker."""
        return Path(self.folder) / f"worker-{index}.spool"

    def spools(self) -> list[Path]:
        """The spools of all workers."""
        return [self.spool(index) for index in range(len(self.workers))]
