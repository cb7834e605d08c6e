"""How many requests an arrival makes, as far as a sample of arrivals tells.

Arrivals are given tasks by weight, and most tasks make the same number of requests each time. So the mean is
put together task by task (a stratified sample: Cochran 1977, *Sampling Techniques*, ch. 5). With pⱼ the share
of arrivals that run task j, x̄ⱼ and s²ⱼ the mean and the variance of the nⱼ of them that were seen through,

    mean = Σ pⱼ·x̄ⱼ                variance of that mean = Σ p²ⱼ·s²ⱼ / nⱼ

Chance in which tasks were drawn does not count then, and where tasks are constant the mean is exact. A task
that was seen once tells of no variance; it is given the largest that was seen of any. The margin is 2.26
standard errors: what Student's t asks for 95 % of ten arrivals, the fewest that are believed. Of more it asks
for less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

FEWEST_ARRIVALS = 10
MOST_DOUBT = 0.05
"""Of the mean may the margin be, and so large a share of the arrivals may run tasks that were not seen."""
_STANDARD_ERRORS = 2.26
Sums = list[list[int]]
"""Of each task: arrivals, their requests, and the squares of these."""


@dataclass(frozen=True, slots=True)
class RequestsPerArrival:
    """An estimate: the true mean lies within `mean` ± `margin`, but for tasks that were not seen."""

    mean: float
    margin: float  # infinite: one arrival is no sample
    arrivals: int  # that were seen through
    unseen: tuple[str, ...] = ()  # tasks of which none was
    unseen_share: float = 0.0  # of the arrivals that run those

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made, after a journey through JSON."""
        return cls(**{**plain, "unseen": tuple(plain["unseen"])})

    def __str__(self) -> str:
        if not math.isfinite(self.margin):
            return f"{self.mean:.3g} requests an arrival"
        return f"{self.mean:.3g} ± {self.margin:.2g} requests an arrival"

    @property
    def doubt(self) -> str:
        """Why no rate can be built on it; "" when one can."""
        seen = f"{self.arrivals} arrival{'' if self.arrivals == 1 else 's'} of the warm-up"
        if self.arrivals < FEWEST_ARRIVALS:
            return f"{seen} came to an end, and fewer than {FEWEST_ARRIVALS} tell too little"
        if self.unseen_share > MOST_DOUBT:
            who = f"{', '.join(self.unseen)}, which {self.unseen_share:.0%} of the arrivals run"
            return f"none of {who}, was seen through in the warm-up"
        if self.margin > MOST_DOUBT * self.mean:
            return f"they vary too much: {self} by {seen}, and {MOST_DOUBT:.0%} either way are allowed"
        return ""


@dataclass(slots=True)
class _Seen:
    """Arrivals of one task, by sums: their number, of their requests, and of the squares of these."""

    arrivals: int = 0
    requests: int = 0
    squares: int = 0

    @property
    def mean(self) -> float:
        return self.requests / self.arrivals

    @property
    def variance(self) -> float | None:
        """Of a single arrival; None when that cannot be told."""
        if self.arrivals < 2:
            return None
        spread = self.squares - self.requests * self.requests / self.arrivals
        return max(spread, 0.0) / (self.arrivals - 1)


class RequestSample:
    """The arrivals that were seen through so far. `weights` and `names`: of the tasks, by their number."""

    def __init__(self, weights: Sequence[float], names: Sequence[str]) -> None:
        total = sum(weights)
        self._shares = [weight / total for weight in weights]
        self._names = names
        self._seen = [_Seen() for _ in weights]

    def add(self, task: int, requests: int) -> None:
        """An arrival that ran `task` is over, and made so many requests."""
        seen = self._seen[task]
        seen.arrivals += 1
        seen.requests += requests
        seen.squares += requests * requests

    @property
    def sums(self) -> Sums:
        """All that it knows, for sending."""
        return [[seen.arrivals, seen.requests, seen.squares] for seen in self._seen]

    def add_sums(self, sums: Sums) -> None:
        """What another sample of the same tasks knows. Raises ValueError when they are not the same."""
        for seen, (arrivals, requests, squares) in zip(self._seen, sums, strict=True):
            seen.arrivals += arrivals
            seen.requests += requests
            seen.squares += squares

    def estimate(self) -> RequestsPerArrival | None:
        """What it tells; None when no arrival was seen through, or none made a request."""
        known = [(share, seen) for share, seen in zip(self._shares, self._seen, strict=True) if seen.arrivals]
        covered = sum(share for share, _ in known)
        mean = sum(share * seen.mean for share, seen in known) / covered if covered else 0.0
        if not mean:
            return None
        variances = [seen.variance for _, seen in known]
        largest = max((each for each in variances if each is not None), default=math.inf)
        variance = sum(
            (share / covered) ** 2 * (largest if own is None else own) / seen.arrivals
            for (share, seen), own in zip(known, variances, strict=True)
        )
        unseen = [index for index, seen in enumerate(self._seen) if not seen.arrivals]
        return RequestsPerArrival(
            mean,
            _STANDARD_ERRORS * math.sqrt(variance),
            sum(seen.arrivals for _, seen in known),
            tuple(self._names[index] for index in unseen),
            sum(self._shares[index] for index in unseen),
        )
