"""A bill is judged by what is planted into a copy of it: alerts in time, silence otherwise, or unknown."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatrial.checks.cost_alert import CostAlert
from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import Bill, CostSeries, Floats
from seatrial.cost.synthetic import daily_costs
from seatrial.lookups.bill import BillRecorder
from seatrial.lookups.recorder import RunFacts
from seatrial.model.problems import BadInput
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict

CALM = daily_costs(120, 7)
SPIKE = {"anomaly": "spike", "size": "100%", "within": "1d"}


def check(*plant: dict[str, Any]) -> CostAlert:
    built = build("cost-alert", {"plant": list(plant)})
    assert isinstance(built, CostAlert)
    return built


def history(values: Floats | None, *, invented: bool = True) -> History:
    bill = None if values is None else Bill(CostSeries(date(2026, 1, 5), values, "EUR"), invented)
    told: dict[Need[Any], Recorded[Any]] = {
        Need("bill", "billing"): Recorded(bill, "" if bill else "no such file")
    }
    return History(RequestLog.empty(), (), 1.0, 10.0, told)


def test_alerts_that_come_in_time_pass_with_their_delays() -> None:
    found = check(SPIKE, {"anomaly": "gap"}).judge(history(CALM))
    assert found.verdict is Verdict.PASS, found.detail
    assert found.detail.startswith("20 anomalies planted, each raised an alert in time")
    assert found.figures == {"spike_alert_after_days": 1.0, "gap_alert_after_days": 1.0}


def test_what_nobody_would_hear_of_fails() -> None:
    """A leak of a tenth of a percent a day is within the noise for far longer than two days."""
    found = check({"anomaly": "leak", "size": "0.1%", "within": "2d"}).judge(history(CALM))
    assert found.verdict is Verdict.FAIL
    assert found.detail.startswith("no alert in time: leak of 0.1% on 2026-04-05")
    assert found.figures == {}


def test_an_alert_that_nobody_planted_is_false_only_where_the_truth_is_known() -> None:
    values = Planted(Anomaly.SPIKE, 100, 1.0).into(CALM)
    assert check(SPIKE).judge(history(values)).verdict is Verdict.FAIL
    own = check(SPIKE).judge(history(values, invented=False))
    assert own.verdict is Verdict.UNKNOWN
    assert own.detail.startswith("an alert where nothing was planted: 2026-04-15: ")


def test_what_cannot_be_judged_is_unknown() -> None:
    assert check(SPIKE).judge(history(None)).detail == "the bill is not known: no such file"
    assert check(SPIKE).judge(history(CALM[:60])).verdict is Verdict.UNKNOWN
    gaps = np.where(np.arange(120) < 80, np.nan, CALM)
    assert check(SPIKE).judge(history(gaps)).verdict is Verdict.UNKNOWN


def test_unknown_anomalies_are_refused() -> None:
    with pytest.raises(BadInput, match="'rain' is not one of spike, leak, price, gap"):
        check({"anomaly": "rain"})
    with pytest.raises(BadInput):
        check()


def test_more_time_than_the_month_has_is_refused_for_nothing_would_be_planted() -> None:
    assert (
        check({"anomaly": "leak", "size": "5%", "within": "30d"}).judge(history(CALM)).verdict is Verdict.PASS
    )
    for within in ("31d", "45d"):
        with pytest.raises(BadInput, match=f"'{within}' is longer than the 30 days"):
            check({"anomaly": "spike", "size": "100%", "within": within})


def test_a_bill_is_recorded_from_its_file_or_invented(tmp_path: Path) -> None:
    (tmp_path / "bill.csv").write_text("day,cost,currency\n2026-10-01,5,EUR\n2026-10-03,7,EUR\n")
    facts, recorder = RunFacts((), tmp_path), BillRecorder()

    def recorded(**binding: Any) -> Bill:
        return recorder.record(Role("billing", "billing", binding, (), str(tmp_path)), facts)

    read = recorded(file="bill.csv")
    assert not read.invented
    assert recorder.evidence(read) == {
        "day": ["2026-10-01", "2026-10-02", "2026-10-03"],
        "cost": ["5.0", None, "7.0"],
    }
    invented = recorded(synthetic=7)
    assert invented.invented
    assert np.array_equal(invented.series.values, CALM)
    with pytest.raises(BadInput, match="either a file or the seed"):
        recorded(synthetic=7, file="bill.csv")
