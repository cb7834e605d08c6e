"""Latency as clients had it: from the instant at which a request was due, not from when it could be sent.

Measured from `sent`, a stalled system delays the very requests that would show the stall (coordinated
omission: Tene, *How NOT to Measure Latency*, 2015). Two more omissions are avoided here. A request that was
never answered counts as its deadline, a lower bound of what its client waited: without it, a stall would
look fast. And a failure that came quickly counts as an error, not as a latency: with it, a crash would look
fast.

What was never answered is known from below alone. Nearest ranks grow with the values they are taken from, so
each percentile is a lower bound of the true one. It is the true one as long as it lies below the deadline:
all values below it are waits that ended, and those in question stand above them wherever they truly belong.
From the deadline on it is shown as "at least" (`Latency.at_least_from_ms`).

How many values a percentile needs: `seatrial.model.percentiles`.
"""

from __future__ import annotations

import numpy as np

from seatrial.model import parts
from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Latency


def latency(log: RequestLog, deadline_s: float, off_s: float = 0.0) -> Latency | None:
    """Percentiles of `ended - intended`, each a latency that occurred (nearest rank); None without any.

    Of requests that were answered ok, or that waited for their deadline at least. `off_s`: how far what the
    log says of a request's length may be from the truth. Ranks move with their values, so each percentile is
    no farther from the true one.
    """
    waited = log.waited_s(deadline_s)
    unanswered = any(
        bool(np.any(~np.isnan(waited[rows]) & np.isnan(log.ended[rows]))) for rows in parts.parts(len(log))
    )
    known = parts.kept(waited, lambda values: ~np.isnan(values))
    return latency_of(known, deadline_s if unanswered else None, off_s)


def latency_of(waited: Floats, unanswered_s: float | None, off_s: float = 0.0) -> Latency | None:
    """The same, of how long each client waited, in seconds and any order; the array is made use of.

    `unanswered_s`: what was taken for the wait of those that were never answered, if there are any.
    """
    if not len(waited):
        return None
    waited.sort()
    waited *= 1000
    return Latency.of(waited, None if unanswered_s is None else unanswered_s * 1000, off_s * 1000)
