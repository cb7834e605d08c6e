"""When arrivals are due: the open model, computed beforehand and independent of any answer.

Let Λ(t) be the number of arrivals that the rate shape offers up to t, the integral of the rate. An even
schedule puts arrival i where Λ reaches i, so it inverts Λ at 0, 1, 2 …; a Poisson schedule inverts Λ at
the partial sums of unit exponentials (time change of a Poisson process: Çinlar 1975, *Introduction to
Stochastic Processes*, ch. 4.7).

Between two points of a shape, L apart, the rate goes evenly from r to r′ (the same, where it is no ramp). So
after τ of it, n = r τ + a τ² arrivals were offered, a = (r′ − r) / 2L, and n are reached at

    τ = 2 n / (r + √(r² + 4 a n))

which is the root that begins at 0, written so that nothing is subtracted: with a = 0 it is n / r.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from seatrial.model.quantities import Rate
from seatrial.model.shape import RateStep, starts_in_order

__all__ = ["ArrivalSchedule", "RateStep", "Seconds", "Spacing", "with_spikes"]

Seconds = npt.NDArray[np.float64]
Spacing = Literal["even", "poisson"]
Course = tuple[Seconds, Seconds, Seconds, Seconds]
"""Of Λ from each point of a shape on: the instant, Λ there, the rate there, and a (see above)."""


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
        if self.shape[-1].to is not None:
            raise ValueError("a ramp ends where the next step of its shape begins, and there is none")

    @classmethod
    def constant(
        cls, rate: Rate, duration_s: float, spacing: Spacing = "even", seed: int = 0
    ) -> ArrivalSchedule:
        """One rate for the whole time."""
        return cls((RateStep(0.0, rate),), duration_s, spacing, seed)

    def rate_at(self, at_s: float) -> Rate:
        """The rate offered at an instant."""
        return self.part(at_s, at_s).rate

    def part(self, start_s: float, end_s: float) -> RateStep:
        """What is offered from one instant to another, between which no step of the shape begins."""
        number = max(sum(step.at_s <= start_s for step in self.shape) - 1, 0)
        step = self.shape[number]
        if step.to is None:
            return RateStep(start_s, step.rate)
        length_s = self.shape[number + 1].at_s - step.at_s
        shares = (start_s - step.at_s) / length_s, (end_s - step.at_s) / length_s
        return RateStep(start_s, step.at(shares[0]), step.at(shares[1]))

    def offered(self, until_s: float) -> float:
        """Λ: how many arrivals are offered before an instant of the schedule, which need not be whole."""
        times, counts, rates, bends = self._cumulative()
        segment = max(int(np.searchsorted(times, until_s, side="right")) - 1, 0)
        passed = max(until_s - times[segment], 0.0)
        return float(counts[segment] + passed * (rates[segment] + bends[segment] * passed))

    def chunks(self, size: int = 8192) -> Iterator[Seconds]:
        """The instants in ascending order, `size` at a time (the last chunk is shorter)."""
        course = self._cumulative()
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
            instants = _invert(levels, course)
            due = instants[instants < self.duration_s]
            if due.size:
                yield due
            if due.size < size:
                return

    def instants(self) -> Seconds:
        """All instants at once. Only for a finite duration."""
        parts = list(self.chunks(65536))
        return np.concatenate(parts) if parts else np.empty(0)

    def _cumulative(self) -> Course:
        """Λ at the points of the shape, and its course from each of them to the next."""
        starts = np.array([step.at_s for step in self.shape])
        rates = np.array([step.rate.per_second for step in self.shape])
        ends = np.array([step.end_per_s for step in self.shape])
        lengths = np.diff(starts)
        counts = np.concatenate(([0.0], np.cumsum(lengths * (rates + ends)[:-1] / 2)))
        bends = np.append((ends - rates)[:-1] / (2 * lengths), 0.0)
        return starts, counts, rates, bends


def _invert(levels: Seconds, course: Course) -> Seconds:
    """The first instants at which Λ reaches `levels`; infinite where it never does."""
    starts, counts, rates, bends = course
    # 'right' less one finds the last breakpoint at or below a level, so that a level reached just before a
    # pause (slope 0) is due when load resumes rather than never.
    segment = np.maximum(np.searchsorted(counts, levels, side="right") - 1, 0)
    wanted, rate, bend = levels - counts[segment], rates[segment], bends[segment]
    root = rate + np.sqrt(np.maximum(rate * rate + 4 * bend * wanted, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.where(root > 0, 2 * wanted / root, 0.0)
    # a ramp that begins at 0 offers its first arrival there; rounding must not carry one beyond its segment
    ends = np.append(starts[1:], np.inf)[segment]
    offers = (rate > 0) | (bend > 0)
    return np.asarray(np.where(offers, np.minimum(starts[segment] + offset, ends), np.inf))


def with_spikes(
    shape: Sequence[RateStep], spikes: Sequence[tuple[float, float, float]]
) -> tuple[RateStep, ...]:
    """`shape`, its rate multiplied during each spike `(start_s, end_s, factor)`; overlaps multiply."""
    edges = sorted(
        {step.at_s for step in shape} | {edge for start, end, _ in spikes for edge in (start, end)}
    )
    base = ArrivalSchedule(tuple(shape), 0.0)
    steps: list[RateStep] = []
    for edge, following in pairwise([*edges, math.inf]):
        factor = 1.0
        for start, end, times in spikes:
            factor *= times if start <= edge < end else 1.0
        steps.append(base.part(edge, following).times(factor))
    return tuple(steps)
