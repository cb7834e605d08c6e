"""Blackouts out of a calendar file (iCalendar, RFC 5545), as offices export their change freezes.

A blackout that is silently not honoured is an outage with a calendar entry against it. So whatever cannot be
read is refused with file and line, and where a calendar leaves a choice, the one is taken that keeps it:

* a *free* event (TRANSP:TRANSPARENT) counts like a busy one, because all-day events are free unless somebody
  changes that, in every office's calendar; a tentative one counts, too. Only STATUS:CANCELLED takes one away;
* an EXDATE or RECURRENCE-ID that belongs to no occurrence takes none away;
* a zone is known by its IANA or its Windows name; any other is what the file's VTIMEZONE says. Times without
  a zone, and whole days, are in the calendar's X-WR-TIMEZONE, else in the schedule's zone;
* a time that a clock change skips, or repeats, is meant as in `cadence`; an event that recurs over the night
  of a change ends by the clock when it has an end, and after its time when it has a duration;
* an event without an end or duration that is no whole day lasts no time, and blacks nothing out.
"""

from __future__ import annotations

import itertools
import re
import threading
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import icalendar
from icalendar.timezone import tzp
from recurring_ical_events import CalendarQuery

from seatrial.model.problems import BadInput, Location, Problem
from seatrial.schedule.contentlines import Part, outline
from seatrial.schedule.recurrence import normal_rule
from seatrial.schedule.windows import CalendarSpan, DatedSpan

_DATES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_READ = frozenset({*_DATES, "DURATION", "RRULE", "UID", "SEQUENCE", "STATUS"})
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "UID", "SEQUENCE", "STATUS")
_RECURS = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_NOT_READ = {"VFREEBUSY": "busy times", "VAVAILABILITY": "availability"}
_NUMBER = "X-SEATRIAL-NUMBER"  # which event of the file an occurrence comes from
_TZID = re.compile(r';TZID=(?:"([^"]*)"|([^;:]*))', re.IGNORECASE)
_MARGIN = timedelta(days=2)  # more than any two zones are apart: the library takes times without one for UTC
_DAY = timedelta(days=1)
_library = (
    threading.Lock()
)  # its zones are of the whole process, and two files may mean different ones by a name


@dataclass(frozen=True, slots=True)
class _Event:
    """A VEVENT. If it has a duration instead of an end, that is `nominal` days and then an `exact` time."""

    component: Any  # an icalendar.Event, whose values have 28 kinds
    line: int
    zone: tzinfo  # of times that have none
    nominal: timedelta = timedelta()
    exact: timedelta | None = None

    def span(self, start: date, end: date) -> DatedSpan | None:
        """The instants of one occurrence, or None when it takes no time or is cancelled."""
        if str(self.component.get("STATUS", "")).upper() == "CANCELLED":
            return None
        begins = instant(start, self.zone)
        if self.exact is not None:
            ends = instant(start + self.nominal, self.zone) + self.exact
        else:
            ends = instant(end, self.zone)
        summary = " ".join(str(_listed(self.component, "SUMMARY", "")[0]).split())
        return DatedSpan(begins, ends, summary) if begins < ends else None


@dataclass(frozen=True, slots=True)
class _Events:
    """What a file holds: single events, and series that are expanded when a time is asked about."""

    once: list[DatedSpan] = field(default_factory=list)
    series: list[tuple[CalendarQuery, list[_Event]]] = field(default_factory=list)

    def between(self, start: datetime, end: datetime) -> tuple[DatedSpan, ...]:
        """The spans that overlap with start … end, in order."""
        spans = itertools.chain(self.once, *(self._expanded(*each, start, end) for each in self.series))
        overlapping = (span for span in spans if span.start < end and start < span.end)
        return tuple(sorted(overlapping, key=lambda span: (span.start, span.end, span.why)))

    @staticmethod
    def _expanded(
        query: CalendarQuery, events: list[_Event], start: datetime, end: datetime
    ) -> Iterator[DatedSpan]:
        for occurrence in query.between(start - _MARGIN, end + _MARGIN):
            event = events[int(str(occurrence[_NUMBER]))]
            span = event.span(occurrence["DTSTART"].dt, occurrence["DTEND"].dt)
            if span is not None:
                yield span


def read_calendar(text: str, file: str, zone: tzinfo) -> CalendarSpan:
    """The events of a calendar file. Raises BadInput with every problem and its line."""
    problems: list[Problem] = []
    found = _Events()
    for calendar in outline(text, file):
        with _library:
            _Reader(calendar, file, zone, problems).read(found)
    if problems:
        raise BadInput(sorted(problems, key=lambda each: (each.location and each.location.line) or 0))
    return CalendarSpan(file, found.between)


