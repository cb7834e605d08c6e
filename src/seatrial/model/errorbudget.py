"""What a service may cost its users in a while: an error budget.

A promise of `target` over a window of W seconds leaves (1 − target) · W of them in which nobody needs to be
answered: 43.2 minutes of 30 days at 99.9 %. Whatever is not answered well is paid out of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """The budget that runs are held against. `slo`: whose it is; "" where nobody has promised anything."""

    target: float  # share of requests that must be good, below 1
    window_s: float
    slo: str = ""

    @property
    def budget_s(self) -> float:
        """Seconds of total outage that the window has room for."""
        return (1 - self.target) * self.window_s


THREE_NINES = Allowance(0.999, 30 * 86_400.0)
"""What people compare with where no other is declared: a month of 99.9 %."""
