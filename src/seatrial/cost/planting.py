"""Puts anomalies of known kind, day and size into a series of costs: what a detector is tried with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from seatrial.cost.series import Floats

_LEVEL_DAYS = 14  # before it, which say what a day costs


class Anomaly(StrEnum):
    """What can be planted."""

    SPIKE = "spike"
    """A day, or some, that cost more: somebody's batch job, an attack, a loop that retries."""
    LEAK = "leak"
    """Each day costs more than the one before, from then on: what is started and never stopped."""
    PRICE = "price"
    """Everything costs more from then on: a price that was raised, a discount that ended."""
    GAP = "gap"
    """Days that the bill does not have: an export that failed."""


@dataclass(frozen=True, slots=True)
class Planted:
    """An anomaly: on which day it begins, as an index of the series, and how large it is.

    `size`, as a share of what a day costs: added on each day of a spike and of a raised price (1 doubles
    them), and by a leak on each day once more. `days`: how long a spike or a gap lasts.
    """

    anomaly: Anomaly
    day: int
    size: float = 0.0
    days: int = 1

    def into(self, values: Floats) -> Floats:
        """A copy of `values` with it. Raises ValueError when it would begin beyond their end."""
        if not 0 <= self.day < len(values):
            raise ValueError(f"day {self.day} is none of {len(values)}")
        planted = values.copy()
        some = slice(self.day, self.day + self.days)
        match self.anomaly:
            case Anomaly.SPIKE:
                planted[some] *= 1 + self.size
            case Anomaly.PRICE:
                planted[self.day :] *= 1 + self.size
            case Anomaly.LEAK:
                level = float(np.nanmedian(values[max(0, self.day - _LEVEL_DAYS) : self.day + 1]))
                planted[self.day :] += self.size * level * np.arange(1, len(values) - self.day + 1)
            case Anomaly.GAP:
                planted[some] = np.nan
        return planted
