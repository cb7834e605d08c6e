"""What is offered: the arrivals of the warm-up and of the measured part, and which task each one runs.

Everything is fixed before the first request, from the seed alone. Tasks are drawn from a random stream of
their own, one draw an arrival, so the same seed gives the same sequence however many load workers share it:
each of N takes the arrivals i = index (mod N) of the one sequence that all of them compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.model.arrivals import ArrivalSchedule, RateStep, Seconds, Spacing

_TASKS = 1  # names the random stream of task choices beside that of Poisson gaps
_CHUNK = 1024  # computed at once, in less than 0.1 ms: the loop that sends requests waits meanwhile


@dataclass(frozen=True, slots=True)
class Share:
    """Which arrivals a load worker takes: those whose number is `index` modulo `count`."""

    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Offer:
    """Instants are seconds after zero, the end of the warm-up; during it the first rate is offered."""

    shape: tuple[RateStep, ...]
    spacing: Spacing
    seed: int
    warmup_s: float
    duration_s: float

    def instants(self) -> Iterator[Seconds]:
        """Every arrival of every worker, in ascending order and in chunks."""
        # The warm-up is a schedule of its own: the measured part is the same however long one warmed up.
        first = self.shape[0].rate
        warmup = ArrivalSchedule.constant(first, self.warmup_s, self.spacing, self.seed + 1)
        for chunk in warmup.chunks(_CHUNK):
            yield chunk - self.warmup_s
        yield from ArrivalSchedule(self.shape, self.duration_s, self.spacing, self.seed).chunks(_CHUNK)

    def due_before(self, end_s: float) -> int:
        """How many arrivals of all workers are due in the measured part before `end_s`."""
        schedule = ArrivalSchedule(self.shape, min(end_s, self.duration_s), self.spacing, self.seed)
        return sum(chunk.size for chunk in schedule.chunks())

    def arrivals(self, weights: Sequence[float], share: Share) -> Iterator[tuple[float, int]]:
        """The arrivals of one worker, each with the index of the task that it runs.

        Task j is picked with probability `weights[j]` over their sum: a uniform draw falls between two
        steps of the cumulated weights.
        """
        steps = np.cumsum(np.asarray(weights, dtype=np.float64))
        steps /= steps[-1]
        random = np.random.default_rng((self.seed, _TASKS))
        passed = 0
        for chunk in self.instants():
            choices = np.searchsorted(steps, random.random(chunk.size), side="right")
            first = (share.index - passed) % share.count
            passed += chunk.size
            mine = slice(first, None, share.count)
            yield from zip(chunk[mine].tolist(), choices[mine].tolist(), strict=True)
