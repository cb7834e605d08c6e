"""What can be said of a run while it is under way: the live figures, and the guards that may end it.

Rows arrive in small batches while the request log grows. An arrival is *decided* once it was answered or its
deadline has passed; only decided arrivals count, so that requests in flight are neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.model.experiment import Guard
from seatrial.model.requestlog import RequestLog

_LIVE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The last seconds of a run. Rates are per second; None: nothing was decided yet."""

    offered_per_s: float
    achieved_per_s: float
    good: int  # since the run began, warm-up included
    bad: int
    recent_bad: float | None  # share of bad among the arrivals decided lately
    p95_ms: float | None


class Watch:
    """Keeps the recent rows of a growing request log and answers for them."""

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

    def figures(self, now_s: float) -> Figures:
        """The live figures at `now_s`."""
        recent = self._decided(now_s, _LIVE_WINDOW_S)
        answered = recent[np.isfinite(recent.ended)]
        sent = np.count_nonzero((self._recent.sent >= now_s - _LIVE_WINDOW_S) & (self._recent.sent < now_s))
        latency_s = answered.ended - answered.intended
        return Figures(
            offered_per_s=len(recent) / _LIVE_WINDOW_S,
            achieved_per_s=float(sent) / _LIVE_WINDOW_S,
            good=self._good,
            bad=self._bad,
            recent_bad=self._share_bad(recent),
            p95_ms=float(np.percentile(latency_s, 95)) * 1000 if len(answered) else None,
        )

    def breach(self, now_s: float, unwell: Sequence[str] = ()) -> str | None:
        """Which guard's condition has held for its whole time, as a sentence; None when none has.

        `unwell`: for each guard, in order, what its probe found wrong ("" for nothing, or no probe).

        A condition is looked at over the last second (a single bad request is no breach), and must be found
        true at every look for the guard's duration.
        """
        recent = self._decided(now_s, 1.0)
        for index, guard in enumerate(self._guards):
            sentence = self._condition(guard, recent)
            if sentence is None and index < len(unwell) and unwell[index]:
                sentence = f"guard: {unwell[index]}"
            if sentence is None:
                self._breached_since.pop(index, None)
            elif now_s - self._breached_since.setdefault(index, now_s) >= guard.for_.seconds:
                return f"{sentence} for {guard.for_}"
        return None

    def _condition(self, guard: Guard, recent: RequestLog) -> str | None:
        if guard.errors is not None:
            share = self._share_bad(recent)
            if share is not None and share >= guard.errors.fraction:
                return f"guard: {share:.0%} of arrivals were bad, limit {guard.errors}"
        if guard.p95 is not None and len(recent):
            waited_s = np.where(np.isfinite(recent.ended), recent.ended - recent.intended, self._deadline_s)
            p95_s = float(np.percentile(waited_s, 95))
            if p95_s >= guard.p95.seconds:
                return f"guard: p95 was {p95_s * 1000:.0f} ms, limit {guard.p95}"
        return None

    def _decided(self, now_s: float, window_s: float) -> RequestLog:
        """Arrivals whose fate became known in the last `window_s`."""
        log = self._recent
        known = np.where(np.isfinite(log.ended), log.ended, log.intended + self._deadline_s)
        return log[(known > now_s - window_s) & (known <= now_s)]

    def _share_bad(self, rows: RequestLog) -> float | None:
        if len(rows) == 0:
            return None
        return 1 - float(np.mean(rows.good(self._deadline_s)))
