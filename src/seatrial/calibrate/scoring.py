"""Bounds against truth: what is measured of each planted outage, and how often it holds.

An outage is looked up in the log's `outages` by time. Its length must lie within the server-outage bounds.
Where no outage was reported (a stall that ended before anybody's deadline; a partial outage whose coin
never fell), the log says: nothing perceived, and no more than the room that successive completions leave
around that time, and these two are the bounds.

How wide bounds are is set by what the log cannot know. Two instants are known to one arrival interval each,
plus the time a request is under way and the generator's lateness; so three intervals are the mark, and a
machine too busy to keep time exceeds it honestly. Beyond that, by definition:

* blackhole: a request without an answer failed at some instant before its deadline D. The lower bound is
  max sent - min failed = s - D, for an outage of s, or 0: up to min(s, D) of width.
* stall: requests due in its last D are answered in time after all, so the bad ones end D before it does, and
  the first of them is known to have failed only D after it was sent: s - 2D or 0, so up to min(s, 2D) of
  width. A stall shorter than D is indistinguishable from slow answers, and has no bad request at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.calibrate.plan import KINDS, Kind
from seatrial.calibrate.record import MARK_INTERVALS, KindScore, Trial
from seatrial.calibrate.truth import Truth
from seatrial.measure.completions import Completions
from seatrial.model.percentiles import percentile
from seatrial.model.result import Bounds, Outage

_DEADLINES: dict[Kind, int] = {"blackhole": 1, "stall": 2}


@dataclass(frozen=True, slots=True)
class Scorer:
    """Compares the outages measured in one log with what was planted.

    `zero_s`: the log's zero on CLOCK_MONOTONIC. `margin_s`: how far from its truth an outage may be found.
    """

    outages: Sequence[Outage]
    completions: Completions
    zero_s: float
    interval_s: float
    deadline_s: float
    margin_s: float

    def trial(self, truth: Truth) -> Trial:
        """One planted outage and what was measured of it."""
        start, end = self._window(truth)
        found = [outage for outage in self.outages if outage.end_s >= start and outage.start_s <= end]
        gap = self.completions.longest_gap(start, end)
        bounds = Bounds(
            max((outage.server.lower_s for outage in found), default=0.0),
            max((outage.server.upper_s for outage in found), default=gap.upper_s),
        )
        return Trial(
            kind=truth.kind,
            at_s=truth.began_s - self.zero_s,
            truth_s=truth.length_s,
            uncertainty_s=truth.uncertainty_s,
            lower_s=bounds.lower_s,
            upper_s=bounds.upper_s,
            point_s=max(0.0, gap.lower_s - self.interval_s),
            bad=sum(outage.bad for outage in found),
            failed=truth.failed,
            deadline_effect_s=min(truth.length_s, _DEADLINES.get(truth.kind, 0) * self.deadline_s),
        )

    def unexplained(self, truths: Iterable[Truth]) -> int:
        """Outages that were measured where none was planted."""
        windows = [self._window(truth) for truth in truths]
        return sum(
            not any(outage.end_s >= start and outage.start_s <= end for start, end in windows)
            for outage in self.outages
        )

    def _window(self, truth: Truth) -> tuple[float, float]:
        return truth.began_s - self.zero_s - self.margin_s, truth.ended_s - self.zero_s + self.margin_s


def scores(trials: Sequence[Trial], interval_s: float) -> tuple[KindScore, ...]:
    """One score for each kind that was planted."""
    return tuple(
        _score(kind, mine, interval_s)
        for kind in KINDS
        if (mine := [trial for trial in trials if trial.kind == kind])
    )


def _score(kind: Kind, trials: Sequence[Trial], interval_s: float) -> KindScore:
    excess = np.array([trial.excess_s for trial in trials]) / interval_s
    errors_ms = np.sort([trial.point_s - trial.truth_s for trial in trials]) * 1000
    p95_ms, p05_ms = percentile(errors_ms, 95), percentile(-errors_ms[::-1], 95)
    deadlines = _DEADLINES.get(kind, 0)
    return KindScore(
        kind=kind,
        planted=len(trials),
        covered=sum(trial.covered for trial in trials),
        shortest_s=min(trial.truth_s for trial in trials),
        longest_s=max(trial.truth_s for trial in trials),
        excess_p50_intervals=float(np.median(excess)),
        excess_max_intervals=float(excess.max()),
        narrow=int(np.count_nonzero(excess <= MARK_INTERVALS)),
        deadline_effect={0: "none", 1: "up to the deadline", 2: "up to two deadlines"}[deadlines],
        error_p05_ms=None if p05_ms is None else -p05_ms,  # the 95th from the other end
        error_p50_ms=percentile(errors_ms, 50),
        error_p95_ms=p95_ms,
        error_least_ms=float(errors_ms[0]),
        error_most_ms=float(errors_ms[-1]),
    )
