"""What is found in bills whose truth is known, on each day without knowledge of a later one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.bench import bench_cost

from seatrial.cost.detector import FEWEST_DAYS, Finding, Kind, can_judge, found_on, replayed
from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import CostSeries, Floats
from seatrial.cost.synthetic import daily_costs

FIRST = date(2026, 1, 5)
DAYS = 110
CALM = daily_costs(DAYS, 7)


def series(values: Floats) -> CostSeries:
    return CostSeries(FIRST, values)


def first_found(planted: Planted) -> Finding | None:
    found = replayed(series(planted.into(CALM)), planted.day)
    return next((each for _, each in found if each is not None), None)


def test_a_calm_bill_has_nothing() -> None:
    assert [each for _, each in replayed(series(CALM), 90) if each] == []


@pytest.mark.parametrize(
    ("planted", "kind", "within_days"),
    [
        (Planted(Anomaly.SPIKE, 95, 1.0), Kind.SPIKE, 0),
        (Planted(Anomaly.PRICE, 95, 1.0), Kind.SPIKE, 0),
        (Planted(Anomaly.PRICE, 95, 0.2), Kind.RISE, 7),
        (Planted(Anomaly.LEAK, 95, 0.03), Kind.RISE, 10),
        (Planted(Anomaly.GAP, 95), Kind.MISSING, 0),
    ],
)
def test_what_is_planted_is_found_in_time(planted: Planted, kind: Kind, within_days: int) -> None:
    found = first_found(planted)
    assert found is not None
    assert found.kind is kind
    assert 0 <= (found.day - series(CALM).day(planted.day)).days <= within_days


def test_how_much_it_was_is_told() -> None:
    found = first_found(Planted(Anomaly.SPIKE, 95, 1.0))
    assert found is not None
    assert found.cost == pytest.approx(2 * CALM[95])
    assert found.ratio == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize(
    ("planted", "day", "expected", "ratio", "deviations"),
    [
        (Planted(Anomaly.SPIKE, 95, 1.0), 95, 20845.918064, 2.100072451772, 52.156663529692),
        (Planted(Anomaly.PRICE, 95, 0.2), 97, 19679.885526, 1.212410115980, 10.424169186850),
        (Planted(Anomaly.LEAK, 95, 0.03), 98, 19525.718832, 1.119509655075, 5.741087314772),
    ],
)
def test_figures_of_days_are_those_of_before_hours_were_judged(
    planted: Planted, day: int, expected: float, ratio: float, deviations: float
) -> None:
    found = first_found(planted)
    assert found is not None
    assert found.day == series(CALM).day(day)
    assert (found.expected, found.ratio, found.deviations) == pytest.approx((expected, ratio, deviations))


def test_a_day_that_is_there_in_part_is_no_low_bill() -> None:
    values = CALM.copy()
    values[95] *= 0.2
    found = found_on(series(values), 95)
    assert found is not None
    assert found.kind is Kind.SHORT
    assert not found.kind.proven


@pytest.mark.parametrize("change", ["holiday", "a gap and a spike a month ago", "no noise"])
def test_what_is_usual_rings_nothing(change: str) -> None:
    values = CALM.copy()
    match change:
        case "holiday":
            values[95:97] *= 0.7
        case "no noise":
            values = np.tile([100.0, 100, 100, 100, 100, 60, 60], 16)[:DAYS]
        case _:
            values[60:64] = np.nan
            values[70] *= 3
    assert [each for _, each in replayed(series(values), 93) if each] == []


def test_the_scale_of_a_bill_means_nothing() -> None:
    planted = Planted(Anomaly.SPIKE, 95, 0.5).into(CALM)
    one, other = found_on(series(planted), 95), found_on(series(planted * 1e-4), 95)
    assert one is not None
    assert other is not None
    assert one.ratio == pytest.approx(other.ratio or 0.0)


def test_too_little_is_not_judged() -> None:
    assert not can_judge(series(CALM), FEWEST_DAYS - 1)
    assert can_judge(series(CALM), FEWEST_DAYS)
    assert found_on(series(CALM), FEWEST_DAYS) is None
    gaps = CALM.copy()
    gaps[0:40] = np.nan
    assert not can_judge(series(gaps), FEWEST_DAYS)
    assert not can_judge(series(np.zeros(DAYS)), FEWEST_DAYS)


def test_a_short_run_of_the_bench() -> None:
    """Bills that no threshold was chosen on, two of each kind."""
    seeds = range(20_000, 20_010)
    ours, naive = (bench_cost.tallied(seeds, each) for each in (bench_cost.detector, bench_cost.naive))
    assert ours["missing days"].missed == 0
    assert naive["missing days"].missed == ours["missing days"].bills  # to it they cost nothing
    assert sum(each.missed for each in ours.values()) < sum(each.missed for each in naive.values())
    quiet = sum(each.quiet_days for each in ours.values())
    assert sum(each.false for each in ours.values()) <= 0.02 * quiet
