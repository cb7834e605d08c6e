"""What is said of a bill today: anomalies fail, what is not known is unknown, and nothing else passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import HOURS, CostSeries, Floats
from seatrial.cost.synthetic import daily_costs, hourly_costs
from seatrial.cost.watch import document, due_on, watched
from seatrial.model.verdict import Verdict

CALM = CostSeries(date(2026, 1, 5), daily_costs(110, 7), "EUR")
DUE = CALM.last


def having(*planted: Planted) -> CostSeries:
    values = CALM.values
    for each in planted:
        values = each.into(values)
    return CostSeries(CALM.first, values, "EUR")


def test_a_calm_bill_passes() -> None:
    found = watched(CALM, DUE)
    assert (found.verdict, found.judged, found.sentences) == (Verdict.PASS, 7, ())


def test_an_anomaly_fails_whatever_is_missing_beside_it() -> None:
    found = watched(having(Planted(Anomaly.SPIKE, 106, 1.0), Planted(Anomaly.GAP, 108)), DUE)
    assert found.verdict is Verdict.FAIL
    assert [each.kind.value for each in found.findings] == ["spike", "missing"]
    assert "EUR where" in found.sentences[0]
    assert found.sentences[1].startswith("2026-04-23: the bill has nothing of this day")


def test_a_day_that_is_missing_or_late_is_unknown() -> None:
    assert watched(having(Planted(Anomaly.GAP, 108)), DUE).verdict is Verdict.UNKNOWN
    late = watched(CALM, date(2026, 4, 27))
    assert late.verdict is Verdict.UNKNOWN
    assert len(late.findings) == 3


def test_what_is_not_due_yet_is_not_looked_at() -> None:
    values = CALM.values.copy()
    values[-1] = 0.01  # today, and it is not yet noon
    found = watched(CostSeries(CALM.first, values), due_on(date(2026, 4, 25)))
    assert (found.verdict, found.series.last) == (Verdict.PASS, date(2026, 4, 23))


def test_a_bill_that_is_too_short_to_learn_from_is_unknown() -> None:
    short = CostSeries(CALM.first, CALM.values[:20])
    found = watched(short, short.last)
    assert found.verdict is Verdict.UNKNOWN
    assert found.sentences[0].startswith("20 days of the bill are known by 2026-01-24")
    assert (
        watched(short, date(2025, 12, 1)).why
        == "the bill begins on 2026-01-05, after the last day that is due"
    )
    assert watched(CostSeries(CALM.first, np.zeros(110)), DUE).verdict is Verdict.UNKNOWN


def test_the_document_has_what_a_script_needs() -> None:
    told = document("shop", watched(having(Planted(Anomaly.SPIKE, 106, 1.0)), DUE))
    assert (told["series"], told["verdict"], told["due"], told["currency"]) == (
        "shop",
        "fail",
        "2026-04-24",
        "EUR",
    )
    (finding,) = told["findings"]
    assert (finding["kind"], finding["day"]) == ("spike", "2026-04-21")


HOURLY = hourly_costs(70, 7)
DUE_OF_HOURS = date(2026, 3, 13)
TODAY = date(2026, 3, 15)
NOON_AFTER = 68 * HOURS + 12  # of the day after the one that is due


def by_the_hour(hours: Floats) -> CostSeries:
    days = np.concatenate([hours, np.full(-len(hours) % HOURS, np.nan)]).reshape(-1, HOURS).sum(axis=1)
    return CostSeries(date(2026, 1, 5), days, "EUR", hours=hours)


def test_hours_are_judged_until_the_newest_but_one() -> None:
    hours = HOURLY[: NOON_AFTER + 2].copy()
    hours[NOON_AFTER + 1] *= 4  # the newest
    found = watched(by_the_hour(hours), DUE_OF_HOURS, newest=TODAY)
    assert (found.verdict, found.judged, found.hours) == (Verdict.PASS, 7, 7 * HOURS + 13)
    assert found.hours_until == datetime(2026, 3, 14, 13, tzinfo=UTC)
    hours = HOURLY[: NOON_AFTER + 3].copy()
    hours[NOON_AFTER + 1] *= 4
    found = watched(by_the_hour(hours), DUE_OF_HOURS, newest=TODAY)
    assert (found.verdict, len(found.findings)) == (Verdict.FAIL, 1)
    assert found.sentences[0].startswith("2026-03-14 13:00 UTC: ")
    assert found.series.last == DUE_OF_HOURS
    (told,) = document("shop", found)["findings"]
    assert (told["kind"], told["day"], told["since"], told["hours"]) == (
        "spike",
        "2026-03-14",
        "2026-03-14T13:00:00+00:00",
        1,
    )
    assert (
        watched(by_the_hour(hours), DUE_OF_HOURS).verdict is Verdict.PASS
    )  # of a later day than is asked for


def test_days_of_a_bill_by_the_hour_are_judged_as_they_always_were() -> None:
    hours = HOURLY.copy()
    hours[65 * HOURS : 66 * HOURS] *= 2
    hours[67 * HOURS + 5] = np.nan
    series = by_the_hour(hours)
    days = watched(series, DUE_OF_HOURS)
    both = watched(series, DUE_OF_HOURS, newest=DUE_OF_HOURS)
    assert [each.kind.value for each in days.findings] == ["spike", "missing"]
    assert [each for each in both.findings if each.since is None] == list(days.findings)
    assert (days.hours, days.hours_until) == (0, None)
    assert days.series.remarks == (
        "hours are added up to days: one dear hour within an ordinary day is not seen without --hours",
    )
    plain = watched(replace(series, hours=np.empty(0)), DUE_OF_HOURS, newest=DUE_OF_HOURS)
    assert plain.findings == days.findings
    assert plain.series.remarks == ("it is no bill by the hour: days alone are judged",)


def test_where_too_few_hours_are_known_days_are_judged_and_that_is_told() -> None:
    """Somebody exports by the hour since a week; what days cost is known for longer."""
    hours = HOURLY.copy()
    series = by_the_hour(hours)
    hours[: 62 * HOURS] = np.nan
    found = watched(replace(series, hours=hours), DUE_OF_HOURS, newest=DUE_OF_HOURS)
    assert (found.verdict, found.judged, found.hours) == (Verdict.PASS, 7, 0)
    (remark,) = found.series.remarks
    assert remark == (
        "hours are not judged on 2026-03-07, nor on 6 others, only what they add up to: 0 hours of the nine weeks "
        "before are known, and it takes 732"
    )
