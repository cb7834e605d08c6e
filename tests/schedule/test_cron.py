"""Cron's fields and cron's rules."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.schedule.cron import Cron


def test_both_days_restricted_means_either() -> None:
    cron = Cron.parse("30 2 1-7 * sun")
    assert cron.matches(date(2026, 3, 2))  # a Monday, among the first seven
    assert cron.matches(date(2026, 3, 22))  # a Sunday
    assert not cron.matches(date(2026, 3, 23))


@pytest.mark.parametrize("text", ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun"])
def test_sunday_has_two_numbers(text: str) -> None:
    assert Cron.parse(text).matches(date(2026, 3, 1))
    assert not Cron.parse(text).matches(date(2026, 3, 2))


def test_steps_lists_and_names() -> None:
    cron = Cron.parse("*/20,5 8-10/2 * jan,mar mon-wed")
    assert [each.minute for each in cron.times(date(2026, 3, 2))[:4]] == [0, 5, 20, 40]
    assert cron.times(date(2026, 3, 2))[:3] == [time(8, 0), time(8, 5), time(8, 20)]
    assert cron.times(date(2026, 2, 2)) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("* * * *", "not five cron fields"),
        ("0 * * * * *", "not five cron fields"),  # seconds are not Debian's
        ("60 * * * *", "cron minute: '60' is not within 0-59"),
        ("0 5-3 * * *", "cron hour: '5-3' is not within 0-23"),
        ("0 0 31 feb *", "'0 0 31 feb \\*' is never due"),
        ("0 0 30,31 2 */2", "is never due"),
        ("0 0 * * frog", "cron day of week: 'frog' is not within 0-7 or sun-sat"),
        ("0 0 W * *", "cron day of month: 'W' is not within 1-31, L"),
        ("0 0 * * sun#6", "cron day of week: 'sun#6'"),
        ("*/0 * * * *", "cron minute: '\\*/0'"),
        ("@reboot", "'@reboot' is no word of cron's that names a time; there are: @yearly"),
        ("", "not five cron fields"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Cron.parse(text)


def test_a_leap_day_on_a_weekday_is_not_never() -> None:
    assert Cron.parse("0 0 29 2 *").matches(date(2028, 2, 29))


def days(text: str, year: int = 2026) -> list[str]:
    """The days of a year on which it is due."""
    first = date(year, 1, 1).toordinal()
    cron = Cron.parse(text)
    return [f"{day:%m-%d}" for day in map(date.fromordinal, range(first, first + 365)) if cron.matches(day)]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        (
            "30 2 * * SUN#1",
            [
                "01-04",
                "02-01",
                "03-01",
                "04-05",
                "05-03",
                "06-07",
                "07-05",
                "08-02",
                "09-06",
                "10-04",
                "11-01",
                "12-06",
            ],
        ),
        ("0 0 L 2,3 *", ["02-28", "03-31"]),
        ("0 0 LW 1,2,5 *", ["01-30", "02-27", "05-29"]),
        ("0 0 * 3 5L", ["03-27"]),
        ("0 0 * 3 7L", ["03-29"]),
        ("0 0 * 3 sun#5", ["03-29"]),
        ("0 0 */10 1 *", ["01-01", "01-11", "01-21", "01-31"]),
        ("0 0 1-7 3 */7", ["03-01"]),  # a field that begins with a star restricts nothing: both must hold
        ("@monthly", [f"{month:02d}-01" for month in range(1, 13)]),
        ("@yearly", ["01-01"]),
    ],
)
def test_what_cron_knows_beyond_numbers(text: str, due: list[str]) -> None:
    assert days(text) == due


def test_words_say_when() -> None:
    assert Cron.parse("@hourly").times(date(2026, 3, 1)) == [time(hour) for hour in range(24)]
    assert Cron.parse("@Weekly").times(date(2026, 3, 1)) == [time(0)]
    assert Cron.parse("@weekly").times(date(2026, 3, 2)) == []
    assert len(days("@daily")) == 365


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["*", "*/2", "1-5", "L", "LW", "5L", "SUN#1", "7", "0", "feb", "31", "1,L", "SUN#1/2"]
            ),
            st.text("0123456789*/-,L#SUNW", min_size=1, max_size=6),
        ),
        min_size=5,
        max_size=5,
    )
)
def test_whatever_is_written_is_understood_or_refused(fields: list[str]) -> None:
    text = " ".join(fields)
    try:
        cron = Cron.parse(text)
    except ValueError as error:
        assert "cron" in str(error) or "is never due" in str(error)
    else:
        assert any(cron.times(date.fromordinal(day)) for day in range(738886, 738886 + 41 * 366))
