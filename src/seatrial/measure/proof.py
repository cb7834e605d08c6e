"""Bounds of what is counted: shares, percentiles and rates, with and without what is not proven.

`outages` and `degraded` give bounds of lengths of time. Here are those of the other objectives. Each request
of the log is one of three: good; bad and proven, so that it is evidence against the service; or bad by the
generator's own doing, and then nobody knows what the service would have made of it (`RequestLog.proven_bad`).
The unknown ones are taken for the best and for the worst in turn, and the truth lies between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seatrial.model import parts
from seatrial.model.percentiles import carries, rank_of
from seatrial.model.requestlog import Bools, Floats, RequestLog


def share_bad(log: RequestLog, deadline_s: float) -> tuple[float, float] | None:
    """Lower and upper bound of the share of bad requests; None when none was due."""
    if not len(log):
        return None
    proven = np.count_nonzero(log.proven_bad(deadline_s))
    bad = len(log) - np.count_nonzero(log.good(deadline_s))
    return float(proven / len(log)), float(bad / len(log))


def good_per_s(log: RequestLog, deadline_s: float, length_s: float) -> tuple[float, float] | None:
    """Lower and upper bound of the rate of good answers over `length_s`; None when no time passed."""
    if length_s <= 0:
        return None
    proven = np.count_nonzero(log.proven_bad(deadline_s))
    good = np.count_nonzero(log.good(deadline_s))
    return float(good / length_s), float((len(log) - proven) / length_s)


@dataclass(frozen=True, slots=True)
class Latencies:
    """The shortest and the longest that requests can have taken, in seconds.

    A latency counts from the instant at which the request was due. What we sent late was late for the
    client, yet the service had no part in that: it took `ended - sent` at the least. A request that waited in
    vain took a deadline at the least, and nobody knows how long. What was never sent is taken for 0 and for
    infinity. Failures that came quickly are errors, not latencies (see `latency`).
    """

    log: RequestLog
    deadline_s: float
    proven: Bools  # of each row
    quickly: Bools
    known: int  # how many requests somebody waited for

    @classmethod
    def of(cls, log: RequestLog, deadline_s: float) -> Latencies:
        """Read them from `log`."""
        proven = log.proven_bad(deadline_s)
        quickly = parts.each(len(log), np.bool_, lambda rows: _quickly(log[rows], proven[rows], deadline_s))

        def is_known(rows: slice) -> Bools:
            took = log.ended[rows] - log.sent[rows]
            return np.asarray(~quickly[rows] & (proven[rows] | ~np.isnan(took)))

        known = int(np.count_nonzero(parts.each(len(log), np.bool_, is_known)))
        return cls(log, deadline_s, proven, quickly, known)

    def percentile(self, percent: int) -> tuple[float, float] | None:
        """Lower and upper bound of a percentile; None when the sample cannot carry it."""
        return self.nearest_rank(percent) if carries(self.known, percent) else None

    def nearest_rank(self, percent: int) -> tuple[float, float]:
        """The same of any sample that is not empty, for a condition that must hold again and again."""
        rank = rank_of(int(np.count_nonzero(~self.quickly)), percent)
        shortest_s, longest_s = (self._at(rank, of) for of in (self._shortest, self._longest))
        return shortest_s, longest_s

    def _at(self, rank: int, of: Callable[[slice], Floats]) -> float:
        lengths = parts.some(len(self.log), np.float64, of)  # one at a time: each is as long as the log
        lengths.partition(rank)
        return float(lengths[rank])

    def _shortest(self, rows: slice) -> Floats:
        took = self.log.ended[rows] - self.log.sent[rows]
        unknown = np.isnan(took)
        took[unknown] = np.where(self.proven[rows][unknown], self.deadline_s, 0.0)
        return np.asarray(took[~self.quickly[rows]])

    def _longest(self, rows: slice) -> Floats:
        waited = self.log.ended[rows] - self.log.intended[rows]
        waited[np.isnan(waited)] = np.inf
        return np.asarray(waited[~self.quickly[rows]])


def _quickly(log: RequestLog, proven: Bools, deadline_s: float) -> Bools:
    """Which rows failed before anybody had waited for them."""
    with np.errstate(invalid="ignore"):
        return np.asarray(proven & ~log.ok & (log.ended - log.sent < deadline_s))
