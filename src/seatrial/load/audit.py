"""The generator's own account: what was due, what was sent and how late.

A load generator that falls behind measures itself. So it counts every request that was due, and keeps the
distribution of its lateness (sent - intended) in geometric buckets 1 % wide, which costs the same memory for
an hour as for a minute. Warm-up is left out: it is there to be slow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seatrial.model.figures import count, milliseconds, rate
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.percentiles import carries, rank_of
from seatrial.model.requestlog import Floats

_FINEST_S = 1e-6
_GROWTH = 1.01
_BUCKETS = 2048  # up to 1 µs · 1.01^2048 = 700 s


class AuditTally:
    """Accumulates rows of the measured part."""

    def __init__(self) -> None:
        self._scheduled = self._sent = self._answered = 0
        self._lateness = np.zeros(_BUCKETS, dtype=np.int64)
        self._latest_s = 0.0
        self._first_s, self._last_s = np.inf, -np.inf

    def add(self, intended: Floats, sent: Floats, ended: Floats) -> None:
        """Count rows, given as the three columns of the request log."""
        measured = intended >= 0
        intended, sent, ended = intended[measured], sent[measured], ended[measured]
        if not intended.size:
            return
        went_out = ~np.isnan(sent)
        self._scheduled += intended.size
        self._sent += int(np.count_nonzero(went_out))
        self._answered += int(np.count_nonzero(went_out & ~np.isnan(ended)))
        self._first_s = min(self._first_s, float(intended.min()))
        self._last_s = max(self._last_s, float(intended.max()))
        lateness = (sent - intended)[went_out]
        if lateness.size:
            self._latest_s = max(self._latest_s, float(lateness.max()))
            self._lateness += np.bincount(_buckets(lateness), minlength=_BUCKETS)

    def total(self) -> GeneratorAudit:
        """The account so far. Lateness percentiles are within 1 %; the maximum is exact."""
        # n arrivals span n - 1 intervals; counting the one after the last as well gives the rate
        spanned_s = self._last_s - self._first_s
        intervals = self._scheduled - 1
        length_s = spanned_s * self._scheduled / intervals if intervals > 0 else 0.0
        return GeneratorAudit.of(self._scheduled, self._sent, self._answered, length_s, self._late_ms)

    def _late_ms(self, percent: int) -> float | None:
        if not carries(self._sent, percent):
            return None
        if percent == 100:
            return self._latest_s * 1e3
        bucket = int(np.searchsorted(np.cumsum(self._lateness), rank_of(self._sent, percent) + 1))
        return min(_FINEST_S * _GROWTH**bucket, self._latest_s) * 1e3


def _buckets(lateness: Floats) -> npt.NDArray[np.int64]:
    """Bucket b holds lateness up to 1.01^b µs."""
    powers = np.ceil(np.log(np.maximum(lateness, _FINEST_S) / _FINEST_S) / np.log(_GROWTH))
    return np.asarray(np.clip(powers, 0, _BUCKETS - 1), dtype=np.int64)


def _requests_of_each(audit: GeneratorAudit) -> str:
    each = audit.requests_per_arrival
    return "" if each is None else f", {each:.3g} requests of each"


def describe(audit: GeneratorAudit) -> str:
    """The account in a few aligned lines. What it cannot tell is a dash."""
    p50, p99, most = map(milliseconds, (audit.late_p50_ms, audit.late_p99_ms, audit.late_max_ms))
    lines = (
        ("arrivals", count(audit.arrivals), f"due{_requests_of_each(audit)}"),
        ("scheduled", count(audit.scheduled), f"{rate(audit.offered_per_s)} offered"),
        ("sent", count(audit.sent), f"{rate(audit.achieved_per_s)} achieved"),
        ("answered", count(audit.answered), "or failed, before the deadline"),
        ("dropped", count(audit.dropped), "never sent: the generator's own failure"),
        ("unanswered", count(audit.unanswered), "sent, no answer by the deadline"),
        ("lateness", p50, f"median; p99 {p99}, max {most}"),
    )
    return "\n".join(
        ["load generator", *(f"  {name:<12}{value:>12}   {note}" for name, value, note in lines)]
    )
