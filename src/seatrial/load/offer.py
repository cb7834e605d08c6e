"""What is offered: the arrivals of the warm-up and of the measured part, and which task each one runs.

Everything is fixed before the first request, from the seed alone. Tasks are drawn from a random stream of
their own, one draw an arrival, so the same seed gives the same sequence however many load workers share it:
each of N takes the arrivals i = index (mod N) of the one sequence that all of them compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from seatrial.model.arrivals import ArrivalSchedule, RateStep, Seconds, Spacing
from seatrial.model.offeredrate import Counted
from seatrial.model.quantities import Rate
from seatrial.model.requestsize import RequestsPerArrival

_TASKS = 1  # names the random stream of task choices beside that of Poisson gaps
_CHUNK = 1024  # computed at once, in less than 0.1 ms: the loop that sends requests waits meanwhile


@dataclass(frozen=True, slots=True)
class Share:
    """Which arrivals a load worker takes: those whose number is `index` modulo `count`."""

    index: int = 0
    count: int = 1

    def part(self, number: int, of: int) -> Share:
        """One of `of` equal parts of it, numbered from 0."""
        return Share(self.index + self.count * number, self.count * of)

    def among(self, first: int, last: int) -> int:
        """How many of the arrivals numbered from `first` to before `last` are its own."""
        return len(range(first + (self.index - first) % self.count, last, self.count))


@dataclass(frozen=True, slots=True)
class Offer:
    """Instants are seconds after zero, the end of the warm-up; during it the first rate is offered."""

    shape: tuple[RateStep, ...]
    spacing: Spacing
    seed: int
    warmup_s: float
    duration_s: float
    counts: Counted = "arrivals"  # what the shape's rates are of
    recorded: str = ""  # a file of instants (.npy, ascending) that are offered in place of the shape's
    per_arrival: RequestsPerArrival | None = None  # by which a shape of requests was made one of arrivals
    warmed: tuple[Rate, ...] = ()  # of equal parts of the warm-up, where it is offered other rates

    def plain(self) -> dict[str, Any]:
        """For JSON; an endless one has the duration null."""
        shape = [
            [step.at_s, *(part for rate in (step.rate, step.to) if rate for part in (rate.count, rate.per_s))]
            for step in self.shape
        ]
        duration_s = self.duration_s if np.isfinite(self.duration_s) else None
        warmed = [[rate.count, rate.per_s] for rate in self.warmed]
        return asdict(self) | {"shape": shape, "duration_s": duration_s, "warmed": warmed}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """What `plain` made."""
        shape = tuple(RateStep(at_s, *map(Rate, rates[::2], rates[1::2])) for at_s, *rates in plain["shape"])
        duration_s = np.inf if plain["duration_s"] is None else plain["duration_s"]
        per_arrival = RequestsPerArrival.of_plain(plain["per_arrival"]) if plain["per_arrival"] else None
        warmed = tuple(Rate(*rate) for rate in plain.get("warmed", ()))
        read = {"shape": shape, "duration_s": duration_s, "per_arrival": per_arrival, "warmed": warmed}
        return cls(**{**plain, **read})

    def instants(self) -> Iterator[Seconds]:
        """Every arrival of every worker, in ascending order and in chunks."""
        if self.recorded:
            yield from self._recorded(-self.warmup_s)
            return
        # The warm-up is a schedule of its own: the measured part is the same however long one warmed up.
        for part in range(len(self.warmed) or 1):
            yield from self.warm_up(part)
        yield from self.measured_part()

    def warm_up(self, part: int) -> Iterator[Seconds]:
        """The arrivals before zero, or one part of them where there are several."""
        rates = self.warmed or (self.shape[0].rate,)
        length_s = self.warmup_s / len(rates)
        schedule = ArrivalSchedule.constant(rates[part], length_s, self.spacing, self.seed + 1)
        for chunk in schedule.chunks(_CHUNK):
            yield chunk + (part * length_s - self.warmup_s)

    def measured_part(self) -> Iterator[Seconds]:
        """The arrivals from zero on."""
        if self.recorded:
            return self._recorded(0.0)
        return ArrivalSchedule(self.shape, self.duration_s, self.spacing, self.seed).chunks(_CHUNK)

    def _recorded(self, from_s: float) -> Iterator[Seconds]:
        instants: Seconds = np.load(self.recorded, allow_pickle=False)
        ends = np.searchsorted(instants, (from_s, self.duration_s))
        for start in range(int(ends[0]), int(ends[1]), _CHUNK):
            yield instants[start : min(start + _CHUNK, int(ends[1]))]

    def due_before(self, end_s: float) -> int:
        """How many arrivals of all workers are due in the measured part before `end_s`."""
        if self.recorded:
            return sum(int(np.count_nonzero(chunk < end_s)) for chunk in self._recorded(0.0))
        schedule = ArrivalSchedule(self.shape, min(end_s, self.duration_s), self.spacing, self.seed)
        return sum(chunk.size for chunk in schedule.chunks())

    def number_at(self, at_s: float) -> int:
        """The number of the first arrival of the measured part that is due at `at_s` or later.

        Those of the warm-up are numbered as well.
        """
        if self.recorded:
            parts = [self._recorded(-self.warmup_s)]
        else:
            parts = [self.warm_up(part) for part in range(len(self.warmed) or 1)]
        before = sum(int(np.count_nonzero(chunk < 0)) for part in parts for chunk in part)
        return before + self.due_before(max(at_s, 0.0))

    def arrivals(
        self,
        weights: Sequence[float],
        share: Share,
        instants: Iterator[Seconds] | None = None,
        from_s: float = -np.inf,
    ) -> Iterator[tuple[float, int]]:
        """The arrivals of one worker, each with the index of the task that it runs.

        `instants`: those of all workers, where they are not simply the offer's own. Of the arrivals before
        `from_s` a few may be given as well. Task j is picked with probability `weights[j]` over their sum: a
        uniform draw falls between two steps of the cumulated weights.
        """
        steps = np.cumsum(np.asarray(weights, dtype=np.float64))
        steps /= steps[-1]
        random = np.random.default_rng((self.seed, _TASKS))
        passed = 0
        for chunk in self.instants() if instants is None else instants:
            choices = np.searchsorted(steps, random.random(chunk.size), side="right")
            first = (share.index - passed) % share.count
            passed += chunk.size
            if chunk[-1] < from_s:
                continue
            mine = slice(first, None, share.count)
            yield from zip(chunk[mine].tolist(), choices[mine].tolist(), strict=True)
