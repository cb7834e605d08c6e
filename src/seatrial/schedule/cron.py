"""Cron's five fields, with cron's own rules.

Sunday is 0 and 7. When day of month and day of week are both restricted, either suffices (crontab(5));
APScheduler's `from_crontab` has Monday as 0 and wants both, which is why it is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed crontab line. `weekdays` are Python's: Monday is 0."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool  # both kinds of day are restricted

    @classmethod
    def parse(cls, value: object) -> Cron:
        """From `30 2 1-7 * sun`. Raises ValueError."""
        fields = str(value).split()
        if len(fields) != 5:
            raise ValueError(f"'{value}' is not five cron fields: minute hour day-of-month month day-of-week")
        minutes = _field(fields[0], "minute", 0, 59)
        hours = _field(fields[1], "hour", 0, 23)
        days = _field(fields[2], "day of month", 1, 31)
        months = _field(fields[3], "month", 1, 12, dict(zip(_MONTHS, range(1, 13), strict=True)))
        in_week = _field(fields[4], "day of week", 0, 7, {name: index for index, name in enumerate(_DAYS)})
        cron = cls(
            text=" ".join(fields),
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset((day - 1) % 7 for day in in_week),
            either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
        )
        # a leap day on a given weekday comes within 40 years, across 2100
        if not any(cron.matches(date.fromordinal(day)) for day in _SAMPLE):
            raise ValueError(f"'{value}' is never due")
        return cron

    def matches(self, day: date) -> bool:
        """Whether anything is due on `day`."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.weekday() in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)

    def times(self, day: date) -> list[time]:
        """When it is due on `day`, in order."""
        if not self.matches(day):
            return []
        return [time(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]


_SAMPLE = range(date(2024, 1, 1).toordinal(), date(2064, 1, 1).toordinal())


def _field(text: str, name: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in text.lower().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, name, names or {})
            end = _number(last, name, names or {}) if dash else (high if slash else start)
        if not low <= start <= end <= high or (slash and not (step.isdigit() and int(step))):
            raise ValueError(f"cron {name}: '{part}' is not within {low}-{high}")
        values.update(range(start, end + 1, int(step) if slash else 1))
    return frozenset(values)


def _number(text: str, name: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"cron {name}: '{text}' is not a number")
    return int(text)
