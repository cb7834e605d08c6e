"""Cron's fields and cron's rules."""

from __future__ import annotations

from datetime import date, time

import pytest

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
    assert sorted(cron.minutes) == [0, 5, 20, 40]
    assert cron.times(date(2026, 3, 2))[:3] == [time(8, 0), time(8, 5), time(8, 20)]
    assert cron.times(date(2026, 2, 2)) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("* * * *", "not five cron fields"),
        ("60 * * * *", "cron minute: '60' is not within 0-59"),
        ("0 5-3 * * *", "not within 0-23"),
        ("0 0 31 feb *", "is never due"),
        ("0 0 * * frog", "cron day of week: 'frog' is not a number"),
        ("*/0 * * * *", "not within"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Cron.parse(text)


def test_a_leap_day_on_a_weekday_is_not_never() -> None:
    assert Cron.parse("0 0 29 2 *").matches(date(2028, 2, 29))