def instant(value: date, zone: tzinfo) -> datetime:
    """A date's beginning or a time as UTC; `zone` is that of a value without one.

    In a gap the offset from before it counts, of a time that happens twice the first (section 3.3.5):
    said here and not left to the zone, because those made from a VTIMEZONE take the offset from after a gap.
    """
    local = value if isinstance(value, datetime) else datetime.combine(value, time())
    aware = (local if local.tzinfo is not None else local.replace(tzinfo=zone)).replace(fold=0)
    utc = aware.astimezone(UTC)
    if utc.astimezone(aware.tzinfo).replace(tzinfo=None) == aware.replace(tzinfo=None):
        return utc
    return (aware - _DAY).astimezone(UTC) + _DAY


class _Reader:
    """Reads one VCALENDAR."""

    def __init__(self, calendar: Part, file: str, zone: tzinfo, problems: list[Problem]) -> None:
        self._calendar = calendar
        self._file = file
        self._zone = zone
        self._problems = problems
        self._zones = {
            part.value("TZID").strip('"'): part for part in calendar.parts if part.name == "VTIMEZONE"
        }

    def read(self, found: _Events) -> None:
        """Add the calendar's events; what cannot be read is added to the problems."""
        tzp.use_default()  # forgets the zones of the calendar before
        if not self._is_readable():
            return
        by_uid: dict[str, list[_Event]] = defaultdict(list)
        for number, part in enumerate(part for part in self._calendar.parts if part.name == "VEVENT"):
            with self._complaining(part.number):
                event = self._event(part)
                if event is not None:
                    by_uid[str(event.component.get("UID", f"none {number}"))].append(event)
        for events in by_uid.values():
            with self._complaining(events[0].line, "this event cannot be expanded: "):
                self._add(events, found)

    def _complain(self, line: int, message: str) -> None:
        self._problems.append(Problem(message, Location(self._file, line)))

    @contextmanager
    def _complaining(self, line: int, about: str = "") -> Iterator[None]:
        """Turns whatever is raised into a problem: the libraries raise errors of many kinds."""
        try:
            yield
        except Exception as error:
            self._complain(line, f"{about}{error}")

    def _is_readable(self) -> bool:
        """Whether the calendar is one of events, and its own zone is known."""
        before = len(self._problems)
        for part in self._calendar.parts:
            if part.name in _NOT_READ:
                what = _NOT_READ[part.name]
                self._complain(
                    part.number, f"{part.name}: {what} without events are not read; export the events"
                )
        if self._calendar.value("CALSCALE").upper() not in ("", "GREGORIAN"):
            self._complain(self._calendar.line_of("CALSCALE"), "only Gregorian calendars are read")
        named = self._calendar.value("X-WR-TIMEZONE")
        known = self._known(named) if named else self._zone
        if known is None:
            message = f"X-WR-TIMEZONE: the time zone {named} is not known here"
            self._complain(self._calendar.line_of("X-WR-TIMEZONE"), message)
        self._zone = known or self._zone
        return len(self._problems) == before

    def _known(self, name: str) -> tzinfo | None:
        """The zone of that name: IANA's or Windows' own if it is theirs, else as the file defines it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", icalendar.error.GloballyUniqueTZIDGuessed)
            zone = tzp.timezone(name)
            if zone is None and name in self._zones:
                with self._complaining(self._zones[name].number, f"the time zone {name} is not understood: "):
                    icalendar.Timezone.from_ical(self._zones[name].text)
                    zone = tzp.timezone(name)
        return zone

    def _event(self, part: Part) -> _Event | None:
        """A checked event, or None when it has problems."""
        before = len(self._problems)
        for line in part.lines:
            named = _TZID.search(line.text.partition(":")[0] + ":") if line.name in _DATES else None
            tzid = (named[1] or named[2] or "") if named else ""
            if named and self._known(tzid) is None:
                self._complain(line.number, f"{line.name}: the time zone {tzid} is not known here")
        if len(self._problems) > before:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", icalendar.error.GloballyUniqueTZIDGuessed)
            component: Any = icalendar.Event.from_ical(part.text)
        for name, message in component.errors:
            if name is None or name in _READ:
                self._complain(part.line_of(name or ""), f"{name or 'VEVENT'}: {message}")
        if len(self._problems) > before:
            return None
        event = _Event(component, part.number, self._zone, *_lasting(component, part.value("DURATION")))
        for name, check in (("DTEND", _check_end), ("RRULE", _check_rules)):
            with self._complaining(part.line_of(name), f"{name}: "):
                check(event)
        return event if len(self._problems) == before else None

    def _add(self, events: list[_Event], found: _Events) -> None:
        """Add the events of one UID: a series and its changes, or a single one."""
        if len(events) == 1 and not any(name in events[0].component for name in _RECURS):
            component = events[0].component
            span = events[0].span(component["DTSTART"].dt, _end(component))
            found.once.extend([span] if span else [])
            return
        if twin := _contradiction(events):
            message = f"line {twin[0].line} has an event of the same UID, and no SEQUENCE says which is newer"
            self._complain(twin[1].line, message)
            return
        calendar = icalendar.Calendar()
        for number, event in enumerate(events):
            event.component.add(_NUMBER, str(number))
            calendar.add_component(event.component)
        query = CalendarQuery(calendar)
        start = instant(events[0].component["DTSTART"].dt, self._zone)
        query.between(start - _MARGIN, start + _MARGIN)  # what it cannot expand is told now, not at night
        found.series.append((query, events))


def _listed(component: Any, name: str, *otherwise: object) -> list[Any]:
    """The values of a property; the library gives a single one, or a list of them."""
    value = component.get(name)
    if value is None:
        return list(otherwise)
    return value if isinstance(value, list) else [value]


def _lasting(component: Any, written: str) -> tuple[timedelta, timedelta | None]:
    """Nominal and exact part of a duration (section 3.3.6: P1D is a day by the clock, PT24H is 24 hours)."""
    for name in _ONCE:
        if len(_listed(component, name)) > 1:
            raise ValueError(f"{name} stands twice in this event")
    if "DTSTART" not in component:
        raise ValueError("an event without DTSTART")
    if "EXRULE" in component:
        raise ValueError("EXRULE is not read (RFC 5545 has done away with it); write EXDATE")
    periods = any(isinstance(each.dt, tuple) for value in _listed(component, "RDATE") for each in value.dts)
    if "DURATION" not in component or "DTEND" in component or periods:
        return timedelta(), None
    duration: timedelta = component["DURATION"].dt
    if duration < timedelta():
        raise ValueError(f"DURATION: {written} is less than nothing")
    hours = written.upper().partition("T")[2]
    exact: timedelta = icalendar.vDDDTypes.from_ical(f"PT{hours}") if hours else timedelta()  # type: ignore[no-untyped-call]
    if exact and not isinstance(component["DTSTART"].dt, datetime):
        raise ValueError("DURATION: hours are no duration for an event of whole days")
    return duration - exact, exact


def _end(component: Any) -> date:
    """The end of a single event that has no duration (section 3.6.1)."""
    start: date = component["DTSTART"].dt
    if "DTEND" in component:
        end: date = component["DTEND"].dt
        return end
    return start if isinstance(start, datetime) else start + _DAY


def _check_end(event: _Event) -> None:
    if "DTEND" not in event.component:
        return
    start, end = event.component["DTSTART"].dt, event.component["DTEND"].dt
    if _kind(start) != _kind(end):
        raise ValueError(f"{_kind(end)}, and DTSTART is {_kind(start)}")
    if instant(end, event.zone) < instant(start, event.zone):
        raise ValueError("the event ends before it begins")


def _kind(value: date) -> str:
    if not isinstance(value, datetime):
        return "a date"
    return "a time with a zone" if value.tzinfo is not None else "a time without a zone"


def _check_rules(event: _Event) -> None:
    """Bring the event's rules into the form that the library expands rightly."""
    rules = _listed(event.component, "RRULE")
    if rules:
        start = event.component["DTSTART"].dt
        event.component["RRULE"] = [normal_rule(rule, start, event.zone) for rule in rules]


def _contradiction(events: Sequence[_Event]) -> tuple[_Event, _Event] | None:
    """Two events that claim to be the same one and differ, while nothing says which of them is meant."""
    newest: dict[tuple[str, int], _Event] = {}
    for event in events:
        component = event.component
        which = component["RECURRENCE-ID"].to_ical().decode() if "RECURRENCE-ID" in component else ""
        other = newest.setdefault((which, int(component.get("SEQUENCE", 0))), event)
        if _meaning(other) != _meaning(event):
            return other, event
    return None


def _meaning(event: _Event) -> list[bytes]:
    values = (value for name in sorted(_READ) for value in _listed(event.component, name))
    return [value.to_ical() if hasattr(value, "to_ical") else str(value).encode() for value in values]
