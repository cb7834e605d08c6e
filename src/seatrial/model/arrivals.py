"""When arrivals are due: the open model, computed beforehand and independent of any answer.

Let Λ(t) be the number of arrivals that the rate shape offers up to t, the integral of the rate. An even
schedule puts arrival i where Λ reaches i, so it inverts Λ at 0, 1, 2 …; a Poisson schedule inverts Λ at
the partial sums of unit exponentials (time change of a Poisson process: Çinlar 1975, *Introduction to
Stochastic Processes*, ch. 4.7). The rate is constant between two points of a shape, so Λ is piecewise
linear and its inverse is linear interpolation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seatrial.model.quantities import Rate
from seatrial.model.shape import starts_in_order

Seconds = npt.NDArray[np.float64]
Spacing = Literal["even", "poisson"]


@dataclass(frozen=True, slots=True)
class RateStep:
    """From `at_s` (seconds after the schedule's start) until the next step, this rate is offered."""

    at_s: float
    rate: Rate


@dataclass(frozen=True, slots=True)
class ArrivalSchedule:
    """Instants at which requests are due, in seconds after the schedule's start.

    `duration_s` may be infinite as long as the last rate is not zero: `chunks` is lazy.
    """

    shape: tuple[RateStep, ...]
    duration_s: float
    spacing: Spacing = "even"
    seed: int = 0

    def __post_init__(self) -> None:
        starts = [step.at_s for step in self.shape]
        if not starts_in_order(starts):
            raise ValueError("a rate shape starts at 0s and its steps follow one another in time")

    @classmethod
    def constant(
        cls, rate: Rate, duration_s: float, spacing: Spacing = "even", seed: int = 0
    ) -> ArrivalSchedule:
        """One rate for the whole time."""
        return cls((RateStep(0.0, rate),), duration_s, spacing, seed)

    def rate_at(self, at_s: float) -> Rate:
        """The rate offered at an instant."""
        current = self.shape[0].rate
        for step in self.shape:
            if step.at_s <= at_s:
                current = step.rate
        return current

    def chunks(self, size: int = 8192) -> Iterator[Seconds]:
        """The instants in ascending order, `size` at a time (the last chunk is shorter)."""
        starts, counts, slopes = self._cumulative()
        random = np.random.default_rng(self.seed)
        offered = (
            0.0  # Λ at the arrival before this chunk (Poisson), or the index of its first arrival (even)
        )
        while True:
            if self.spacing == "even":
                levels = offered + np.arange(size, dtype=np.float64)
                offered += size
            else:
                levels = offered + np.cumsum(random.exponential(size=size))
                offered = float(levels[-1])
            instants = _invert(levels, starts, counts, slopes)
            due = instants[instants < self.duration_s]
            if due.size:
                yield due
            if due.size < size:
                return

    def instants(self) -> Seconds:
        """All instants at once. Only for a finite duration."""
        parts = list(self.chunks(65536))
        return np.concatenate(parts) if parts else np.empty(0)

    def _cumulative(self) -> tuple[Seconds, Seconds, Seconds]:
        """Breakpoints of Λ: their times, the arrivals offered before each, and the slope after each."""
        starts = np.array([step.at_s for step in self.shape])
        slopes = np.array([step.rate.per_second for step in self.shape])
        counts = np.concatenate(([0.0], np.cumsum(np.diff(starts) * slopes[:-1])))
        return starts, counts, slopes


def _invert(levels: Seconds, starts: Seconds, counts: Seconds, slopes: Seconds) -> Seconds:
    """The first instants at which Λ reaches `levels`; infinite where it never does."""
    # 'right' less one finds the last breakpoint at or below a level, so that a level reached just before a
    # pause (slope 0) is due when load resumes rather than never.
    segment = np.maximum(np.searchsorted(counts, levels, side="right") - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = (levels - counts[segment]) / slopes[segment]
    return np.asarray(np.where(slopes[segment] > 0, starts[segment] + offset, np.inf))


def with_spikes(
    shape: Sequence[RateStep], spikes: Sequence[tuple[float, float, float]]
) -> tuple[RateStep, ...]:
    """`shape`, its rate multiplied during each spike `(start_s, end_s, factor)`; overlaps multiply."""
    edges = sorted(
        {step.at_s for step in shape} | {edge for start, end, _ in spikes for edge in (start, end)}
    )
    base = ArrivalSchedule(tuple(shape), 0.0)
    steps: list[RateStep] = []
    for edge in edges:
        factor = 1.0
        for start, end, times in spikes:
            factor *= times if start <= edge < end else 1.0
        steps.append(RateStep(edge, base.rate_at(edge).times(factor)))
    return tuple(steps)
