"""Planned instants against an oracle that walks through every minute there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.schedule.cadence import Planned, due_times, jitter, planned
from seatrial.schedule.model import Cadence

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)

CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Beirut", date(2026, 3, 29)),  # at midnight: the day begins at 01:00
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that was not
    ("Asia/Kathmandu", date(2026, 3, 29)),
]


def build(**fields: Any) -> Cadence:
    return Cadence.model_validate(fields)


def walk(cadence: Cadence, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Due instants, found by looking at the wall clock in every minute from `start` to `end`."""
    found: set[datetime] = set()
    before = (start - MINUTE).astimezone(zone).replace(tzinfo=None)
    instant = start
    while instant <= end:
        local = instant.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        skipped = before + MINUTE
        moment = instant
        while skipped < wall:  # wall-clock minutes that were jumped over: as long after the jump as they were
            found.update([moment] if is_due(cadence, skipped) else [])
            skipped, moment = skipped + MINUTE, moment + MINUTE
        if local.fold == 0 and is_due(cadence, wall):
            found.add(instant)
        before = wall
        instant += MINUTE
    return sorted(each for each in found if each <= end)


def is_due(cadence: Cadence, wall: datetime) -> bool:
    return wall.time() in due_times(cadence, wall.date())


cadences = st.one_of(
    st.builds(
        lambda times: build(daily={"at": times}),
        st.lists(st.times().map(lambda each: f"{each:%H:%M}"), min_size=1, max_size=4),
    ),
    st.builds(
        lambda days, at: build(weekly={"day": days, "at": at}),
        st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, max_size=4),
        st.sampled_from(["00:00", "00:30", "01:45", "02:00", "02:15", "02:59", "03:00", "23:30"]),
    ),
    st.sampled_from(["*/15 * * * *", "30 0-4 * * *", "0 2 * * *", "59 1,2,23 * * *", "45 */2 * * sun"]).map(
        lambda text: build(cron=text)
    ),
)


@pytest.mark.parametrize(("zone_name", "day"), CHANGES, ids=str)
@settings(max_examples=8, deadline=None)
@given(cadence=cadences)
def test_the_oracle_agrees_around_every_kind_of_clock_change(
    zone_name: str, day: date, cadence: Cadence
) -> None:
    zone = ZoneInfo(zone_name)
    start = datetime.combine(day, time(), UTC) - timedelta(days=2)
    end = start + timedelta(days=4)
    found = [
        each.utc for each in takewhile(lambda each: each.utc <= end, planned(cadence, zone, start - MINUTE))
    ]
    assert found == walk(cadence, zone, start, end)


@given(
    cadence=cadences,
    start=st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5)),  # noqa: DTZ001  # made aware below
    skip=st.integers(0, 20),
)
@settings(max_examples=30, deadline=None)
def test_where_one_begins_to_look_changes_nothing(cadence: Cadence, start: datetime, skip: int) -> None:
    every = list(islice(planned(cadence, BERLIN, start.replace(tzinfo=UTC)), skip + 5))
    assert every == sorted(set(every))
    assert list(islice(planned(cadence, BERLIN, every[skip].utc), 4)) == every[skip + 1 :]


def first(cadence: Cadence, after: str, count: int = 1, zone: ZoneInfo = BERLIN) -> list[Planned]:
    return list(islice(planned(cadence, zone, datetime.fromisoformat(after).astimezone(UTC)), count))


def test_a_time_that_does_not_exist_is_shifted_and_says_so() -> None:
    (found,) = first(build(daily={"at": "02:30"}), "2026-03-28T12:00Z")
    assert found.utc == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Berlin
    assert found.note == "02:30 does not exist on this day; shifted to 03:30"


def test_of_a_time_that_happens_twice_the_first_is_taken() -> None:
    found = first(build(daily={"at": "02:30"}), "2026-10-24T12:00Z", 2)
    assert [each.utc for each in found] == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]
    assert found[0].note == "02:30 happens twice on this day; the first is taken"
    assert found[1].note == ""


def test_two_times_that_become_one_instant_are_one_occurrence_and_the_real_one_counts() -> None:
    found = first(build(daily={"at": ["02:30", "03:30"]}), "2026-03-28T12:00Z", 2)
    assert found[0] == Planned(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "")
    assert found[1].utc == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("first sunday", ["2026-01-04", "2026-02-01", "2026-03-01"]),
        ("last friday", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("fourth mon", ["2026-01-26", "2026-02-23", "2026-03-23"]),
        (31, ["2026-01-31", "2026-03-31", "2026-05-31"]),  # not every month has it
        ("last", ["2026-01-31", "2026-02-28", "2026-03-31"]),
    ],
)
def test_days_of_the_month(day: object, expected: list[str]) -> None:
    cadence = build(monthly={"day": day, "at": "12:00"})
    found = first(cadence, "2026-01-01T00:00Z", 3)
    assert [each.utc.date().isoformat() for each in found] == expected


def test_every_is_elapsed_time_whatever_clocks_do() -> None:
    found = first(build(every="6h"), "2026-03-28T23:00Z", 4)
    assert [each.utc.hour for each in found] == [0, 6, 12, 18]


def test_a_cadence_that_ends_with_the_calendar_ends() -> None:
    after = datetime(9999, 12, 20, tzinfo=UTC)
    days: Iterator[Planned] = planned(build(daily={"at": "12:00"}), BERLIN, after)
    assert len(list(days)) < 12


@given(
    name=st.text(min_size=1, max_size=20),
    instant=st.datetimes(timezones=st.just(UTC)),
    most_s=st.floats(0, 1e6),
)
def test_jitter_stays_within_its_bound_and_is_the_same_for_everybody(
    name: str, instant: datetime, most_s: float
) -> None:
    found = jitter(name, instant, most_s)
    assert timedelta() <= found <= timedelta(seconds=most_s)
    assert found == jitter(name, instant.astimezone(BERLIN) if 1 < instant.year < 9999 else instant, most_s)


def test_jitter_spreads() -> None:
    drawn = [jitter("monthly", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n), 600) for n in range(400)]
    mean_s = sum(each.total_seconds() for each in drawn) / len(drawn)
    assert 260 < mean_s < 340  # uniform: 300, standard error 8.7
