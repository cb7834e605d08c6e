"""The generator's own account: what was due, what was sent and how late.

A load generator that falls behind measures itself. So it counts every request that was due, and keeps the
distribution of its lateness (sent - intended) in geometric buckets 1 % wide, which costs the same memory for
an hour as for a minute. Warm-up is left out: it is there to be slow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seatrial.model.percentiles import carries
from seatrial.model.requestlog import Floats
from seatrial.model.result import GeneratorAudit

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
        length_s = spanned_s * self._scheduled / intervals if intervals > 0 and spanned_s > 0 else None
        return GeneratorAudit(
            scheduled=self._scheduled,
            sent=self._sent,
            answered=self._answered,
            dropped=self._scheduled - self._sent,
            unanswered=self._sent - self._answered,
            late_p50_ms=self._percentile_ms(50),
            late_p99_ms=self._percentile_ms(99),
            late_max_ms=self._latest_s * 1e3 if self._sent else None,
            offered_per_s=None if length_s is None else self._scheduled / length_s,
            achieved_per_s=None if length_s is None else self._sent / length_s,
        )

    def _percentile_ms(self, percent: int) -> float | None:
        if not carries(self._sent, percent):
            return None
        rank = -(-percent * self._sent // 100)
        bucket = int(np.searchsorted(np.cumsum(self._lateness), rank))
        return min(_FINEST_S * _GROWTH**bucket, self._latest_s) * 1e3


def _buckets(lateness: Floats) -> npt.NDArray[np.int64]:
    """Bucket b holds lateness up to 1.01^b µs."""
    powers = np.ceil(np.log(np.maximum(lateness, _FINEST_S) / _FINEST_S) / np.log(_GROWTH))
    return np.asarray(np.clip(powers, 0, _BUCKETS - 1), dtype=np.int64)


def describe(audit: GeneratorAudit) -> str:
    """The account in a few aligned lines. What it cannot tell is a dash."""
    p99, most = (_shown(late, ".2f", " ms") for late in (audit.late_p99_ms, audit.late_max_ms))
    lines = (
        ("scheduled", _shown(audit.scheduled), f"{_shown(audit.offered_per_s, ',.1f', '/s')} offered"),
        ("sent", _shown(audit.sent), f"{_shown(audit.achieved_per_s, ',.1f', '/s')} achieved"),
        ("answered", _shown(audit.answered), "or failed, before the deadline"),
        ("dropped", _shown(audit.dropped), "never sent: the generator's own failure"),
        ("unanswered", _shown(audit.unanswered), "sent, no answer by the deadline"),
        (
            "lateness",
            _shown(audit.late_p50_ms, ".2f", " ms"),
            f"median; p99 {p99}, max {most}",
        ),
    )
    return "\n".join(
        ["load generator", *(f"  {name:<12}{value:>12}   {note}" for name, value, note in lines)]
    )


def _shown(value: float | None, form: str = ",", unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"
