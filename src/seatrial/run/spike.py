"""A traffic spike: the one fault that touches no target. It is a change of the arrival schedule.

Since arrivals are computed beforehand, a spike begins and ends exactly when it was planned to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from seatrial.model.result import StepRecord
from seatrial.model.strict import Strict
from seatrial.model.undo import UndoOutcome
from seatrial.undo.registry import SPIKE

NAME = SPIKE


class SpikeParameters(Strict):
    """`with:` of a spike."""

    times: Annotated[float, Field(gt=0, le=1000, strict=False)] = 10.0


@dataclass(frozen=True, slots=True)
class Spike:
    """From `at_s`, for `for_s` seconds, arrivals come `times` as fast."""

    name: str
    at_s: float
    for_s: float
    times: float

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
            NAME,
            "load",
            self.at_s,
            before_s=self.at_s if begun else None,
            injected_s=self.at_s if begun else None,
            undone_s=self.at_s + self.for_s if over else now_s if begun else None,
            verified=True if begun else None,
            undo=UndoOutcome.VERIFIED if begun else UndoOutcome.NOT_INJECTED,
        )
