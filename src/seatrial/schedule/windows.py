"""When runs may be, decided for one instant at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatrial.schedule.model import WEEKDAYS

_DAY = 24 * 60
_LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class WeeklySpan:
    """From minute `start` to `end` of some weekdays; an end at or before the start is on the next day."""

    days: frozenset[int]
    start: int
    end: int
    why: str = ""

    def holds(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether an instant lies inside, by the zone's wall clock."""
        local = instant.astimezone(zone)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        began_yesterday = (day - 1) % 7 in self.days and minute < self.end
        return (day in self.days and minute >= self.start) or began_yesterday

    def covering(self, instant: datetime, zone: ZoneInfo) -> str | None:
        """What of it holds an instant, in words, or None."""
        return str(self) if self.holds(instant, zone) else None

    def __str__(self) -> str:
        days = ", ".join(WEEKDAYS[day][:3] for day in sorted(self.days))
        hours = "" if (self.start, self.end) == (0, _DAY) else f" {_clock(self.start)}–{_clock(self.end)}"
        return self.why or days + hours


@dataclass(frozen=True, slots=True)
class DatedSpan:
    """From one instant to another (exclusive)."""

    start: datetime
    end: datetime
    why: str = ""

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies inside."""
        return self.start <= instant < self.end

    def covering(self, instant: datetime, zone: ZoneInfo) -> str | None:  # noqa: ARG002  # a WeeklySpan's
        """What of it holds an instant, in words, or None."""
        return str(self) if self.holds(instant) else None

    def __str__(self) -> str:
        return self.why or f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, eq=False)
class CalendarSpan:
    """The events of a calendar, of which some recur for ever: worked out for a month when it is asked about.

    `between(start, end)`: the events that overlap with those instants. The months that were asked about are
    kept; they follow from the calendar alone, so that nobody can tell.
    """

    name: str
    between: Callable[[datetime, datetime], tuple[DatedSpan, ...]]
    _months: dict[tuple[int, int], tuple[DatedSpan, ...]] = field(default_factory=dict, repr=False)

    def covering(self, instant: datetime, zone: ZoneInfo) -> str | None:  # noqa: ARG002  # a WeeklySpan's
        """The event that holds an instant, in words, or None."""
        utc = instant.astimezone(UTC)
        month = (utc.year, utc.month)
        if month not in self._months:
            begins = datetime(*month, 1, tzinfo=UTC)
            self._months[month] = self.between(begins, begins + _LONGEST_MONTH)
        return next((str(event) for event in self._months[month] if event.holds(utc)), None)

    def __str__(self) -> str:
        return f"the events of {self.name}"


Span = WeeklySpan | DatedSpan | CalendarSpan


@dataclass(frozen=True, slots=True)
class Allowance:
    """A schedule's windows: inside one of `only` (if there is any) and outside all of `never`."""

    zone: ZoneInfo
    only: tuple[Span, ...] = ()
    never: tuple[Span, ...] = ()

    def blackout(self, instant: datetime) -> str | None:
        """Why nothing may run at an instant, or None when something may."""
        for span in self.never:
            if (reason := span.covering(instant, self.zone)) is not None:
                return f"never: {reason}"
        if self.only and all(span.covering(instant, self.zone) is None for span in self.only):
            return f"only: {'; '.join(str(span) for span in self.only)}"
        return None


def dated(text: str, zone: ZoneInfo, why: str = "") -> DatedSpan:
    """`2026-12-24`, or `A to B`: two dates are both included, of two instants the second is not.

    Raises ValueError.
    """
    first, separator, last = (part.strip() for part in text.partition(" to "))
    start, _ = _bounds(first, zone)
    end = _bounds(last if separator else first, zone)[1]
    if end <= start:
        raise ValueError(f"'{text}' ends before it begins")
    return DatedSpan(start, end, why)


def _bounds(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end of a date, or an instant twice."""
    try:
        if "T" in text:
            instant = datetime.fromisoformat(text)
            aware = instant if instant.tzinfo else instant.replace(tzinfo=zone)
            return aware.astimezone(UTC), aware.astimezone(UTC)
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is not a date; write it like 2026-12-24 or 2026-12-24T18:00") from error
    midnights = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    start, end = (midnight.astimezone(UTC) for midnight in midnights)
    return start, end


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
