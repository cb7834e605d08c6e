"""Whether the load generator can be believed: a saturated generator has measured itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from seatrial.model import parts
from seatrial.model.figures import exactly, interval
from seatrial.model.percentiles import percentile
from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import GeneratorAudit

LATENESS_INTERVALS = 2.0  # lateness (p99) beyond so many arrival intervals is not believed …
LATENESS_FLOOR_S = 0.005  # … unless it is below this: at high rates an interval is shorter than a time slice
WORST_SHARE = 0.5  # of the deadline may the latest arrival of all be late; the rest is left for the answer
DEFAULT_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class LogTells:
    """What a request log says of the generator that wrote it."""

    due: bool  # when each request was due
    dropped: bool  # arrivals that were never sent have rows as well
    unanswered: bool  # so have requests that were never answered
    failed: bool = True  # so have requests that failed before anybody answered; without: see `silence`


EVERYTHING = LogTells(due=True, dropped=True, unanswered=True)
ENDED_ALONE = LogTells(
    due=False, dropped=False, unanswered=False
)  # one row for each request that came to an end
ANSWERED_ALONE = LogTells(
    due=False, dropped=False, unanswered=False, failed=False
)  # one row for each request that reached whoever writes the log, or that was answered


def audit(log: RequestLog, start_s: float, end_s: float, tells: LogTells = EVERYTHING) -> GeneratorAudit:
    """How faithfully the arrivals in `log`, all due in [start_s, end_s), were sent."""
    lateness_ms = parts.some(
        len(log), np.float64, lambda rows: _lateness_s(log.intended[rows], log.sent[rows])
    )
    lateness_ms.sort()
    lateness_ms *= 1000
    answered = int(np.count_nonzero(~np.isnan(log.ended)))
    late_ms = partial(percentile, lateness_ms if tells.due else ())
    whole = GeneratorAudit.of(len(log), len(lateness_ms), answered, end_s - start_s, late_ms)
    known = tells.due and tells.dropped
    return replace(
        whole,
        scheduled=whole.scheduled if known else None,
        offered_per_s=whole.offered_per_s if known else None,
        dropped=whole.dropped if tells.dropped else None,
        unanswered=whole.unanswered if tells.unanswered else None,
    )


def _lateness_s(intended: Floats, sent: Floats) -> Floats:
    return (sent - intended)[~np.isnan(sent)]


def trusted(
    audit: GeneratorAudit,
    interval_s: float,
    *,
    dropped_because: str = "",
    late_because: str = "",
    deadline_s: float = DEFAULT_DEADLINE_S,
    intervals: float = LATENESS_INTERVALS,
    floor_s: float = LATENESS_FLOOR_S,
) -> str:
    """Why `audit` cannot be believed, or "" when it can. `interval_s`: the schedule's arrival interval.

    `dropped_because`: the reason of most dropped arrivals, where the log gives one. `late_because`: what has
    stopped the generator, where it has seen that.

    A single hiccup is held in the bounds of every outage (they use `sent` where it widens them), so the limit
    in arrival intervals is on the 99th percentile. Only a hiccup near the deadline could by itself make
    requests bad that the service answered well. For the log of another tool there is `vouched_for`.
    """
    if not audit.scheduled:
        return "no arrival was scheduled, so nothing was measured"
    if audit.dropped:
        told = f"it dropped {audit.dropped} of {audit.arrivals or audit.scheduled} arrivals"
        return f"{told}: {dropped_because}" if dropped_because else told
    nearly_all, most = _lateness(audit)
    for (what, late_ms), allowed_ms in (
        (nearly_all, max(intervals * interval_s, floor_s) * 1000),
        (most, WORST_SHARE * deadline_s * 1000),
    ):
        if late_ms > allowed_ms:
            late = interval(late_ms, late_ms, "ms", allowed_ms)
            mend = late_because or "lower the rate, give it more workers or a quieter machine"
            return f"it was late: {what} {late}, allowed {exactly(allowed_ms, 'ms')}; {mend}"
    return ""


def _lateness(audit: GeneratorAudit) -> tuple[tuple[str, float], tuple[str, float]]:
    """The lateness of nearly all and of all, in milliseconds; one that is not known is beyond every limit.

    Of fewer than 100 requests there is no 99th percentile, and the latest stands for it.
    """
    most = ("max", math.inf if audit.late_max_ms is None else audit.late_max_ms)
    return most if audit.late_p99_ms is None else ("p99", audit.late_p99_ms), most


def vouched_for(audit: GeneratorAudit, interval_s: float, deadline_s: float) -> str:
    """Why nobody can vouch for the generator of a log that is only read; "" when the log shows it did well.

    What the log does not tell cannot be trusted, nor held against the generator.
    """
    unknown = untold(audit)
    return (
        f"its log does not tell {unknown}" if unknown else trusted(audit, interval_s, deadline_s=deadline_s)
    )


def untold(audit: GeneratorAudit) -> str:
    """What the log that `audit` was read from does not tell of its generator; "" when it tells everything."""
    told = (
        (audit.scheduled, "when requests were due"),
        (audit.dropped, "which were never sent"),
        (audit.unanswered, "which were never answered"),
    )
    missing = [what for value, what in told if value is None]
    return " and ".join(part for part in (", ".join(missing[:-1]), *missing[-1:]) if part)
