"""What is found in bills by the hour whose truth is known, on each day without knowledge of its hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from tests.bench import bench_cost_hours

from seatrial.cost.detector import Finding, Kind
from seatrial.cost.hours import FEWEST_DAYS, can_judge, dear, found_in
from seatrial.cost.series import HOURS, CostSeries, Floats
from seatrial.cost.synthetic import hourly_costs

FIRST = date(2026, 1, 5)
DAYS = 70
CALM = hourly_costs(DAYS, 7)
NOON = 66 * HOURS + 12  # of the day 66


def series(hours: Floats) -> CostSeries:
    return CostSeries(FIRST, hours.reshape(-1, HOURS).sum(axis=1), hours=hours)


def found(hours: Floats, begin: int = 65, end: int = 68 * HOURS) -> list[Finding]:
    return list(found_in(series(hours), begin, end))


def test_a_calm_bill_has_nothing() -> None:
    assert found(CALM) == []


@pytest.mark.parametrize(
    ("hours", "times", "within"),
    [(1, 4.0, 1), (4, 1.9, 3), (DAYS * HOURS, 2.0, 3)],
    ids=["a spike of an hour", "a spike of hours", "a price"],
)
def test_what_is_dear_is_found_within_hours(hours: int, times: float, within: int) -> None:
    planted = CALM.copy()
    planted[NOON : NOON + hours] *= times
    first, _ = next(iter(dear(series(planted), 66, 68 * HOURS)))
    assert NOON <= first < NOON + within


def test_a_finding_tells_which_hours_and_how_much() -> None:
    planted = CALM.copy()
    planted[NOON] *= 4
    (told,) = found(planted)
    assert (told.kind, told.day, told.hours) == (Kind.SPIKE, FIRST + timedelta(days=66), 1)
    assert told.since == datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=NOON)
    assert told.cost == pytest.approx(planted[NOON])
    assert told.ratio == pytest.approx(4.0, rel=0.25)


def test_a_run_that_ends_after_midnight_is_of_the_day_with_its_first_dear_hour() -> None:
    planted = CALM.copy()
    planted[67 * HOURS - 5 : 67 * HOURS] *= 3
    assert [each.day for each in found(planted)] == [FIRST + timedelta(days=66)]


def test_what_is_not_to_be_looked_at_is_not() -> None:
    planted = CALM.copy()
    planted[NOON] *= 4
    assert found(planted, end=NOON) == []
    assert [each.day for each in found(planted, end=NOON + 1)] == [FIRST + timedelta(days=66)]
    assert found(planted, begin=67) == []


def test_missing_and_cheap_hours_are_no_finding_and_teach_nothing() -> None:
    planted = CALM.copy()
    planted[NOON - 3 : NOON] = np.nan
    planted[NOON + 1 : NOON + 5] *= 0.1
    planted[40 * HOURS : 42 * HOURS] = np.nan
    assert found(planted) == []
    planted[NOON] *= 4
    assert len(found(planted)) == 1


@pytest.mark.parametrize("by", [-1, 1])
def test_clocks_that_are_changed_ring_nothing(by: int) -> None:
    """A day of two levels and a steep morning, an hour earlier or later from some day on."""
    number = np.arange(DAYS * HOURS)
    shifted = number + by * (number >= 66 * HOURS + 1)
    night = np.where((shifted % HOURS >= 8) & (shifted % HOURS < 20), 300.0, 100.0)
    noise = np.exp(np.random.default_rng(3).normal(0, 0.02, len(number)))
    assert found(night * noise) == []


def test_an_hour_of_the_week_that_is_never_charged_is_not_judged() -> None:
    """A service that is idle at night; once it is not, and what that should cost nobody knows."""
    asleep = CALM.copy().reshape(-1, HOURS)
    asleep[:, :6] = np.nan
    asleep[66, 3] = 50 * np.nanmedian(CALM)
    assert found(asleep.ravel()) == []


def test_a_service_that_sleeps_half_of_the_day_is_judged_while_it_does_not() -> None:
    awake = CALM.copy().reshape(-1, HOURS)
    awake[:, ::2] = np.nan
    awake[66, 13] *= 4
    assert [each.hours for each in found(awake.ravel())] == [1]


def test_too_little_is_not_judged() -> None:
    few = series(CALM[: (FEWEST_DAYS + 1) * HOURS])
    assert can_judge(few, FEWEST_DAYS)
    assert not can_judge(few, FEWEST_DAYS - 1)
    gaps = CALM.copy()
    gaps[: 45 * HOURS] = np.nan
    assert not can_judge(series(gaps), 66)
    assert not can_judge(series(np.zeros(DAYS * HOURS)), 66)
    assert found(gaps) == []


def test_the_scale_of_a_bill_means_nothing() -> None:
    planted = CALM.copy()
    planted[NOON] *= 4
    (one,), (other,) = found(planted, 66, NOON + 1), found(planted * 1e-4, 66, NOON + 1)
    assert one.ratio == pytest.approx(other.ratio or 0.0)


def test_a_short_run_of_the_bench() -> None:
    """Bills that no threshold was chosen on: a raised price, and some hours that were dear."""
    tallies = bench_cost_hours.tallied((20_002, 20_006))
    false = {name: sum(each.false for each in kinds.values()) for name, kinds in tallies.items()}
    assert false["hours"] <= false["days"] + 1
    assert false["hours"] < false["naive"]
    for what, both in tallies["both"].items():
        days = tallies["days"][what]
        assert len(both.delays) >= len(days.delays)
        assert all(sooner <= later for sooner, later in zip(both.delays, days.delays, strict=False))
