"""Which hours of a bill were not as they were: what is dear is found on the day itself, within hours.

For each day, by the hours before it: STL (the 168 hours of a week) ─► a line ─► what its hours should cost

* A day's hours are expected at its beginning, so whatever happens in it does not teach the detector.
* What is judged is a *run* of hours that ends with the latest: one hour, and several, whose median is taken.
  How much the median of so many varies is measured on the runs of the last six weeks, for hours are not
  independent of each other; the fewer they are the more it takes, for a single hour is easily odd.
* An hour may cost what the one before or after it is expected to: clocks are changed twice a year, bills are
  in UTC, and a morning that begins an hour earlier is no anomaly in any zone.
* An hour that the bill lacks is not known, and is in no median. What is cheap is not told: the newest hours
  are often there in part, and whole days are judged as well.

Slow rises need days to be told from noise, so days are judged as well, as they always were. Thresholds were
chosen on seeds 0 to 47 of `tests/bench/bench_cost_hours.py`, which measures what they find on others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from seatrial.cost.detector import Finding, Kind
from seatrial.cost.expected import Season, expect, logarithms, medians, noise_of
from seatrial.cost.series import HOURS, CostSeries, Floats

WEEK = 7 * HOURS
LEARNED_FROM_DAYS = 63
FEWEST_DAYS = 28
"""Of which so many, put together, must be known, and no fewer than half of those that have passed."""
_SEASON = Season(WEEK, line=42 * HOURS, together=HOURS, jump=HOURS, passes=(1, 3))
_LEAST_NOISE = 0.01  # of an hour: a bill that is the same each hour may still be rounded
_KNOWN_OF_A_PHASE = 2  # an hour of the week that was charged less often says nothing about what it costs


@dataclass(frozen=True, slots=True)
class Run:
    """So many hours, which must divide a day, and what of them is worth telling."""

    hours: int
    deviations: float
    ratio: float


RUNS = (Run(1, 14.0, 2.0), Run(3, 9.0, 1.5), Run(6, 9.0, 1.4), Run(24, 8.0, 1.3))


@dataclass(frozen=True, slots=True)
class _Day:
    """What is expected of a day's hours. `excess`: logarithms of what they cost beyond; NaN: not known."""

    usual: Floats
    excess: Floats
    noise: tuple[float, ...]  # of the median of each of RUNS


def known_and_needed(series: CostSeries, day: int) -> tuple[int, int]:
    """How many hours a day (an index) could be judged by, and how many it takes."""
    before = _before(series, day)
    return int(np.isfinite(before).sum()), max(FEWEST_DAYS * HOURS, -(-len(before) // 2))


def can_judge(series: CostSeries, day: int) -> bool:
    """Whether there is enough before a day to judge its hours by."""
    known, needed = known_and_needed(series, day)
    return known >= needed and float(np.nanmedian(_before(series, day))) > 0


def found_in(series: CostSeries, begin: int, end: int) -> Iterator[Finding]:
    """The first finding of each day from the index `begin` on, by its hours before the hour `end` (an index).

    A run is of the day on which its first dear hour is. Days of which `can_judge` does not hold have none.
    """
    told: set[date] = set()
    for _, finding in dear(series, begin, end):
        if finding.day not in told:
            told.add(finding.day)
            yield finding


def dear(series: CostSeries, begin: int, end: int) -> Iterator[tuple[int, Finding]]:
    """Every hour with which a run ends that costs too much: one for each, the shortest run."""
    day_before: _Day | None = None
    for day in range(max(begin - 1, 0), -(-end // HOURS)):
        if not can_judge(series, day):
            day_before = None
            continue
        today = _expected(series, day)
        if day >= begin:
            both = [day_before, today] if day_before is not None else [today]
            for hour in range(day * HOURS, min((day + 1) * HOURS, end)):
                finding = _run_until(series, hour, both)
                if finding is not None and finding.day >= series.day(begin):
                    yield hour, finding
        day_before = today


def _run_until(series: CostSeries, hour: int, days: list[_Day]) -> Finding | None:
    """The shortest run that ends with an hour of the last of these days and is too dear."""
    last = hour % HOURS + 1 + (len(days) - 1) * HOURS  # how many hours of these days are looked at
    excess, usual = (
        np.concatenate([getattr(day, name) for day in days])[:last] for name in ("excess", "usual")
    )
    for run, noise in zip(RUNS, days[-1].noise, strict=True):
        if last < run.hours or math.isnan(excess[-1]):
            continue
        above, least = float(medians(excess[-run.hours :], run.hours)[0]), math.log(run.ratio)
        if not (above > least and above > run.deviations * noise):  # NaN is neither
            continue
        length = run.hours - int(np.argmax(excess[-run.hours :] > least))
        known = np.isfinite(excess[-length:])
        cost = float(series.hours[hour + 1 - length : hour + 1][known].sum())
        expected = float(usual[-length:][known].sum())
        since = series.midnight + timedelta(hours=hour + 1 - length)
        ratio, deviations = cost / expected, above / noise
        return Finding(Kind.SPIKE, since.date(), cost, expected, ratio, deviations, since=since, hours=length)
    return None


def _before(series: CostSeries, day: int) -> Floats:
    return series.hours[max(0, day - LEARNED_FROM_DAYS) * HOURS : day * HOURS]


def _expected(series: CostSeries, day: int) -> _Day:
    before = _before(series, day)
    hours = series.hours[day * HOURS : (day + 1) * HOURS]
    logs, own = np.split(logarithms(np.concatenate([before, hours])), [len(before)])
    found = expect(logs, WEEK, _SEASON, _LEAST_NOISE)
    weeks = logs[-(len(logs) // WEEK) * WEEK :].reshape(-1, WEEK)
    rare = np.isfinite(weeks).sum(axis=0) < _KNOWN_OF_A_PHASE
    centre = np.where(rare, np.nan, found.centre)
    highest = np.fmax.reduce([np.roll(centre, 1), centre, np.roll(centre, -1)])  # the last is the one before
    excess = np.full(HOURS, np.nan)
    excess[: len(own)] = own - np.where(rare, np.nan, highest)[: len(own)]
    noise = tuple(noise_of(medians(found.left, run.hours), _LEAST_NOISE) for run in RUNS)
    return _Day(np.exp(centre[:HOURS]), excess, noise)
