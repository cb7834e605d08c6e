"""Charges add up to what days cost, whatever their periods; what nobody charged for is not zero."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.cost.series import HOURS, Charge, CostSeries, by_day, hours_until, in_a_row, spread

START = datetime(2026, 1, 1, tzinfo=UTC)
charges = st.builds(
    lambda begin_h, length_h, amount: Charge(
        START + timedelta(hours=begin_h), START + timedelta(hours=begin_h + length_h), amount
    ),
    st.integers(0, 2_000),
    st.integers(0, 1_000),
    st.floats(-1e6, 1e6),
)


@given(st.lists(charges, min_size=1, max_size=20))
def test_nothing_is_lost_and_nothing_is_added(some: list[Charge]) -> None:
    _, values = by_day(some)
    assert np.nansum(values) == pytest.approx(sum(each.amount for each in some), abs=1e-3)


def test_a_charge_for_a_month_is_spread_over_its_days_and_hours_are_put_together() -> None:
    hours = [
        Charge(START + timedelta(hours=hour), START + timedelta(hours=hour + 1), 1.0) for hour in range(24)
    ]
    month = Charge(START, START + timedelta(days=30), 300.0)
    first, values = by_day([*hours, month])
    assert first == date(2026, 1, 1)
    assert len(values) == 30
    assert values[0] == pytest.approx(34.0)
    assert np.allclose(values[1:], 10.0)


@given(charges)
def test_hours_of_a_charge_are_those_that_it_is_for(charge: Charge) -> None:
    """Of a whole number of hours each bears the same, whatever their distance from 1970."""
    parts = dict(spread(charge, HOURS))
    first = hours_until(START.date()) + round((charge.start - START).total_seconds() / 3600)
    length = max(1, round((charge.end - charge.start).total_seconds() / 3600))
    assert list(parts) == list(range(first, first + length))
    assert list(parts.values()) == pytest.approx([charge.amount / length] * length)


def test_a_row_has_a_place_for_what_is_missing_and_none_for_what_lies_beyond() -> None:
    assert np.array_equal(
        in_a_row({3: 1.0, 5: 2.0, 9: 7.0}, 3, 6), [1.0, np.nan, 2.0, np.nan], equal_nan=True
    )


def test_a_day_that_nobody_charged_for_is_unknown() -> None:
    _, values = by_day(
        [Charge(START, START, 5.0), Charge(START + timedelta(days=2), START + timedelta(days=2), 7.0)]
    )
    assert values[0] == 5.0
    assert math.isnan(values[1])
    series = CostSeries(date(2026, 1, 1), values)
    longer = series.until(date(2026, 1, 5))
    assert (len(longer), longer.last) == (5, date(2026, 1, 5))
    assert np.isnan(longer.values[3:]).all()
    assert len(series.until(date(2026, 1, 1))) == 1
    assert len(series.until(date(2025, 12, 1))) == 0


def test_what_cannot_be_a_bill_is_refused() -> None:
    with pytest.raises(ValueError, match="no charge"):
        by_day([])
    with pytest.raises(ValueError, match="days apart"):
        by_day(
            [
                Charge(START, START, 1.0),
                Charge(datetime(2926, 1, 1, tzinfo=UTC), datetime(2926, 1, 1, tzinfo=UTC), 1.0),
            ]
        )
    with pytest.raises(ValueError, match="a charge for more than"):
        by_day([Charge(START, datetime(2926, 1, 1, tzinfo=UTC), 1.0)])
