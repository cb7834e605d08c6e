"""A schedule as it is written: one file in `schedules/`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from seatrial.model.experiment import Name, Severity
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, as_tuple, counted_in, exactly_one
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

    def __str__(self) -> str:
        return self.text

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


def _parsed(parse: Callable[[object], Any], written: Any = str) -> BeforeValidator:
    """A value that is written as text, or as `written`; what is wrong with it becomes a problem of its place.

    `written` is for editors, which know the type of a value and not its grammar.
    """

    def validate(value: object) -> object:
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("schedule", "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(validate, json_schema_input_type=written)


Weekdays = Annotated[frozenset[int], _parsed(weekdays, str | list[str])]
Times = Annotated[tuple[time, ...], _parsed(times_of_day, str | list[str])]
Minute = Annotated[int, _parsed(minute_of_day)]


class Monthly(Strict):
    """One day of each month that has it."""

    day: Annotated[MonthDay, _parsed(MonthDay.parse, str | int)] = Field(
        examples=["first sunday", "last friday", 15, "last"]
    )
    """Which day: a number, `last`, or the first to fourth or last of a weekday."""
    at: Times = Field(examples=["02:30"])
    """When, in the schedule's time zone; or a list."""


class Weekly(Strict):
    """Some days of each week."""

    day: Weekdays = Field(examples=["sun", "mon-fri"])
    """Which days; or a list."""
    at: Times = Field(examples=["02:30"])
    """When, in the schedule's time zone; or a list."""


class Daily(Strict):
    """Each day."""

    at: Times = Field(examples=["02:30"])
    """When, in the schedule's time zone; or a list."""


class Cadence(Strict):
    """How often. Exactly one of these.

        cadence: {monthly: {day: first sunday, at: "02:30"}}

    An instant that clocks skip in spring is moved forward, one that they repeat in autumn is run once.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("monthly", "weekly", "daily", "cron", "every"))

    monthly: Monthly | None = None
    """One day of each month."""
    weekly: Weekly | None = None
    """Some days of each week."""
    daily: Daily | None = None
    """Each day."""
    cron: Annotated[Cron, _parsed(Cron.parse)] | None = Field(default=None, examples=["30 2 * * SUN#1"])
    """Five fields, with the days that Debian's cron means; or @monthly and the like."""
    every: Duration | None = Field(default=None, examples=["6h"])
    """Multiples of it since 1970-01-01T00:00Z, whatever clocks do; at least 1m."""

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

    model_config = ConfigDict(json_schema_extra=exactly_one("days", "dates", "ics"))

    days: Weekdays | None = Field(default=None, examples=["mon-fri"])
    """Days of the week; or a list."""
    from_: Minute = Field(default=0, alias="from", examples=["22:00"], json_schema_extra={"default": "00:00"})
    """On those days, from then on; by default from the beginning of the day."""
    to: Minute = Field(default=24 * 60, examples=["06:00"], json_schema_extra={"default": "24:00"})
    """On those days, until then; by default until the end of the day. Before `from`: of the next day."""
    dates: str | None = Field(
        default=None, examples=["2026-12-20 to 2027-01-06", "2026-12-24T18:00 to 2026-12-27T06:00"]
    )
    """A date, or from one to another; the last date is in it, of two instants the last is not."""
    ics: str | None = Field(default=None, examples=["freezes.ics"])
    """A calendar file as Exchange, Google or Apple export it; a path from the schedule's file."""
    why: str = Field(default="", examples=["change freeze"])
    """What people are told of it."""

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

    only: Annotated[tuple[Window, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[[{"days": "mon-fri", "from": "22:00", "to": "06:00"}]]
    )
    """Windows in which runs may be; without any, always."""
    never: Annotated[tuple[Window, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[[{"dates": "2026-12-20 to 2027-01-06", "why": "year's end"}]]
    )
    """Windows in which no run may be, whatever `only` says."""


class Escalate(Strict):
    """When neglect gets louder."""

    after: Annotated[int, counted_in("occurrences")] = Field(default=3, ge=1)
    """Failures in a row, or occurrences that did not run."""
    unknown: Annotated[int, counted_in("occurrences")] = Field(default=2, ge=1)
    """Occurrences without a pass between them that proved nothing."""
    unacknowledged: Duration | None = Field(default=None, examples=["30m"])
    """How long an incident may go without anybody taking it; left out, for ever."""


class ScheduleIncident(Strict):
    """How loud an occurrence is that proved nothing. A failing run is as loud as its experiment says."""

    missed: bool = True
    """Whether people are told of an occurrence that did not run."""
    severity: Severity = "error"
    """How loud that is, and one that did not come to its end."""
    unknown: Annotated[Severity | None, _parsed(severity_or_silence, Severity | Literal[False])] = "warning"
    """How loud an occurrence is in which something came out unknown; false: nobody is told."""
    escalate: Escalate = Escalate()
    """When neglect gets louder."""


class Schedule(Strict):
    """One file in `schedules/`: what is run when, on which target, and when not.

        schedule: monthly
        suite: chaos/suites/monthly.yaml
        target: chaos/targets/staging.yaml
        cadence: {monthly: {day: first sunday, at: "02:30"}}
        timezone: Europe/Berlin

    Every planned instant ends as run, missed, skipped or interrupted, and never as nothing.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("suite", "experiment"))

    schedule: Name = Field(examples=["monthly"])
    """Its name, under which occurrences are recorded."""
    suite: str | None = Field(default=None, examples=["chaos/suites/monthly.yaml"])
    """The suite that is run. A schedule runs either a suite or an experiment."""
    experiment: str | None = Field(default=None, examples=["chaos/redis-outage.yaml"])
    """The experiment that is run."""
    target: str = Field(examples=["chaos/targets/staging.yaml"])
    """The target that it is run on."""
    confirm: str = Field(default="", examples=["shop-production"])
    """The name of a production target, which is touched only when it is named."""
    cadence: Cadence = Field(examples=[{"monthly": {"day": "first sunday", "at": "02:30"}}])
    """How often."""
    timezone: Annotated[ZoneInfo, _parsed(_zone)] = Field(default=ZoneInfo("UTC"), examples=["Europe/Berlin"])
    """Whose clock the cadence and the windows go by."""
    jitter: Duration = Duration(0.0)
    """Occurrences are due later by a random time of up to so much, the same for the same occurrence."""
    windows: Windows = Windows()
    """When runs may be, and when not."""
    missed: Annotated[Missed, _parsed(Missed.parse)] = Field(
        default=Missed.parse("run-late within 1h"), examples=["skip", "run-late within 6h"]
    )
    """What becomes of an occurrence that could not start when it was due."""
    owner: str = Field(default="", examples=["team-shop"])
    """Who looks after it: told with each of its incidents. Nothing goes by it."""
    incident: ScheduleIncident = ScheduleIncident()
    """How loud an occurrence is that proved nothing."""

    @model_validator(mode="after")
    def _one_subject(self) -> Schedule:
        if (self.suite is None) == (self.experiment is None):
            raise ValueError("a schedule runs either a suite or an experiment")
        return self

    @property
    def runs(self) -> str:
        """The file of its suite or experiment, as written."""
        return self.suite or self.experiment or ""
