"""When a schedule is due: planned instants as an endless iterator, with one rule for clock changes.

A wall-clock time that a zone skips (spring) is shifted forward by the length of the gap; of one that happens
twice (autumn) the first is taken. Both are what `fold=0` means for `zoneinfo`: in a gap it takes the offset
from before the change, which puts the instant as far behind the change as the wall time was (PEP 495). Two
wall times that become the same instant are one occurrence.

The iterator depends on nothing but cadence, zone and `after`, so every daemon computes the same instants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatrial.schedule.model import Cadence, MonthDay

_LONGEST_PAUSE = 41 * 366  # days; a leap day on one weekday can be 40 years away
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A planned instant, and what a clock change did to it."""

    utc: datetime
    note: str = ""


def planned(cadence: Cadence, zone: ZoneInfo, after: datetime) -> Iterator[Planned]:
    """The instants after `after`, in order, each once; endless as long as the calendar is."""
    if cadence.every is not None:
        yield from _every(timedelta(seconds=cadence.every.seconds), after)
        return
    # A gap moves an instant by a day at most (Samoa had one of 24 h), so what is due on `day` lies before the
    # end of the next one; whatever lies before the start of `day` can be overtaken by nothing later.
    day = after.astimezone(zone).date() - timedelta(days=2)
    waiting: dict[datetime, Planned] = {}
    idle = 0
    while idle < _LONGEST_PAUSE and day < date.max - timedelta(days=3):
        start_of_day = _resolve(datetime.combine(day, time()), zone).utc
        for instant in sorted(utc for utc in waiting if utc < start_of_day):
            yield waiting.pop(instant)
            idle = 0
        for wall in due_times(cadence, day):
            found = _resolve(datetime.combine(day, wall), zone)
            if found.utc > after:
                waiting[found.utc] = min(found, waiting.get(found.utc, found))
        idle += 1
        day += timedelta(days=1)


def due_times(cadence: Cadence, day: date) -> list[time] | tuple[time, ...]:
    """The wall-clock times that a calendar cadence names on `day`, in order."""
    if cadence.monthly is not None:
        return cadence.monthly.at if _is_day(day, cadence.monthly.day) else ()
    if cadence.weekly is not None:
        return cadence.weekly.at if day.weekday() in cadence.weekly.day else ()
    if cadence.cron is not None:
        return cadence.cron.times(day)
    return cadence.daily.at if cadence.daily is not None else ()


def jitter(schedule: str, utc: datetime, most_s: float) -> timedelta:
    """A delay in [0, most_s) that depends on the occurrence alone: every daemon draws the same."""
    digest = hashlib.sha256(f"{schedule}\0{utc.astimezone(UTC).isoformat()}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") / 2**64 * most_s)


def _every(step: timedelta, after: datetime) -> Iterator[Planned]:
    instant = _EPOCH + ((after - _EPOCH) // step + 1) * step
    while True:
        yield Planned(instant)
        instant += step


def _resolve(wall: datetime, zone: ZoneInfo) -> Planned:
    """The instant of a wall-clock time by the rule above."""
    utc = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    shown = utc.astimezone(zone)
    if shown.replace(tzinfo=None) != wall:
        return Planned(utc, f"{wall:%H:%M} does not exist on this day; shifted to {shown:%H:%M}")
    if wall.replace(tzinfo=zone, fold=1).utcoffset() != shown.utcoffset():
        return Planned(utc, f"{wall:%H:%M} happens twice on this day; the first is taken")
    return Planned(utc)


def _is_day(day: date, wanted: MonthDay) -> bool:
    if wanted.weekday is None:
        return day.day == wanted.ordinal if wanted.ordinal > 0 else (day + timedelta(days=1)).day == 1
    if day.weekday() != wanted.weekday:
        return False
    if wanted.ordinal < 0:
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 + 1 == wanted.ordinal
