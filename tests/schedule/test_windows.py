"""When runs may be."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from seatrial.model.problems import BadInput
from seatrial.schedule.ics import read_calendar
from seatrial.schedule.windows import Allowance, DatedSpan, WeeklySpan, dated

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = frozenset({5, 6})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2026-02-28T22:00", True),  # Saturday
        ("2026-03-01T03:59", True),  # Sunday, from Saturday's night
        ("2026-03-01T04:00", False),
        ("2026-03-01T22:30", True),
        ("2026-03-02T03:00", True),  # Monday, from Sunday's night
        ("2026-03-03T03:00", False),
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_begin_on(instant: str, *, inside: bool) -> None:
    assert WeeklySpan(WEEKEND, 22 * 60, 4 * 60).holds(at(instant), BERLIN) == inside


def test_weekly_hours_follow_the_wall_clock_through_a_change() -> None:
    night = WeeklySpan(WEEKEND, 2 * 60, 4 * 60)
    assert night.holds(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), BERLIN)  # 03:30, summer time
    assert not night.holds(datetime(2026, 3, 29, 2, 30, tzinfo=UTC), BERLIN)  # 04:30


def test_never_beats_only_and_reasons_are_told() -> None:
    allowance = Allowance(
        BERLIN,
        only=(WeeklySpan(WEEKEND, 0, 24 * 60),),
        never=(dated("2026-12-20 to 2027-01-06", BERLIN, "year-end freeze"),),
    )
    assert allowance.blackout(at("2026-12-19T23:59")) is None
    assert allowance.blackout(at("2026-12-20T00:00")) == "never: year-end freeze"
    assert allowance.blackout(at("2027-01-06T23:59")) == "never: year-end freeze"
    assert allowance.blackout(at("2027-01-07T12:00")) == "only: sat, sun"
    assert Allowance(BERLIN).blackout(at("2027-01-07T12:00")) is None


def test_dates_include_both_ends_and_instants_do_not() -> None:
    assert dated("2026-12-24", BERLIN).end == at("2026-12-25T00:00")
    evening = dated("2026-12-24T18:00 to 2026-12-27T06:00", BERLIN)
    assert (evening.start, evening.end) == (at("2026-12-24T18:00"), at("2026-12-27T06:00"))


@pytest.mark.parametrize("text", ["soon", "2026-12-24T18:00", "2027-01-06 to 2026-12-20", "2026-13-01"])
def test_dates_that_make_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a date|ends before"):
        dated(text, BERLIN)


CALENDAR = """\
BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
SUMMARY:Quarter end\\, no\r
  changes\r
DTSTART;VALUE=DATE:20260331\r
DTEND;VALUE=DATE:20260402\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Launch\r
DTSTART;TZID=America/New_York:20260410T090000\r
DURATION:PT2H30M\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Called off\r
STATUS:CANCELLED\r
DTSTART:20260501T000000Z\r
DTEND:20260502T000000Z\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Holiday\r
DTSTART;VALUE=DATE:20260329\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_a_calendar_of_freezes() -> None:
    assert read_calendar(CALENDAR, "freezes.ics", BERLIN) == (
        DatedSpan(at("2026-03-31T00:00"), at("2026-04-02T00:00"), "Quarter end, no changes"),
        DatedSpan(
            datetime(2026, 4, 10, 13, 0, tzinfo=UTC), datetime(2026, 4, 10, 15, 30, tzinfo=UTC), "Launch"
        ),
        DatedSpan(at("2026-03-29T00:00"), at("2026-03-30T00:00"), "Holiday"),  # 23 hours long
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=WEEKLY", r"f\.ics:5: a recurring event is not read here"),
        ("SUMMARY:x", "without DTSTART"),
        ("DTSTART:soon", "'soon' is not a date"),
        ("DTSTART;TZID=Mars/Olympus:20260101T000000", "Mars/Olympus is not known"),
        ("DTSTART:20260101T000000Z\nDURATION:long", "'long' is not a duration"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(content: str, complaint: str) -> None:
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{content}\nEND:VEVENT\nEND:VCALENDAR\n"
    with pytest.raises(BadInput, match=complaint):
        read_calendar(text, "f.ics", BERLIN)


def test_what_is_no_calendar() -> None:
    with pytest.raises(BadInput, match="not a calendar file"):
        read_calendar("hello", "f.ics", BERLIN)
