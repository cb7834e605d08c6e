"""What each day cost, as numbers in a row, and what each hour did where the bill tells.

A day or an hour that the bill does not have is NaN, and never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from seatrial.model.requestlog import Floats

__all__ = ["Bill", "Charge", "CostSeries", "Floats", "by_day"]

_DAY_S = 86_400.0
HOURS = 24  # of a day, in UTC, in which no clock is ever changed
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_DAYS = 20_000  # between the first and the last: what is more is a slip of the pen


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount for the time from `start` until `end`, in the currency of the bill."""

    start: datetime
    end: datetime
    amount: float


@dataclass(frozen=True, slots=True)
class CostSeries:
    """What each day (UTC) from `first` on cost. `remarks`: what of the bill is not in it, and why.

    `hours`: of a bill by the hour, what each cost from the beginning of `first` on; else empty.
    """

    first: date
    values: Floats
    currency: str = ""
    remarks: tuple[str, ...] = ()
    hours: Floats = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.day(len(self.values) - 1)

    @property
    def midnight(self) -> datetime:
        """When the first day begins, and its first hour."""
        return datetime.combine(self.first, time(), UTC)

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
        for day, amount in spread(charge, 1):
            days[day] = days.get(day, 0.0) + amount
    if not days:
        raise ValueError("there is no charge in it")
    first, last = min(days), max(days)
    if last - first > LONGEST_DAYS:
        raise ValueError(f"its first and its last day lie more than {LONGEST_DAYS:,} days apart")
    return _EPOCH.date() + timedelta(days=first), in_a_row(days, first, last)


def spread(charge: Charge, per_day: int) -> Iterator[tuple[int, float]]:
    """What it adds to each of the parts of days that it is for, counted since 1970. Raises ValueError."""
    start, end = (_parts_since_epoch(at, per_day) for at in (charge.start, charge.end))
    if int(end) - int(start) > LONGEST_DAYS * per_day:
        raise ValueError(f"a charge for more than {LONGEST_DAYS:,} days")
    part = int(start)
    while part < end or part == int(start):
        share = (min(part + 1, end) - max(part, start)) / (end - start) if end > start else 1.0
        yield part, charge.amount * share
        part += 1


def in_a_row(amounts: Mapping[int, float], first: int, last: int) -> Floats:
    """These amounts by their number, from the first to the last; NaN where there is none."""
    values = np.full(last - first + 1, np.nan)
    for index, amount in amounts.items():
        if first <= index <= last:
            values[index - first] = amount
    return values


def hours_until(day: date) -> int:
    """Those from 1970 until a day begins, as `spread` counts them."""
    return (day - _EPOCH.date()).days * HOURS


def _parts_since_epoch(instant: datetime, per_day: int) -> float:
    """Parts of days since 1970, UTC; an instant without a zone is one of UTC, as bills mean it."""
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (zoned - _EPOCH).total_seconds() * per_day / _DAY_S  # in this order, so that a whole hour is whole
