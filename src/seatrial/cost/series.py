"""What each day cost, as numbers in a row. A day that the bill does not have is NaN, and never zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from seatrial.model.requestlog import Floats

__all__ = ["Bill", "Charge", "CostSeries", "Floats", "by_day"]

_DAY_S = 86_400.0
LONGEST_DAYS = 20_000  # between the first and the last: what is more is a slip of the pen


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount for the time from `start` until `end`, in the currency of the bill."""

    start: datetime
    end: datetime
    amount: float


@dataclass(frozen=True, slots=True)
class CostSeries:
    """What each day (UTC) from `first` on cost. `remarks`: what of the bill is not in it, and why."""

    first: date
    values: Floats
    currency: str = ""
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.day(len(self.values) - 1)

    def day(self, index: int) -> date:
        """The day that a value is of."""
        return self.first + timedelta(days=index)

    def until(self, last: date) -> CostSeries:
        """The same up to `last`: days that it lacks are NaN, and what is later is left out."""
        days = (last - self.first).days + 1
        if days < 1:
            return replace(self, values=np.empty(0))
        more = max(0, days - len(self.values))
        return replace(self, values=np.concatenate([self.values[:days], np.full(more, np.nan)]))


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill that was recorded. `invented`: nobody has paid it, and nothing in it is an anomaly."""

    series: CostSeries
    invented: bool


def by_day(charges: Iterable[Charge]) -> tuple[date, Floats]:
    """The first day, and what each day cost. A charge for more than a day is spread evenly over its time.

    A day that no charge is for is NaN. Raises ValueError where there is none at all, or they lie too far
    apart.
    """
    days: dict[int, float] = {}
    for charge in charges:
        start, end = _epoch_days(charge.start), _epoch_days(charge.end)
        if int(end) - int(start) > LONGEST_DAYS:
            raise ValueError(f"a charge for more than {LONGEST_DAYS:,} days")
        day = int(start)
        while day < end or day == int(start):
            share = (min(day + 1, end) - max(day, start)) / (end - start) if end > start else 1.0
            days[day] = days.get(day, 0.0) + charge.amount * share
            day += 1
    if not days:
        raise ValueError("there is no charge in it")
    first, last = min(days), max(days)
    if last - first > LONGEST_DAYS:
        raise ValueError(f"its first and its last day lie more than {LONGEST_DAYS:,} days apart")
    values = np.full(last - first + 1, np.nan)
    for day, amount in days.items():
        values[day - first] = amount
    return date(1970, 1, 1) + timedelta(days=first), values


def _epoch_days(instant: datetime) -> float:
    """Days since 1970, UTC; an instant without a zone is one of UTC, as bills mean it."""
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (zoned - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / _DAY_S
