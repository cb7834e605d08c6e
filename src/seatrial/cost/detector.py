"""Which days of a bill are not as they were: judged on each day from what came before it, as one who watches.

logarithms of what days cost ─► STL: the weekly pattern ─► a line through what is left ─► what is expected

* The weekly pattern is taken out by STL with robust weights (of statsmodels), the line is Theil and Sen's (of
  scipy), and the noise is measured by the median absolute deviation around it: a few odd days, a holiday or
  last month's anomaly move none of the three.
* A *spike* is a day that costs more than is expected from all days before it, beyond the noise and beyond
  what anybody would look at.
* A *rise* is a run of days whose median costs more than is expected from the days before them: the last two
  weeks do not speak for themselves, so a slow leak does not teach the detector to expect it. For how long a
  line is followed beyond its days, its slope is doubted: by the bounds of 95 % that it has.
* A day that the bill lacks is *missing*, and one that costs less than half of what is expected may be there
  in part (*short*). Neither is a low bill: both are unknown, and told as such.

Thresholds were chosen on seeds 0 to 199 of `cost.synthetic`; what they find on others is measured by
`tests/bench/bench_cost.py`. Sources: Cleveland, Cleveland, McRae and Terpenning, *STL: A Seasonal-Trend
Decomposition Procedure Based on Loess* (1990); Sen, *Estimates of the regression coefficient based on
Kendall's tau* (1968).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import numpy as np

from seatrial.cost.expected import Expected, Season, expect, logarithms
from seatrial.cost.series import CostSeries, Floats

WEEK = 7
FEWEST_DAYS = 28 + 14
"""Before the first day that can be judged: four weeks to learn from, and two that do not speak for
themselves."""
_GAPS_LEARNED_FROM = 0.5  # share of days that may be missing in what is learned from


class Kind(StrEnum):
    """What a day is found to be."""

    SPIKE = "spike"
    RISE = "rise"
    MISSING = "missing"
    SHORT = "short"

    @property
    def proven(self) -> bool:
        """Whether it is an anomaly, and not only a day of which nothing is known."""
        return self in (Kind.SPIKE, Kind.RISE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A day that is not as it was. `expected`, and how much of it was found: null where nothing is known.

    Of a rise, both are those of the median day among the last `days`.
    """

    kind: Kind
    day: date
    cost: float | None
    expected: float | None
    ratio: float | None  # found over expected
    deviations: float | None  # of the noise, beyond what is expected
    days: int = 1
    since: datetime | None = None  # of a spike of hours: when they begin; then all figures are those of them
    hours: int | None = None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What is worth telling. Deviations are those of the noise of a day, times a normal distribution's."""

    spike_deviations: float = 6.0
    spike_ratio: float = 1.3
    rise_deviations: float = 5.0
    rise_ratio: float = 1.1
    rise_days: tuple[int, ...] = (5, 7, 14)
    short_ratio: float = 0.5
    learned_from: int = 63  # days
    line: int = 42  # the last of them, that the line goes through
    least_noise: float = 0.01  # of a day: a bill that is the same each day may still be rounded
    recent: int = field(default=14, init=False)  # days that do not speak for themselves


USUAL = Sensitivity()


def replayed(
    series: CostSeries, begin: int, sensitivity: Sensitivity = USUAL
) -> Iterator[tuple[int, Finding | None]]:
    """For each day from the index `begin` on, what would have been found on it, knowing no later one."""
    for index in range(begin, len(series)):
        yield index, found_on(series, index, sensitivity)


def found_on(series: CostSeries, index: int, sensitivity: Sensitivity = USUAL) -> Finding | None:
    """What is found on one day by it and those before it; None for nothing. `can_judge` must hold."""
    day, cost = series.day(index), float(series.values[index])
    if math.isnan(cost):
        return Finding(Kind.MISSING, day, None, None, None, None)
    logs = logarithms(series.values[: index + 1][-(sensitivity.learned_from + sensitivity.recent) :])
    return _spike(logs, day, cost, sensitivity) or _rise(logs, day, sensitivity)


def can_judge(series: CostSeries, index: int) -> bool:
    """Whether there is enough before a day to judge it by."""
    if index < FEWEST_DAYS:
        return False
    before = series.values[max(0, index - USUAL.learned_from - USUAL.recent) : index - USUAL.recent]
    known = before[np.isfinite(before)]
    return len(known) >= (1 - _GAPS_LEARNED_FROM) * len(before) and float(np.median(known)) > 0


def _spike(logs: Floats, day: date, cost: float, sensitivity: Sensitivity) -> Finding | None:
    expected = _expected(logs[:-1][-sensitivity.learned_from :], 1, sensitivity)
    excess = float(logs[-1] - expected.centre[0])
    deviations = excess / expected.noise
    if abs(deviations) <= sensitivity.spike_deviations:
        return None
    if excess < math.log(sensitivity.short_ratio):
        kind = Kind.SHORT
    elif excess > math.log(sensitivity.spike_ratio):
        kind = Kind.SPIKE
    else:
        return None
    return Finding(kind, day, cost, math.exp(expected.centre[0]), math.exp(excess), deviations)


def _rise(logs: Floats, day: date, sensitivity: Sensitivity) -> Finding | None:
    recent = sensitivity.recent
    expected = _expected(logs[:-recent], recent, sensitivity)
    excess = logs[-recent:] - expected.centre
    for days in sensitivity.rise_days:
        known = np.isfinite(excess[-days:])
        if 2 * int(known.sum()) <= days:
            continue
        above = float(np.median(excess[-days:][known]))
        # the median of n values of a normal distribution varies by sqrt(pi / 2n) of their deviation
        noise = expected.noise * math.sqrt(math.pi / 2 / int(known.sum()))
        doubt = float(expected.doubt[-days:].mean())
        if above <= math.log(sensitivity.rise_ratio) or above <= sensitivity.rise_deviations * noise + doubt:
            continue
        usual = float(np.exp(np.median(expected.centre[-days:][known])))
        ratio = math.exp(above)
        return Finding(Kind.RISE, day, usual * ratio, usual, ratio, (above - doubt) / noise, days)
    return None


def _expected(logs: Floats, ahead: int, sensitivity: Sensitivity) -> Expected:
    """What the next `ahead` days should cost by those that are there."""
    return expect(logs, ahead, Season(WEEK, sensitivity.line), sensitivity.least_noise)


def describe(finding: Finding) -> Mapping[str, float | str | int | None]:
    """As JSON-ready data."""
    return {
        "kind": finding.kind.value,
        "day": finding.day.isoformat(),
        "days": finding.days,
        "cost": finding.cost,
        "expected": finding.expected,
        "ratio": finding.ratio,
        "deviations": finding.deviations,
        "since": finding.since.isoformat() if finding.since else None,
        "hours": finding.hours,
    }
