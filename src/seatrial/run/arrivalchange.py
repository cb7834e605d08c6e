"""A fault that the load alone brings about: it changes the arrivals, and touches nobody (`traffic.spike`).

Since arrivals are computed beforehand, it begins and ends exactly when it was planned to.
"""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.result import StepRecord
from seatrial.model.undo import UndoOutcome


@dataclass(frozen=True, slots=True)
class ArrivalChange:
    """From `at_s`, for `for_s` seconds, arrivals come `times` as fast."""

    name: str
    at_s: float
    for_s: float
    times: float
    does: str = "traffic.spike"  # the fault; older runs knew no other

    @property
    def window(self) -> tuple[float, float, float]:
        """(start, end, factor), as the arrival schedule wants it."""
        return self.at_s, self.at_s + self.for_s, self.times

    def record(self, now_s: float) -> StepRecord:
        """What has become of it by `now_s`."""
        begun, over = now_s >= self.at_s, now_s >= self.at_s + self.for_s
        return StepRecord(
            self.name,
            "fault",
            self.does,
            "load",
            self.at_s,
            before_s=self.at_s if begun else None,
            injected_s=self.at_s if begun else None,
            undone_s=self.at_s + self.for_s if over else now_s if begun else None,
            verified=True if begun else None,
            undo=UndoOutcome.VERIFIED if begun else UndoOutcome.NOT_INJECTED,
        )
