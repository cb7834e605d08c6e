"""A schedule as it is written: one file in `schedules/`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from seatrial.model.experiment import Name, Severity
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, as_tuple
from seatrial.schedule.cron import Cron

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PUNCTUAL_S = 60.0  # so much later is still on time: daemons look every few seconds, and restarts take some

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


def weekday(text: str) -> int:
    """0 for `monday` or `mon` … 6 for `sunday`. Raises ValueError."""
    name = text.strip().lower()
    for index, known in enumerate(WEEKDAYS):
        if name in (known, known[:3]):
            return index
    raise ValueError(f"'{text}' is not a day of the week; write it like sunday or sun")


def weekdays(value: object) -> frozenset[int]:
    """The days meant by `sun`, `mon-fri` or a list of such. Raises ValueError."""
    days: set[int] = set()
    for item in value if isinstance(value, list) else [value]:
        first, dash, last = str(item).partition("-")
        start = weekday(first)
        end = weekday(last) if dash else start
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    if not days:
        raise ValueError("name at least one day")
    return frozenset(days)


def minute_of_day(value: object) -> int:
    """Minutes after midnight of `02:30`; `24:00` is the end of the day. Raises ValueError."""
    match = _CLOCK.fullmatch(str(value))
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else 24 * 60 + 1
    if minutes > 24 * 60:
        raise ValueError(f"'{value}' is not a time of day; write it like 02:30")
    return minutes


def times_of_day(value: object) -> tuple[time, ...]:
    """`02:30`, or a list of such, in order. Raises ValueError."""
    minutes = sorted({minute_of_day(item) for item in (value if isinstance(value, list) else [value])})
    if not minutes or minutes[-1] == 24 * 60:
        raise ValueError(f"'{value}' is not a time of day from 00:00 to 23:59")
    return tuple(time(*divmod(each, 60)) for each in minutes)


@dataclass(frozen=True, slots=True)
class MonthDay:
    """The `ordinal`-th (−1: last) of a weekday in a month, or of all days when `weekday` is None."""

    ordinal: int
    weekday: int | None

    @classmethod
    def parse(cls, value: object) -> MonthDay:
        """From `15`, `last`, `first sunday`, `last friday`. Raises ValueError."""
        words = str(value).lower().split()
        if len(words) == 1 and words[0].isdigit() and 1 <= int(words[0]) <= 31:
            return cls(int(words[0]), None)
        if words == ["last"]:
            return cls(-1, None)
        if len(words) == 2 and words[0] in _ORDINALS:
            return cls(_ORDINALS[words[0]], weekday(words[1]))
        raise ValueError(
            f"'{value}' is not a day of a month; write it like 15, last, first sunday or last friday"
        )


@dataclass(frozen=True, slots=True)
class Missed:
    """How late, in seconds, an occurrence may still start that could not start when it was due."""

    late_s: float
    text: str

    @classmethod
    def parse(cls, value: object) -> Missed:
        """From `skip` or `run-late within 6h`. Raises ValueError."""
        words = str(value).split()
        if words == ["skip"]:
            return cls(PUNCTUAL_S, "skip")
        if len(words) == 3 and words[:2] == ["run-late", "within"]:
            return cls(max(Duration.parse(words[2]).seconds, PUNCTUAL_S), " ".join(words))
        raise ValueError(f"'{value}' is neither skip nor like run-late within 6h")


_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def severity_or_silence(value: object) -> Severity | None:
    """A severity, or None for `false`. Raises ValueError."""
    if value is False:
        return None
    found = next((severity for severity in _SEVERITIES if severity == value), None)
    if found is None:
        raise ValueError(f"'{value}' is neither one of {', '.join(_SEVERITIES)} nor false")
    return found


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{value}' is not a time zone; write it like Europe/Berlin or UTC") from error


def _parsed(parse: Callable[[object], Any]) -> BeforeValidator:
    """A value that is written as text; what is wrong with it becomes a problem with its place."""

    def validate(value: object) -> object:
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("schedule", "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(validate)


Weekdays = Annotated[frozenset[int], _parsed(weekdays)]
Times = Annotated[tuple[time, ...], _parsed(times_of_day)]
Minute = Annotated[int, _parsed(minute_of_day)]


class Monthly(Strict):
    """One day of each month that has it."""

    day: Annotated[MonthDay, _parsed(MonthDay.parse)]
    at: Times


class Weekly(Strict):
    """Some days of each week."""

    day: Weekdays
    at: Times


class Daily(Strict):
    """Each day."""

    at: Times


class Cadence(Strict):
    """How often. Exactly one of these."""

    monthly: Monthly | None = None
    weekly: Weekly | None = None
    daily: Daily | None = None
    cron: Annotated[Cron, _parsed(Cron.parse)] | None = None
    every: Duration | None = None  # multiples of it since 1970-01-01T00:00Z, whatever clocks do

    @model_validator(mode="after")
    def _exactly_one(self) -> Cadence:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a cadence is one of monthly, weekly, daily, cron, every")
        if self.every is not None and self.every.seconds < 60:
            raise ValueError("every: at least 1m")
        return self


class Window(Strict):
    """Hours of some weekdays, dates, or the events of a calendar file."""

    days: Weekdays | None = None
    from_: Minute = Field(default=0, alias="from")
    to: Minute = 24 * 60
    dates: str | None = None  # 2026-12-24, 2026-12-20 to 2027-01-06, 2026-12-24T18:00 to 2026-12-27T06:00
    ics: str | None = None
    why: str = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> Window:
        if sum(each is not None for each in (self.days, self.dates, self.ics)) != 1:
            raise ValueError("a window is one of days (with from and to), dates, ics")
        if self.days is None and {"from_", "to"} & self.model_fields_set:
            raise ValueError("from and to belong to days; dates are written like 2026-12-20 to 2027-01-06")
        if self.from_ == self.to:
            raise ValueError("from and to are the same")
        return self


class Windows(Strict):
    """When runs may be: inside one of `only` (if there is any), and outside all of `never`."""

    only: Annotated[tuple[Window, ...], BeforeValidator(as_tuple)] = ()
    never: Annotated[tuple[Window, ...], BeforeValidator(as_tuple)] = ()


class Escalate(Strict):
    """When neglect gets louder."""

    after: int = Field(default=3, ge=1)  # consecutive failures, or occurrences that did not run
    unknown: int = Field(default=2, ge=1)  # occurrences without a pass between them that proved nothing
    unacknowledged: Duration | None = None


class ScheduleIncident(Strict):
    """How loud an occurrence is that proved nothing: `severity` if it did not run, or not to its end.

    `unknown`: if something in it came out unknown (false: nobody is told). A failing run is as loud as its
    experiment says.
    """

    missed: bool = True
    severity: Severity = "error"
    unknown: Annotated[Severity | None, _parsed(severity_or_silence)] = "warning"
    escalate: Escalate = Escalate()


class Schedule(Strict):
    """One file in `schedules/`."""

    schedule: Name
    suite: str | None = None
    experiment: str | None = None
    target: str
    confirm: str = ""  # the name of a production target, which is only touched when it is named
    cadence: Cadence
    timezone: Annotated[ZoneInfo, _parsed(_zone)] = ZoneInfo("UTC")
    jitter: Duration = Duration(0.0)
    windows: Windows = Windows()
    missed: Annotated[Missed, _parsed(Missed.parse)] = Missed.parse("run-late within 1h")
    owner: str = ""
    incident: ScheduleIncident = ScheduleIncident()

    @model_validator(mode="after")
    def _one_subject(self) -> Schedule:
        if (self.suite is None) == (self.experiment is None):
            raise ValueError("a schedule runs either a suite or an experiment")
        return self

    @property
    def runs(self) -> str:
        """The file of its suite or experiment, as written."""
        return self.suite or self.experiment or ""
