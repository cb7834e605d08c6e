"""What is said of a bill today: anomalies fail, what is not known is unknown, and nothing else passes."""

from __future__ import annotations

from datetime import date

import numpy as np

from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import CostSeries
from seatrial.cost.synthetic import daily_costs
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
