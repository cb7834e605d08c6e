"""What a target costs, day by day: its bill as it is exported, or an invented one."""

from __future__ import annotations

import math
from datetime import date
from typing import ClassVar

from seatrial.cost.billing import read_bill
from seatrial.cost.series import Bill, CostSeries
from seatrial.cost.synthetic import daily_costs
from seatrial.drivers.billing import BillingBinding
from seatrial.lookups.recorder import Columns, Recorder, RunFacts
from seatrial.model.role import Role

_DAYS, _A_MONDAY = 120, date(2026, 1, 5)


class BillRecorder(Recorder[Bill]):
    """The bill; in the evidence, each day and what it cost, nothing for a day that nobody knows of."""

    name: ClassVar[str] = "bill"
    drivers: ClassVar[tuple[str, ...]] = (BillingBinding.driver,)

    def record(self, role: Role, run: RunFacts) -> Bill:  # noqa: ARG002  # a bill is not of a run
        self.fit(role)
        bound = role.bound_to(BillingBinding)
        if bound.synthetic is not None:
            return Bill(CostSeries(_A_MONDAY, daily_costs(_DAYS, bound.synthetic), "EUR"), invented=True)
        return Bill(read_bill(role.path(bound.file), column=bound.column), invented=False)

    def evidence(self, data: Bill) -> Columns:
        values = data.series.values.tolist()
        return {
            "day": [data.series.day(index).isoformat() for index in range(len(values))],
            "cost": [str(value) if math.isfinite(value) else None for value in values],
        }
