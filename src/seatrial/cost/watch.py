"""What is to be said of a bill today: of its latest days, and of those that should be there and are not.

bill ─► filled up to the day that is due ─► each of the latest days judged ─► fail, unknown or pass, and why

An anomaly fails. A day that is missing or there in part is unknown, and so is a bill too short to learn from:
neither is taken for a low bill, and neither passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from seatrial.cost.detector import FEWEST_DAYS, Finding, Kind, can_judge, describe, replayed
from seatrial.cost.series import CostSeries
from seatrial.model.verdict import Verdict

LATEST_DAYS = 7
"""How many are judged: a watch that was away for some days misses none."""
ARRIVES_AFTER_DAYS = 2
"""A bill is not complete on the day after: providers take a day or so."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found on the latest days. `why`: no day could be judged; then there are no findings."""

    series: CostSeries
    due: date  # the last day that should be there
    judged: int  # days
    findings: tuple[Finding, ...]
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Fail: an anomaly. Unknown: a day that is not known."""
        if self.why:
            return Verdict.UNKNOWN
        if any(each.kind.proven for each in self.findings):
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.findings else Verdict.PASS

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words, day by day."""
        return (self.why,) if self.why else tuple(told(each, self.series.currency) for each in self.findings)


def due_on(today: date) -> date:
    """The last day that a bill should have by a day."""
    return today - timedelta(days=ARRIVES_AFTER_DAYS)


def watched(series: CostSeries, due: date, days: int = LATEST_DAYS) -> Watched:
    """Judge the last `days` until the day that is due. What is later is not looked at: it is not complete."""
    whole = series.until(due)
    begin = max(len(whole) - days, FEWEST_DAYS)
    judgeable = [index for index in range(begin, len(whole)) if can_judge(whole, index)]
    if not judgeable:
        return Watched(whole, due, 0, (), _too_short(series, whole))
    found = tuple(each for _, each in replayed(whole, judgeable[0]) if each is not None)
    return Watched(whole, due, len(whole) - judgeable[0], found)


def _too_short(series: CostSeries, whole: CostSeries) -> str:
    if not len(whole):
        return f"the bill begins on {series.first}, after the last day that is due"
    known = int((whole.values == whole.values).sum())  # which NaN is not
    return (
        f"{known} days of the bill are known by {whole.last}, of which too few cost anything; "
        f"a day is judged by the {FEWEST_DAYS} before it"
    )


def told(finding: Finding, currency: str = "") -> str:
    """A finding in a sentence."""
    day, money = finding.day.isoformat(), f" {currency}" if currency else ""
    if finding.kind is Kind.MISSING:
        return f"{day}: the bill has nothing of this day, or not all of it; what it cost is unknown"
    costs = f"{finding.cost:,.2f}{money} where {finding.expected:,.2f} are expected"
    times = f"{finding.ratio:.2f} times as much"
    match finding.kind:
        case Kind.SHORT:
            return f"{day}: {costs}, {times}: either less was used, or the bill is there in part"
        case Kind.RISE:
            return f"{day}: the middle one of the last {finding.days} days cost {costs}, {times}"
        case _:
            return f"{day}: {costs}, {times}"


def document(name: str, found: Watched) -> dict[str, Any]:
    """What was found as JSON-ready data."""
    return {
        "series": name,
        "verdict": found.verdict,
        "due": found.due.isoformat(),
        "judged_days": found.judged,
        "currency": found.series.currency,
        "reasons": list(found.sentences),
        "findings": [describe(each) for each in found.findings],
        "remarks": list(found.series.remarks),
    }
