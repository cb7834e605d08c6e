"""What can be said of a run while it is under way: the live figures, and the guards that may end it.

Rows arrive in small batches while the request log grows. An arrival is *decided* once it was answered or its
deadline has passed; only decided arrivals count, so that requests in flight are neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.measure import Latencies, share_bad
from seatrial.measure.latency import latency
from seatrial.model.experiment import Guard
from seatrial.model.figures import interval, share
from seatrial.model.reasons import Reason
from seatrial.model.requestlog import RequestLog

_LIVE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The last seconds of a run. Rates are per second; None: nothing was decided yet."""

    offered_per_s: float
    achieved_per_s: float
    good: int  # since the run began, warm-up included
    bad: int
    recent_bad: float | None  # share of bad among the arrivals decided lately
    p95_ms: float | None  # None: too few answers to tell


class LiveMeasurement:
    """Keeps the recent rows of a growing request log, and measures them."""

    def __init__(self, deadline_s: float, guards: Sequence[Guard] = ()) -> None:
        self._deadline_s = deadline_s
        self._guards = guards
        longest = max([guard.for_.seconds for guard in guards], default=0.0)
        self._horizon_s = max(longest, _LIVE_WINDOW_S) + 2 * deadline_s
        self._recent = RequestLog.concat([])
        self._good = 0
        self._bad = 0
        self._breached_since: dict[int, float] = {}

    def add(self, rows: RequestLog, now_s: float) -> None:
        """Take in new rows. `now_s` is the present instant on the request log's clock."""
        if len(rows) == 0:
            return
        good = int(np.count_nonzero(rows.good(self._deadline_s)))
        self._good += good
        self._bad += len(rows) - good
        recent = RequestLog.concat([self._recent, rows])
        self._recent = recent[recent.intended >= now_s - self._horizon_s]

    def figures(self, now_s: float) -> LiveFigures:
        """The live figures at `now_s`."""
        recent = self._decided(now_s, _LIVE_WINDOW_S)
        sent = np.count_nonzero((self._recent.sent >= now_s - _LIVE_WINDOW_S) & (self._recent.sent < now_s))
        waited = latency(recent, self._deadline_s)
        return LiveFigures(
            offered_per_s=len(recent) / _LIVE_WINDOW_S,
            achieved_per_s=float(sent) / _LIVE_WINDOW_S,
            good=self._good,
            bad=self._bad,
            recent_bad=self._share_bad(recent),
            p95_ms=waited.p95_ms if waited else None,
        )

    def breach(self, now_s: float, unwell: Sequence[str] = ()) -> str | None:
        """Which guard's condition has held for its whole time, as a sentence; None when none has.

        `unwell`: for each guard, in order, what its probe found wrong ("" for nothing, or no probe).

        A condition is looked at over the last second (a single bad request is no breach), and must be found
        true at every look for the guard's duration. Only what is proven against the service counts (see
        `measure.proof`): nothing is aborted for the generator's own failures.
        """
        recent = self._decided(now_s, 1.0)
        for index, guard in enumerate(self._guards):
            sentence = self._condition(guard, recent)
            if sentence is None and index < len(unwell) and unwell[index]:
                sentence = Reason.GUARD_HELD(breach=unwell[index])
            if sentence is None:
                self._breached_since.pop(index, None)
            elif now_s - self._breached_since.setdefault(index, now_s) >= guard.for_.seconds:
                return f"{sentence} for {guard.for_}"
        return None

    def _condition(self, guard: Guard, recent: RequestLog) -> str | None:
        if guard.errors is not None:
            bad = share_bad(recent, self._deadline_s)
            if bad is not None and bad[0] >= guard.errors.fraction:
                return Reason.GUARD_HELD(breach=f"{share(bad[0])} of arrivals were bad, limit {guard.errors}")
        if guard.p95 is not None:
            latencies = Latencies.of(recent, self._deadline_s)
            if latencies.known and (least_s := latencies.nearest_rank(95)[0]) >= guard.p95.seconds:
                p95 = interval(least_s, least_s, "s", guard.p95.seconds)
                return Reason.GUARD_HELD(breach=f"p95 was {p95}, limit {guard.p95}")
        return None

    def _decided(self, now_s: float, window_s: float) -> RequestLog:
        """Arrivals of which it became known in the last `window_s` how they ended."""
        log = self._recent
        gave_up = np.where(np.isnan(log.sent), log.intended, log.sent) + self._deadline_s
        known = np.where(np.isfinite(log.ended), log.ended, gave_up)
        return log[(known > now_s - window_s) & (known <= now_s)]

    def _share_bad(self, rows: RequestLog) -> float | None:
        if len(rows) == 0:
            return None
        return 1 - float(np.mean(rows.good(self._deadline_s)))
