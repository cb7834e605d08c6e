"""What is to be said of a bill today: of its latest days, and of those that should be there and are not.

bill ─► filled up to the day that is due ─► each of the latest days judged ─► fail, unknown or pass, and why

Of a bill by the hour, its hours can be judged as well, from the first of these days until the newest but one:
that one may still grow. They may be younger than the day that is due, for an hour that is there in part is no
dear one; what is missing is only told of days that are due.

An anomaly fails. A day that is missing or there in part is unknown, and so is a bill too short to learn from:
neither is taken for a low bill, and neither passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from seatrial.cost import hours
from seatrial.cost.detector import FEWEST_DAYS, Finding, Kind, can_judge, describe, replayed
from seatrial.cost.series import HOURS, CostSeries
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
    hours: int = 0  # that were judged as well
    hours_until: datetime | None = None  # when the last of them was over

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


def watched(series: CostSeries, due: date, days: int = LATEST_DAYS, newest: date | None = None) -> Watched:
    """Judge the last `days` until the day that is due. What is later is not looked at: it is not complete.

    `newest`: of a bill by the hour, the last day of which hours are judged as well; None: of none.
    """
    whole = series.until(due)
    begin = max(len(whole) - days, FEWEST_DAYS)
    judgeable = [index for index in range(begin, len(whole)) if can_judge(whole, index)]
    if not judgeable:
        return Watched(whole, due, 0, (), _too_short(series, whole))
    found = [each for _, each in replayed(whole, judgeable[0]) if each is not None]
    judged = len(whole) - judgeable[0]
    if newest is None or not len(series.hours):
        remarks = (*series.remarks, *_why_days_alone(series, newest))
        return Watched(replace(whole, remarks=remarks), due, judged, tuple(found))
    last = min(_newest(series), ((newest - series.first).days + 1) * HOURS)
    span = range(judgeable[0], -(-last // HOURS))
    known = [day for day in span if hours.can_judge(series, day)]
    count = sum(int(np.isfinite(series.hours[day * HOURS : last][:HOURS]).sum()) for day in known)
    dear = hours.found_in(series, span.start, last)
    return Watched(
        replace(whole, remarks=(*series.remarks, *_not_judged(series, span, known))),
        due,
        judged,
        tuple(sorted([*dear, *found], key=lambda each: each.day)),
        hours=count,
        hours_until=series.midnight + timedelta(hours=last) if count else None,
    )


def _why_days_alone(series: CostSeries, newest: date | None) -> Iterator[str]:
    if newest is None and len(series.hours):
        yield "hours are added up to days: one dear hour within an ordinary day is not seen without --hours"
    elif newest is not None:
        yield "it is no bill by the hour: days alone are judged"


def _newest(series: CostSeries) -> int:
    """The newest hour that the bill has. It may still grow."""
    return int(np.flatnonzero(np.isfinite(series.hours))[-1])


def _not_judged(series: CostSeries, days: range, judged: Sequence[int]) -> Iterator[str]:
    """Which days have hours that cannot be judged, and why; then nothing is known but what they add up to."""
    lacking = [day for day in days if day not in judged]
    if lacking:
        more = f", nor on {len(lacking) - 1} others" if len(lacking) > 1 else ""
        known, needed = hours.known_and_needed(series, lacking[0])
        yield (
            f"hours are not judged on {series.day(lacking[0])}{more}, only what they add up to: "
            f"{known:,} hours of the nine weeks before are known, and it takes {needed}"
        )


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
    if finding.since is not None:
        how_long = f", {finding.hours} hours" if finding.hours != 1 else ""
        return f"{finding.since:%Y-%m-%d %H:%M} UTC{how_long}: {costs}, {times}"
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
        "judged_hours": found.hours,
        "hours_until": found.hours_until.isoformat() if found.hours_until else None,
        "currency": found.series.currency,
        "reasons": list(found.sentences),
        "findings": [describe(each) for each in found.findings],
        "remarks": list(found.series.remarks),
    }
