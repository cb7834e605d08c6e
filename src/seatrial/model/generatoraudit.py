"""How faithful the load generator was: a record apart, for a generator tells it and judges nothing.

The other records of what comes of a run would take a twentieth of its start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_SHORTEST_S = 1e-6  # of less time there is no rate: a single arrival, say


@dataclass(frozen=True, slots=True)
class GeneratorAudit:
    """How faithful the load generator was. Lateness is `sent - intended`. None: the log cannot tell.

    A log of another tool does not say when requests were due, nor what was never sent or never answered.
    Where no request was sent none was late, and of few nobody can say how late 1 % of them were.

    An arrival makes one request or several, or it is dropped, which is one row as well: all counts but
    `arrivals` are of rows.
    """

    scheduled: int | None
    sent: int
    answered: int
    dropped: int | None  # arrivals that were never sent
    unanswered: int | None  # sent, never answered
    late_p50_ms: float | None
    late_p99_ms: float | None
    late_max_ms: float | None
    offered_per_s: float | None
    achieved_per_s: float | None
    scenario_errors: int | None = None  # arrivals that the scenario failed for; None: the log cannot tell
    arrivals: int | None = None  # that were due; None: the log cannot tell
    workers: int | None = None  # processes whose requests these are; None: nobody can tell

    @classmethod
    def of(
        cls, scheduled: int, sent: int, answered: int, length_s: float, late_ms: Callable[[int], float | None]
    ) -> GeneratorAudit:
        """That of a log which tells everything.

        `length_s`: how long was offered. `late_ms`: a percentile of the lateness in milliseconds, however the
        lateness was kept; the 100th is the largest.
        """
        timed = length_s >= _SHORTEST_S
        return cls(
            scheduled=scheduled,
            sent=sent,
            answered=answered,
            dropped=scheduled - sent,
            unanswered=sent - answered,
            late_p50_ms=late_ms(50),
            late_p99_ms=late_ms(99),
            late_max_ms=late_ms(100),
            offered_per_s=scheduled / length_s if timed else None,
            achieved_per_s=sent / length_s if timed else None,
        )

    @property
    def is_shared(self) -> bool:
        """Whether it is known to be more than one process."""
        return self.workers is not None and self.workers > 1

    @property
    def arrivals_per_s(self) -> float | None:
        """The rate of arrivals; `offered_per_s` is that of requests."""
        if self.arrivals is None or not self.scheduled or self.offered_per_s is None:
            return None
        return self.offered_per_s * self.arrivals / self.scheduled

    @property
    def requests_per_arrival(self) -> float | None:
        """How many requests an arrival made, one that was dropped counting as one."""
        return self.scheduled / self.arrivals if self.scheduled is not None and self.arrivals else None
