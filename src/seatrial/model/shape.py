"""What makes a rate shape one, whether it is read from a file, an option or a program.

    rate │      ╱‾‾‾‾|            RateStep(0, 10/s)            from 0 s on, 10/s
         │     ╱     |__          RateStep(5, 10/s, to=40/s)   … and from 5 s on more and more,
         │____╱                   RateStep(9, 40/s)            … 40/s when the next step begins
         └─────────────── time    RateStep(12, 20/s)

Apart from `arrivals`, which needs arrays: whoever reads an experiment or a target does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from seatrial.model.quantities import Rate


@dataclass(frozen=True, slots=True)
class RateStep:
    """From `at_s` (seconds after the schedule's start) until the next step, this rate is offered.

    With `to`, a ramp: the rate goes evenly from `rate` to `to`, which is reached when the next step begins.
    """

    at_s: float
    rate: Rate
    to: Rate | None = None

    @property
    def peak_per_s(self) -> float:
        """The highest rate while it lasts."""
        return max(self.rate.per_second, self.end_per_s)

    @property
    def end_per_s(self) -> float:
        """The rate that is reached at its end."""
        return (self.to or self.rate).per_second

    def at(self, share: float) -> Rate:
        """The rate when `share` of it is over, in the unit of its beginning."""
        if self.to is None:
            return self.rate
        first = self.rate.count
        return Rate(first + (self.to.per_second * self.rate.per_s - first) * share, self.rate.per_s)

    def times(self, factor: float) -> RateStep:
        """The same, `factor` times as high."""
        return RateStep(self.at_s, self.rate.times(factor), self.to.times(factor) if self.to else None)

    def __str__(self) -> str:
        return (
            f"{self.rate} to {self.to} from {self.at_s:g}s" if self.to else f"{self.rate} from {self.at_s:g}s"
        )


def starts_in_order(starts: Sequence[float]) -> bool:
    """Whether a rate shape's steps begin at 0 and follow one another in time."""
    return bool(starts) and starts[0] == 0 and all(a < b for a, b in pairwise(starts))
