"""Bills as files: both forms, what is left out of them, and each mistake at its place."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from seatrial.cost.billing import focus_rows, read_bill
from seatrial.cost.series import CostSeries
from seatrial.model.problems import BadInput

FOCUS = "BilledCost,BillingCurrency,ChargeCategory,ChargeClass,ChargePeriodEnd,ChargePeriodStart,EffectiveCost,ServiceName\n"
USAGE = '1.5,USD,Usage,,2026-10-02T00:00:00Z,2026-10-01T00:00:00Z,1.25,"Compute, large"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bill.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plain_bill(tmp_path: Path) -> None:
    series = read_bill(
        written(tmp_path, "day;cost;currency\n2026-10-01;12.5;EUR\n2026-10-03;7;EUR\n2026-10-03;3;EUR\n")
    )
    assert (series.first, series.currency) == (date(2026, 10, 1), "EUR")
    assert np.array_equal(series.values, [12.5, np.nan, 10.0], equal_nan=True)


def by_the_hour(*lacking: str) -> str:
    """Three days at 1 an hour, without some of the hours."""
    rows = (f"2026-10-{day:02}T{hour:02}:00:00+00:00" for day in (1, 2, 3) for hour in range(24))
    return "day,cost\n" + "".join(f"{row},1\n" for row in rows if row[8:13] not in lacking)


def test_hours_are_added_up_to_days_and_a_day_that_lacks_some_is_not_known(tmp_path: Path) -> None:
    whole = read_bill(written(tmp_path, by_the_hour()))
    assert (whole.values.tolist(), whole.hours.tolist()) == ([24.0] * 3, [1.0] * 72)
    assert whole.remarks == ()
    lacking = read_bill(written(tmp_path, by_the_hour("02T05", "02T06")))
    assert np.array_equal(lacking.values, [24.0, np.nan, 24.0], equal_nan=True)
    assert np.flatnonzero(np.isnan(lacking.hours)).tolist() == [29, 30]  # missing, and not free
    assert lacking.remarks == ("22 of 24 hours of 2026-10-02 are there: what they cost is not known",)


def test_hours_are_those_of_utc_in_whatever_zone_they_are_written(tmp_path: Path) -> None:
    """Of a day on which clocks go back one hour is there twice, and they are two."""
    rows = [f"2026-10-25T{at}:00+0{zone}:00,{cost}" for at, zone, cost in ((2, 2, 7), (2, 1, 5), (3, 1, 3))]
    zoned = read_bill(written(tmp_path, "day,cost\n" + "\n".join(rows).replace("T", "T0") + "\n"))
    assert (zoned.hours.tolist()[-3:], zoned.remarks) == ([7.0, 5.0, 3.0], ())
    bare = read_bill(
        written(tmp_path, "day,cost\n2026-10-25T02:00,7\n2026-10-25T02:00,5\n2026-10-25T03:00,3\n")
    )
    assert bare.hours.tolist()[-2:] == [12.0, 3.0]
    assert bare.remarks == (
        "its hours are in no zone, and taken for UTC: where clocks are changed, one is there twice",
    )


def test_a_bill_by_the_day_has_no_hours(tmp_path: Path) -> None:
    assert not len(read_bill(written(tmp_path, "day,cost\n2026-10-01,1\n2026-10-02,2\n")).hours)


def test_a_bill_that_never_has_every_hour_lacks_none(tmp_path: Path) -> None:
    """A service that is idle at night is charged nothing then."""
    night = [f"{day:02}T{hour:02}" for day in (1, 2, 3) for hour in range(6)]
    series = read_bill(written(tmp_path, by_the_hour(*night, "02T07")))
    assert series.values.tolist() == [18.0, 17.0, 18.0]


def test_charges_of_a_day_and_of_an_hour_side_by_side_are_no_bill_by_the_hour(tmp_path: Path) -> None:
    hour = USAGE.replace("2026-10-02T00", "2026-10-01T01")
    series = read_bill(
        written(tmp_path, FOCUS + USAGE + hour + hour.replace("T01", "T05").replace("T00", "T04"))
    )
    assert (series.values.tolist(), series.remarks) == ([4.5], ())


def test_an_empty_cell_is_unknown_and_zero_is_zero(tmp_path: Path) -> None:
    series = read_bill(written(tmp_path, "date,amount\n2026-10-01,1\n2026-10-02,\n2026-10-03,0\n"))
    assert np.array_equal(series.values, [1.0, np.nan, 0.0], equal_nan=True)


def test_usage_alone_is_read_of_focus_and_the_rest_is_told(tmp_path: Path) -> None:
    tax = USAGE.replace("Usage", "Tax")
    correction = USAGE.replace("Usage,,", "Usage,Correction,")
    path = written(tmp_path, FOCUS + USAGE + USAGE + tax + tax + correction)
    series = read_bill(path)
    assert (series.values.tolist(), series.currency) == ([3.0], "USD")
    assert series.remarks == (
        "2 rows of ChargeCategory Tax are left out",
        "1 rows of ChargeClass Correction are left out",
    )
    assert read_bill(path, focus=True, column="EffectiveCost").values.tolist() == [2.5]


def test_what_is_written_as_focus_is_read_back_compressed(tmp_path: Path) -> None:
    series = CostSeries(date(2026, 10, 1), np.array([1.25, np.nan, 3.0]), "EUR")
    path = tmp_path / "export.csv.gz"
    path.write_bytes(gzip.compress("\n".join(focus_rows(series)).encode()))
    read = read_bill(path, focus=True)
    assert (read.first, read.currency) == (series.first, "EUR")
    assert np.array_equal(read.values, series.values, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,cost\n2026-10-01,1\n2026-10-02, 1 EUR\n", ":3:12: '1 EUR' is no amount such as 12.50"),
        ("day,cost\n2026-10-01,1\n\n2026-17-02,1\n", ":4:1: '2026-17-02' is no date"),
        ("day,cost\n2026-10-01,inf\n", ":2:12: 'inf' is no amount"),
        ("day,cost\n2026-10-01\n", ":2:1: 2 columns are expected, and there are 1"),
        ("day,costs\n2026-10-01,1\n", ":1:1: has no column 'cost' or 'amount'; did you mean 'costs'?"),
        ("day,cost\n", ":1:1: there is no charge in it"),
        ("  \n", ": is empty: a bill has a header line"),
        (FOCUS + USAGE.replace("1.5", "null", 1), ":2:1: BilledCost is empty"),
        (FOCUS + USAGE + USAGE.replace("USD", "EUR"), "has more than one currency: USD, EUR"),
        (FOCUS + USAGE.replace("10-02", "09-02"), ":2:16: ChargePeriodEnd lies before ChargePeriodStart"),
        (FOCUS.replace("BilledCost", "Billed") + USAGE, ":1:1: has no column 'BilledCost'"),
        ('day,cost\n"2026-10-01,1\n', ":2:1: no CSV:"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_bill(written(tmp_path, text))
    assert said in str(caught.value)


def test_instants_with_and_without_a_zone_are_of_one_bill(tmp_path: Path) -> None:
    usage = USAGE.replace("2026-10-01T00:00:00Z", "2026-10-01T00:00:00").replace(
        "02T00:00:00Z", "02T02:00:00+02:00"
    )
    series = read_bill(written(tmp_path, FOCUS + usage))
    assert (series.first, series.values.tolist()) == (date(2026, 10, 1), [1.5])


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
def test_an_instant_beyond_all_years_is_a_mistake_at_its_place(tmp_path: Path, instant: str) -> None:
    with pytest.raises(BadInput, match=r"bill\.csv:2:1: '.*' is no date such as"):
        read_bill(written(tmp_path, f"day,cost\n{instant},5\n"))


def test_what_is_no_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(b"day,cost\n2026-10-01,\xff\n")
    with pytest.raises(BadInput, match="is not UTF-8 text"):
        read_bill(path)
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_bill(tmp_path / "none.csv")
