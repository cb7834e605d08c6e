"""A bill that is too high raises an alert in time, and a usual one none.

    cost-alert: {plant: [{anomaly: price, size: 100%, within: 1d}, {anomaly: gap, within: 1d}]}

The bill of the role is recorded, and only read. Into a copy of its last month each anomaly is planted, on
every third day on which its time still fits into the month, and the days are then judged one after another
as `seatrial cost watch` does, knowing no later one. Of the month as it is nothing may be found. A month that
is somebody's real bill may have an anomaly of its own, so what is found there is unknown, and not a fail.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from seatrial.checks.protocol import DeclaredCheck, History, Need
from seatrial.cost.detector import Finding, can_judge, found_on
from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import Bill, CostSeries
from seatrial.cost.watch import told
from seatrial.extras import COST
from seatrial.model.quantities import Duration, Lasting, Ratio
from seatrial.model.result import CheckResult
from seatrial.model.strict import Strict, as_tuple
from seatrial.model.verdict import Verdict

_DAY_S = 86_400.0
_MONTH, _EVERY = 30, 3  # days


def _named(value: object) -> object:
    try:
        return Anomaly(str(value))
    except ValueError as error:
        raise ValueError(f"'{value}' is not one of {', '.join(Anomaly)}") from error


def _within_the_month(within: Duration) -> Duration:
    if within.seconds >= (_MONTH + 1) * _DAY_S:
        days = within.seconds / _DAY_S
        raise ValueError(f"'{days:g}d' is longer than the {_MONTH} days into which anomalies are planted")
    return within


class ToPlant(Strict):
    """An anomaly to plant, and by when it must have raised an alert.

    {anomaly: leak, size: 3%, within: 10d}
    """

    anomaly: Annotated[Anomaly, BeforeValidator(_named)] = Field(examples=["leak"])
    """What befalls the bill: a day that costs more (`spike`), every day from then on (`price`), each day more
    than the one before (`leak`), a day that it does not have (`gap`)."""
    size: Ratio = Ratio(1.0)
    """By which share of what a day costs; of a leak, by which each day costs more than the one before."""
    within: Annotated[Lasting, AfterValidator(_within_the_month)] = Field(
        default=Duration(_DAY_S), examples=["10d"]
    )
    """The alert must come with that many days of it, 30 at the most; 1d is the first day alone."""

    @property
    def days(self) -> int:
        """`within`, in whole days."""
        return max(1, math.floor(self.within.seconds / _DAY_S))


class CostAlert(DeclaredCheck):
    """Anomalies that are planted into a month of the bill raise an alert in time, and nothing else does."""

    name: ClassVar[str] = "cost-alert"

    role: str = "billing"
    """The role that has the bill."""
    plant: Annotated[tuple[ToPlant, ...], BeforeValidator(as_tuple), Field(min_length=1)] = Field(
        examples=[[{"anomaly": "spike", "size": "100%", "within": "1d"}]]
    )
    """What is planted, each by itself."""

    def needs(self) -> tuple[Need[Any], ...]:
        return (self._bill,)

    @property
    def _bill(self) -> Need[Bill]:
        return Need("bill", self.role)

    def judge(self, history: History) -> CheckResult:
        bill = history.told(self._bill)
        if bill.data is None:
            return self.found(Verdict.UNKNOWN, f"the bill is not known: {bill.error}")
        if missing := COST.lacking():
            return self.found(Verdict.UNKNOWN, f"it takes {missing}")
        series = bill.data.series
        month = range(len(series) - _MONTH, len(series))
        if not can_judge(series, month.start):
            return self.found(
                Verdict.UNKNOWN, f"a bill of {len(series)} days is too short for a month to be judged"
            )
        by_itself = _first(series, month)
        if by_itself is not None:
            verdict = Verdict.FAIL if bill.data.invented else Verdict.UNKNOWN
            said = f"an alert where nothing was planted: {told(by_itself, series.currency)}"
            return self.found(verdict, said)
        return self._planted(series, month)

    def _planted(self, series: CostSeries, month: range) -> CheckResult:
        late, figures, planted = [], dict[str, float](), 0
        for each in self.plant:
            slowest = 0.0
            for day in month[: _MONTH - each.days + 1 : _EVERY]:
                planted += 1
                after = _alert_after(series, Planted(each.anomaly, day, each.size.fraction), each.days)
                if after is None:
                    late.append(f"{each.anomaly} of {each.size} on {series.day(day)}")
                    slowest = math.inf
                else:
                    slowest = max(slowest, float(after))
            if math.isfinite(slowest):
                name = f"{each.anomaly}_alert_after_days"
                figures[name] = max(slowest, figures.get(name, 0.0))
        if late:
            more = f" (and {len(late) - 1} more)" if len(late) > 1 else ""
            return self.found(
                Verdict.FAIL, f"no alert in time: {late[0]}{more}, of {planted} planted", **figures
            )
        said = (
            f"{planted} anomalies planted, each raised an alert in time, and {_MONTH} days as they are none"
        )
        return self.found(Verdict.PASS, said, **figures)


def _first(series: CostSeries, days: range) -> Finding | None:
    return next((found for day in days if (found := found_on(series, day)) is not None), None)


def _alert_after(series: CostSeries, planted: Planted, days: int) -> int | None:
    """With which day of an anomaly the alert comes, from 1; None when it does not in the first `days`."""
    with_it = CostSeries(series.first, planted.into(series.values), series.currency)
    for after in range(days):
        found = found_on(with_it, planted.day + after)
        if found is not None and found.kind.proven is not (planted.anomaly is Anomaly.GAP):
            return after + 1
    return None
