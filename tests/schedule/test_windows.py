"""When runs may be."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from seatrial.schedule.windows import Allowance, CalendarSpan, DatedSpan, WeeklySpan, dated

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


def test_a_calendar_says_which_event_holds_and_is_asked_about_a_month_once() -> None:
    asked: list[datetime] = []
    freeze = DatedSpan(at("2026-03-31T00:00"), at("2026-04-02T00:00"), "Quarter end")

    def between(start: datetime, end: datetime) -> tuple[DatedSpan, ...]:
        asked.append(start)
        return tuple(span for span in [freeze] if span.start < end and start < span.end)

    allowance = Allowance(BERLIN, never=(CalendarSpan("freezes.ics", between),))
    assert allowance.blackout(at("2026-03-31T12:00")) == "never: Quarter end"
    assert allowance.blackout(at("2026-03-30T12:00")) is None
    assert allowance.blackout(at("2026-04-01T23:59")) == "never: Quarter end"
    assert asked == [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)]
    only = Allowance(BERLIN, only=(CalendarSpan("windows.ics", between),))
    assert only.blackout(at("2026-03-31T12:00")) is None
    assert only.blackout(at("2026-05-01T12:00")) == "only: the events of windows.ics"
