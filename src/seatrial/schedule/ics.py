"""Dated blackouts out of a calendar file (iCalendar, RFC 5545), the way change freezes are published.

Read are events: DTSTART, DTEND or DURATION, SUMMARY, STATUS. A cancelled event blacks nothing out. What would
be read wrongly is refused instead: a recurring event (RRULE) belongs into the schedule as `days`, where
people see it. A blackout that is silently not honoured is an outage with a calendar entry against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatrial.model.problems import BadInput, Location, Problem
from seatrial.schedule.windows import DatedSpan

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: dict[str, str]
    value: str
    line: int


def read_calendar(text: str, file: str, zone: ZoneInfo) -> tuple[DatedSpan, ...]:
    """The events of a calendar as spans; times without a zone are in `zone`. Raises BadInput."""
    problems: list[Problem] = []
    spans: list[DatedSpan] = []
    event: dict[str, _Property] | None = None
    if not text.lstrip("\ufeff \r\n").upper().startswith("BEGIN:VCALENDAR"):
        raise BadInput(
            Problem("is not a calendar file: it does not begin with BEGIN:VCALENDAR", Location(file, 1))
        )
    for each in _properties(text):
        if (each.name, each.value.upper()) == ("BEGIN", "VEVENT"):
            event = {}
        elif (each.name, each.value.upper()) == ("END", "VEVENT") and event is not None:
            try:
                spans += _span(event, zone)
            except ValueError as error:
                problems.append(Problem(str(error), Location(file, each.line)))
            event = None
        elif event is not None:
            event.setdefault(each.name, each)
    if problems:
        raise BadInput(problems)
    return tuple(spans)


def _properties(text: str) -> Iterator[_Property]:
    """Content lines, unfolded: a line that begins with a blank continues the one before (section 3.1)."""
    unfolded: list[tuple[int, str]] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] = (unfolded[-1][0], unfolded[-1][1] + line[1:])
        elif line:
            unfolded.append((number, line))
    for number, line in unfolded:
        head, _, value = line.partition(":")
        name, *parameters = head.split(";")
        pairs = (parameter.partition("=") for parameter in parameters)
        yield _Property(
            name.upper(), {key.upper(): val.strip('"') for key, _, val in pairs}, value.strip(), number
        )


def _span(event: dict[str, _Property], zone: ZoneInfo) -> list[DatedSpan]:
    if "STATUS" in event and event["STATUS"].value.upper() == "CANCELLED":
        return []
    if "RRULE" in event or "RDATE" in event:
        raise ValueError(
            "a recurring event is not read here; write it into the schedule: "
            "never: [{days: fri, from: '12:00', to: '24:00'}]"
        )
    if "DTSTART" not in event:
        raise ValueError("an event without DTSTART")
    start, all_day = _instant(event["DTSTART"], zone)
    if "DTEND" in event:
        end = _instant(event["DTEND"], zone)[0]
    elif "DURATION" in event:
        end = start + _duration(event["DURATION"].value)
    elif all_day:  # section 3.6.1: without an end, a date lasts one day
        end = start.astimezone(zone) + timedelta(days=1)
    else:
        return []  # … and an instant lasts no time
    why = (
        _ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], event["SUMMARY"].value)
        if "SUMMARY" in event
        else ""
    )
    return [DatedSpan(start, end.astimezone(UTC), why)]


def _instant(each: _Property, zone: ZoneInfo) -> tuple[datetime, bool]:
    """A DATE or DATE-TIME as UTC, and whether it was a date."""
    if "TZID" in each.parameters:
        try:
            zone = ZoneInfo(each.parameters["TZID"])
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"{each.name}: the time zone {each.parameters['TZID']} is not known here"
            ) from error
    try:
        if "T" not in each.value:
            day = date(int(each.value[:4]), int(each.value[4:6]), int(each.value[6:8]))
            return datetime.combine(day, time(), zone).astimezone(UTC), True
        form = "%Y%m%dT%H%M%S"
        if each.value.endswith("Z"):
            return datetime.strptime(each.value, form + "Z").replace(tzinfo=UTC), False
        return datetime.strptime(each.value, form).replace(tzinfo=zone).astimezone(UTC), False
    except ValueError as error:
        raise ValueError(f"{each.name}: '{each.value}' is not a date or a time") from error


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.lstrip("+"))
    if match is None or not any(match.groups()):
        raise ValueError(f"DURATION: '{text}' is not a duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
