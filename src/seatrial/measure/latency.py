"""Latency as clients had it: from the instant at which a request was due, not from when it could be sent.

Measured from `sent`, a stalled system delays the very requests that would show the stall (coordinated
omission: Tene, *How NOT to Measure Latency*, 2015). Two more omissions are avoided here. A request that was
never answered counts as its deadline, a lower bound of what its client waited: without it, a stall would
look fast. And a failure that came quickly counts as an error, not as a latency: with it, a crash would look
fast.
"""

from __future__ import annotations

import numpy as np

from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Latency

_SHARES = (50.0, 90.0, 95.0, 99.0, 100.0)


def latencies_s(log: RequestLog, deadline_s: float) -> Floats:
    """`ended - intended` of requests that were answered ok, or that waited for their deadline at least."""
    waited = log.ended - log.intended
    waited[np.isnan(waited) & ~np.isnan(log.sent)] = deadline_s
    with np.errstate(invalid="ignore"):
        counts = log.ok | (waited >= deadline_s)
    return waited[counts & ~np.isnan(waited)]


def latency(log: RequestLog, deadline_s: float) -> Latency | None:
    """Percentiles of `latencies_s`, each a latency that occurred (nearest rank); None without any."""
    waited = latencies_s(log, deadline_s)
    if not len(waited):
        return None
    return Latency(*(float(x) * 1000 for x in np.percentile(waited, _SHARES, method="inverted_cdf")))
