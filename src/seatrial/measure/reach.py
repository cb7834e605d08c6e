"""What can be said of outages when the log's instants are only known to some exactness.

With early and late as in `seatrial.model.exactness` and r = early + late of the instants of sending, let x be
what the log says of a row and x* the truth, x - early ≤ x* ≤ x + late. Two rows may then stand in the other
order than the log has them, wherever it has them less than r apart.

**Lower bounds.** Let a and b be successive good rows of the log, as it says. A bad row f with f ≥ a + r has
f* ≥ f - early ≥ a + late ≥ a*, and one with f ≤ b - r has f* ≤ b*. So bad rows that stand r or farther from
every row that may be good are truly between the same two, with no good one among them. They alone are proof;
what they span is shorter than the log has it by r at the most:

    perceived lower = (intended_fk - early) - (sent_f1 + late)

**Upper bounds.** Let L* and R* be good rows that truly follow each other. None is due in between, so no good
row of the log stands in (L* + early, R* - late): it would truly be due in (L*, R*). So among the good rows as
the log has them there are two successive ones, a and b, with a ≤ L* + early and b ≥ R* - late, and

    R* - L*  ≤  (b + late) - (a - early)

A bad row f that truly lies between L* and R* has f > L* - late ≥ a - r and f < R* + early ≤ b + r: the gap
(a, b) is within reach of the row. So the widest gap within reach of a run of bad rows bounds whatever outage
they truly belong to.

**Silences** need no rule of their own: a request worked on in [sent*, ended*] was worked on in the longer
[sent - early, ended + late], which is all that `completions` asks of it; and a failure that may have been
sent after all of these may be the end of the log.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seatrial.measure.completions import Completions
from seatrial.model.exactness import Exactness
from seatrial.model.requestlog import Bools, Floats, RequestLog
from seatrial.model.result import Bounds

Indexes = npt.NDArray[np.intp]


def widened(log: RequestLog, exact: Exactness) -> RequestLog:
    """The log with every answer as long under way as it can have been, and every failure sent as late."""
    if not exact.inexact:
        return log  # not a copy: it may have millions of rows
    sent = np.where(log.ok, log.sent - exact.sent_early_s, log.sent + exact.sent_late_s)
    due = log.intended - exact.sent_early_s
    return replace(log, intended=due, sent=sent, ended=log.ended + exact.ended_late_s)


def gap_within(completions: Completions, exact: Exactness, start_s: float, end_s: float) -> Bounds:
    """The longest completion gap of a `widened` log.

    Its lower bound is what is left when each end is as late, or early, as it can have been: ends are late by
    as much already; the log's first arrival is early, and the last that is known of may have been earlier. A
    silence at the end counts when a request that failed was certainly sent after all that were answered ok:
    in the widened log they are farther apart by what the instants of both may be off.
    """
    if not exact.inexact:
        return completions.longest_gap(start_s, end_s)
    upper_s = room_within(completions, exact, start_s, end_s)
    ended = completions.ended[:]
    ended[0] += exact.sent_s
    if 0 < completions.silent_by_s <= 2 * exact.sent_s:
        ended = ended[:-1]
    known_s = completions.last_known_s - max(exact.sent_s, exact.ended_s)
    worked = completions.worked[: len(ended)]
    shorter = replace(completions, ended=np.maximum.accumulate(ended), worked=worked, last_known_s=known_s)
    lower_s = shorter.longest_gap(start_s, end_s).lower_s - exact.ended_s
    return Bounds(max(0.0, lower_s), upper_s)


def room_within(completions: Completions, exact: Exactness, start_s: float, end_s: float) -> float:
    """The upper bound of the same.

    Ends are late, so a gap that truly begins before `end_s` may seem not to; and there may truly be no gap to
    observe, where the last end may have been before `start_s`, or the first arrival after `end_s`.
    """
    first_s, last_s = float(completions.ended[0]), float(completions.ended[-1])
    if last_s - exact.ended_s <= start_s or first_s + exact.sent_s >= end_s:
        return np.inf
    return completions.longest_gap(start_s, end_s + exact.ended_s).upper_s


def apart_from(proven: Bools, intended: Floats, within_s: float) -> Bools:
    """Those of the `proven` bad rows that stand `within_s` or farther from every other row.

    `intended` is ascending, both have the shape (n,).
    """
    if not within_s or bool(proven.all()):
        return proven
    others = intended[~proven]
    following = np.searchsorted(others, intended)
    before = np.append(-np.inf, others)[following]
    after = np.append(others, np.inf)[following]
    return np.asarray(proven & (intended - before >= within_s) & (after - intended >= within_s))


def widest_gaps(good_at: Floats, start_s: float, first: Floats, last: Floats, within_s: float) -> Indexes:
    """For each of r runs of bad rows, the widest gap between good rows that lies within reach; shape (r,).

    `good_at`: the good rows, ascending, shape (m,). Gap j lies between good_at[j - 1] and good_at[j]; gap 0
    begins at `start_s`, gap m never ends. `first`, `last`: where each run begins and ends.
    """
    lengths = np.append(np.diff(good_at, prepend=start_s), np.inf)
    low = np.searchsorted(good_at, first - within_s, side="right")
    high = np.searchsorted(good_at, last + within_s, side="left")
    return _largest(lengths, low, np.maximum(low, high))


def _largest(values: Floats, low: Indexes, high: Indexes) -> Indexes:
    """The index of a largest of `values` in each of [low, high], ends included.

    By doubling: the largest of 2^k values is one of those of its halves, and a stretch is covered by two
    stretches of the greatest such length that fits (Bender & Farach-Colton 2000, *The LCA Problem
    Revisited*).
    """
    found = np.empty(len(low), dtype=np.intp)
    level = np.frexp((high - low + 1).astype(np.float64))[1] - 1
    best = np.arange(len(values))
    for power in range(int(level.max(initial=-1)) + 1):
        here = np.flatnonzero(level == power)
        found[here] = _larger(values, best[low[here]], best[high[here] - (1 << power) + 1])
        half = 1 << power
        if 2 * half <= len(values):
            best = _larger(values, best[:-half], best[half:])
    return found


def _larger(values: Floats, one: Indexes, other: Indexes) -> Indexes:
    return np.where(values[other] > values[one], other, one)
