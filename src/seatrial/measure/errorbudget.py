"""The error budget that a run has spent: seconds of total outage that would have cost as much.

A budget counts requests: of N that come in a window of W seconds, (1 − target) · N may be bad. Where they
come at the rate r = N / W, one bad request takes 1/r out of the budget (1 − target) · W, counted in time; so
a run with k bad ones has spent k/r, its *equivalent outage*, whatever the length of the window. It is a whole
outage's length, to within the spacing of two requests, and a partial one's share of its length. The rate is
the run's own around each request (`spacing`): what the same trouble costs at the traffic that was offered.

* lower: of the bad requests, those alone that are proven against the service
* upper: all of them, and each outage at no less than the time in which the service may have been out for
  everybody (`server.upper_s`, which knows of a time without any answer), the longest silence too where no
  request was bad. Without an end where an outage's was not seen.
"""

from __future__ import annotations

import numpy as np

from seatrial.measure.spacing import arrival_intervals
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Bounds, Measurement


def budget_spent(log: RequestLog, measured: Measurement) -> Bounds | None:
    """Seconds of the error budget, as bounds; None when no request was sent, for then nothing is known.

    `log`: the one that was measured; what is outside of the measured part is left out here too.
    """
    if not measured.generator.sent:
        return None
    log = log.sorted()
    low, high = np.searchsorted(log.intended, (measured.start_s, measured.end_s))
    proven = low + np.flatnonzero(log[low:high].proven_bad(measured.deadline_s))
    outages_s = sum(max(outage.equivalent_s, outage.server.upper_s) for outage in measured.outages)
    return Bounds(
        lower_s=float(np.sum(arrival_intervals(log.intended, proven))),
        upper_s=max(outages_s, measured.equivalent_outage_s, measured.completion_gap.upper_s),
    )
