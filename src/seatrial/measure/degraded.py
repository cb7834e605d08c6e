"""Degraded spans, and how long the service needed to recover.

A degraded span goes from the first bad request to the first instant after which the share of good arrivals
stays at 99 % or more for the settle time. That instant is sought among the good arrivals that follow a run
of bad ones: later arrivals of the same good stretch have the same bad ones before them. The settle time
must lie within the log: a service that has looked well for half of it has not yet been shown to be steady.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.measure.outages import Rows, Runs
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
        cls,
        log: RequestLog,
        good: Bools,
        runs: Runs,
        settle_s: float,
        deadline_s: float,
        stricter_s: float = 0.0,
    ) -> DegradedSpans:
        """Find them in `log`, sorted by intended instant; `good` and `runs` are of the same log.

        A row that is taken for good although it was never answered had been answered by its deadline.

        `stricter_s`: two rows may truly be so much nearer, or farther apart. Above 0 a span ends where the
        service was steady wherever they stood, below 0 where it may have been.
        """
        if not len(runs):
            return cls(*(np.empty(0) for _ in range(4)))
        end_s = end_of(log.intended)
        after = runs.last + 1
        bad_rows = np.flatnonzero(~good)
        resumed_by, answered = _next_good(
            log, good, (after, log.intended[runs.last]), deadline_s, max(stricter_s, 0.0)
        )
        resumed = np.where(np.isfinite(resumed_by), resumed_by, end_s)
        since = resumed if stricter_s >= 0 else log.intended[runs.last]
        from_row = np.maximum(after, np.searchsorted(log.intended, since - stricter_s))
        to_row = np.searchsorted(log.intended, since + settle_s + stricter_s)
        bad = np.searchsorted(bad_rows, to_row) - np.searchsorted(bad_rows, from_row)
        among = np.searchsorted(log.intended, since + settle_s - stricter_s) - after
        steady = (since + settle_s + stricter_s <= end_s) & (bad <= (1 - STEADY_SHARE) * among)
        closing = np.flatnonzero(
            np.append(steady[:-1], True)
        )  # runs that end a span; the last one always does
        opening = np.append(0, closing[:-1] + 1)
        shown = steady[closing]
        last = runs.last[closing]
        asked = np.where(np.isnan(log.sent[last]), log.intended[last], log.sent[last])
        return cls(
            start=runs.due[opening],
            end=np.where(shown, resumed[closing], end_s),
            last_failure=asked,
            steady_by=np.where(shown, answered[closing], np.inf),
        )

    def total_s(self, start_s: float, end_s: float) -> float:
        """How much of [start_s, end_s) was degraded, in seconds."""
        return float(np.sum(np.maximum(np.minimum(self.end, end_s) - np.maximum(self.start, start_s), 0.0)))


def _next_good(
    log: RequestLog, good: Bools, past: tuple[Rows, Floats], deadline_s: float, off_s: float
) -> tuple[Floats, Floats]:
    """When the next good row was due, and when it was answered; both of shape (s,), ∞ without one.

    `past`: which rows those are, n for none, and after which instants. Where two rows may truly be so much
    nearer, or farther apart, as `off_s`, it may be any of those that are due from so long before the one that
    the log shows to so long after it: the last of them is told, and the answer that took longest.
    """
    after, at_s = past
    if not off_s:  # not a copy of all good rows: there may be millions
        row = np.minimum(after, len(log) - 1)
        answered = np.fmin(log.ended[row], log.intended[row] + deadline_s)
        there = after < len(log)
        return np.where(there, log.intended[row], np.inf), np.where(there, answered, np.inf)
    due = np.append(log.intended[good], np.inf)
    ends = np.append(np.fmin(log.ended[good], log.intended[good] + deadline_s), [np.inf, np.inf])
    last = np.searchsorted(due, due[np.searchsorted(due, at_s + off_s)] + off_s, side="right") - 1
    first = np.minimum(np.searchsorted(due, at_s - off_s), last)
    edges = np.stack([first, last + 1], axis=1).ravel()
    return due[last], np.asarray(np.maximum.reduceat(ends, edges)[::2])


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
    rows may then stand in the other order, and either side of `from_s`, `until_s` and the end of a settle
    time: the log is read so that the service was steady as early as can be, and as late.
    """
    log = log.sorted()
    good = log.good(deadline_s - exact.took_s)
    kinder = good | ~log.proven_bad(deadline_s + exact.took_s)
    either = [good] if np.array_equal(good, kinder) else [good, kinder]
    off_s = max(exact.sent_s, exact.ended_s)
    readings = [
        _recovery(log, each, runs, (from_s - sooner_s, until_s + sooner_s), deadline_s, settle_s, stricter_s)
        for each, runs in [(each, Runs.of(log, each, deadline_s)) for each in either]
        for sooner_s in ({off_s, -off_s})
        for stricter_s in ({off_s, -off_s})
    ]
    bounds = [each for each in readings if each is not None]
    if not bounds:
        return None
    lower_s = min(each.lower_s for each in bounds) - from_s - off_s
    return Bounds(max(0.0, lower_s), max(0.0, max(each.upper_s for each in bounds) - from_s + off_s))


def _recovery(
    log: RequestLog,
    good: Bools,
    runs: Runs,
    within: tuple[float, float],
    deadline_s: float,
    settle_s: float,
    stricter_s: float,
) -> Bounds | None:
    """Between which instants the service recovered, in a sorted log of these `good` rows and bad `runs`."""
    from_s, until_s = within
    spans = DegradedSpans.of(log, good, runs, settle_s, deadline_s, stricter_s)
    candidates = np.flatnonzero((spans.end > from_s) & (spans.start < until_s))
    if len(candidates):
        span = candidates[0]
        return Bounds(float(spans.last_failure[span]), float(spans.steady_by[span]))
    due = int(np.searchsorted(log.intended, from_s))
    if due == len(log) and not stricter_s:
        return None
    ahead = np.flatnonzero(good[due:] & ~np.isnan(log.ended[due:]))[:1]
    past = np.array([due + ahead[0] if len(ahead) else len(log)]), np.array([from_s])
    _, (answered_s,) = _next_good(log, good, past, deadline_s, abs(stricter_s))
    return Bounds(from_s, float(answered_s))
