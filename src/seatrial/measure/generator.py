"""Whether the load generator can be believed: a saturated generator has measured itself."""

from __future__ import annotations

import numpy as np

from seatrial.model.requestlog import RequestLog
from seatrial.model.result import GeneratorAudit

LATENESS_INTERVALS = 2.0  # lateness (p99) beyond so many arrival intervals is not believed …
LATENESS_FLOOR_S = 0.005  # … unless it is below this: at high rates an interval is shorter than a time slice
WORST_SHARE = 0.5  # of the deadline may the latest arrival of all be late; the rest is left for the answer
DEFAULT_DEADLINE_S = 2.0


def audit(log: RequestLog, start_s: float, end_s: float) -> GeneratorAudit:
    """How faithfully the arrivals in `log`, all due in [start_s, end_s), were sent."""
    lateness = log.sent - log.intended
    lateness = lateness[~np.isnan(lateness)]
    late = np.zeros(3)
    if len(lateness):
        late = np.percentile(lateness, (50.0, 99.0, 100.0), method="inverted_cdf") * 1000
    sent = len(lateness)
    answered = len(log) - int(np.count_nonzero(np.isnan(log.ended)))
    length = end_s - start_s
    return GeneratorAudit(
        scheduled=len(log),
        sent=sent,
        answered=answered,
        dropped=len(log) - sent,
        unanswered=sent - answered,
        late_p50_ms=float(late[0]),
        late_p99_ms=float(late[1]),
        late_max_ms=float(late[2]),
        offered_per_s=len(log) / length if length > 0 else 0.0,
        achieved_per_s=sent / length if length > 0 else 0.0,
    )


def trusted(
    audit: GeneratorAudit,
    interval_s: float,
    *,
    dropped_because: str = "",
    deadline_s: float = DEFAULT_DEADLINE_S,
    intervals: float = LATENESS_INTERVALS,
    floor_s: float = LATENESS_FLOOR_S,
) -> str:
    """Why `audit` cannot be believed, or "" when it can. `interval_s`: the schedule's arrival interval.

    `dropped_because`: the reason of most dropped arrivals, where the log gives one.

    A single hiccup is held in the bounds of every outage (they use `sent` where it widens them), so the limit
    in arrival intervals is on the 99th percentile. Only a hiccup near the deadline could by itself make
    requests bad that the service answered well.
    """
    if not audit.scheduled:
        return "no arrival was scheduled, so nothing was measured"
    if audit.dropped:
        told = f"the load generator dropped {audit.dropped} of {audit.scheduled} arrivals"
        return f"{told}: {dropped_because}" if dropped_because else told
    for what, late_ms, allowed_ms in (
        ("p99", audit.late_p99_ms, max(intervals * interval_s, floor_s) * 1000),
        ("max", audit.late_max_ms, WORST_SHARE * deadline_s * 1000),
    ):
        if late_ms > allowed_ms:
            return (
                f"the load generator was late: {what} {late_ms:.1f} ms, allowed {allowed_ms:.1f} ms; "
                "lower the rate, give it more workers or a quieter machine"
            )
    return ""
