"""Degraded spans, and how long the service needed to recover.

A degraded span goes from the first bad request to the first instant after which the share of good arrivals
stays at 99 % or more for the settle time. That instant is sought among the good arrivals that follow a run
of bad ones: later arrivals of the same good stretch have the same bad ones before them. The settle time
must lie within the log: a service that has looked well for half of it has not yet been shown to be steady.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.measure.outages import Runs
from seatrial.measure.spacing import end_of
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import Bools, Floats, RequestLog
from seatrial.model.result import Bounds

STEADY_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class DegradedSpans:
    """Degraded spans in order of time; every array has the shape (s,)."""

    start: Floats  # intended instant of the first bad request
    end: Floats  # intended instant of the arrival from which the service was steady, or the log's end
    last_failure: (
        Floats  # when the last bad request of the span was sent, so the span lasted at least until then
    )
    steady_by: Floats  # when that arrival was answered, so the span was over by then; ∞: not within the log

    @classmethod
    def of(
        cls, log: RequestLog, good: Bools, runs: Runs, settle_s: float, deadline_s: float
    ) -> DegradedSpans:
        """Find them in `log`, sorted by intended instant; `good` and `runs` are of the same log.

        A row that is taken for good although it was never answered had been answered by its deadline.
        """
        if not len(runs):
            return cls(*(np.empty(0) for _ in range(4)))
        end_s = end_of(log.intended)
        after = runs.last + 1
        nearest = np.minimum(after, len(log) - 1)
        resumed = np.where(after < len(log), log.intended[nearest], end_s)
        settled = np.searchsorted(log.intended, resumed + settle_s, side="left")
        bad_rows = np.flatnonzero(~good)
        bad = np.searchsorted(bad_rows, settled) - np.searchsorted(bad_rows, after)
        steady = (resumed + settle_s <= end_s) & (bad <= (1 - STEADY_SHARE) * (settled - after))
        closing = np.flatnonzero(
            np.append(steady[:-1], True)
        )  # runs that end a span; the last one always does
        opening = np.append(0, closing[:-1] + 1)
        shown = steady[closing]
        last = runs.last[closing]
        asked = np.where(np.isnan(log.sent[last]), log.intended[last], log.sent[last])
        answer = nearest[closing]
        answered = np.fmin(log.ended[answer], log.intended[answer] + deadline_s)
        answered[after[closing] == len(log)] = np.inf
        return cls(
            start=runs.due[opening],
            end=np.where(shown, resumed[closing], end_s),
            last_failure=asked,
            steady_by=np.where(shown, answered, np.inf),
        )

    def total_s(self, start_s: float, end_s: float) -> float:
        """How much of [start_s, end_s) was degraded, in seconds."""
        return float(np.sum(np.maximum(np.minimum(self.end, end_s) - np.maximum(self.start, start_s), 0.0)))


def recovery(
    log: RequestLog,
    from_s: float,
    deadline_s: float,
    settle_s: float,
    until_s: float = np.inf,
    exact: Exactness = EXACT,
) -> Bounds | None:
    """Seconds from the instant `from_s` (a fault's effect) until the service was steady again.

    The end of the first degraded span that is under way at `from_s` or begins before `until_s` (the next
    step, say). The service recovered after its last failed request was sent and before the first of its
    steady answers had arrived. The upper bound is infinite when the log never shows it steady. Without such
    a span the fault had no effect that was seen: the lower bound is 0, the upper one the first good answer.
    None when nothing was due after `from_s`, so that nothing can be said.

    Nobody knows whether bad rows that are the generator's own (see `outages`, *Proof*) would have been good:
    the log is read both ways, and the bounds hold for either. `exact`: how exact the log's instants are. Two
    rows may then stand in the other order, so either bound is as far off as two of them can be; which share
    of arrivals was good in a settle time is taken as the log has it.
    """
    log = log.sorted()
    good = log.good(deadline_s)
    readings = [_recovery(log, good, from_s, deadline_s, settle_s, until_s)]
    kinder = ~log.proven_bad(deadline_s)
    if np.any(kinder & ~good):
        readings.append(_recovery(log, kinder | good, from_s, deadline_s, settle_s, until_s))
    bounds = [each for each in readings if each is not None]
    if not bounds:
        return None
    lower_s = min(each.lower_s for each in bounds) - exact.sent_s
    return Bounds(max(0.0, lower_s), max(each.upper_s for each in bounds) + max(exact.sent_s, exact.ended_s))


def _recovery(
    log: RequestLog, good: Bools, from_s: float, deadline_s: float, settle_s: float, until_s: float
) -> Bounds | None:
    """`recovery` of a sorted log whose `good` rows are these."""
    spans = DegradedSpans.of(log, good, Runs.of(log, good, deadline_s), settle_s, deadline_s)
    candidates = np.flatnonzero((spans.end > from_s) & (spans.start < until_s))
    if len(candidates):
        span = candidates[0]
        lower = float(spans.last_failure[span]) - from_s
        return Bounds(max(0.0, lower), max(0.0, float(spans.steady_by[span]) - from_s))
    due = int(np.searchsorted(log.intended, from_s))
    if due == len(log):
        return None
    first_good = np.flatnonzero(good[due:] & ~np.isnan(log.ended[due:]))
    return Bounds(0.0, float(log.ended[due + first_good[0]]) - from_s if len(first_good) else np.inf)
