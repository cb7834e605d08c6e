"""With several workers, their master finds out how many requests an arrival makes, and tells all the same.

    workers   so many arrivals of each task were seen through, so many requests they made ──► master: adds up
              ◄── so many requests an arrival makes, as all arrivals show that were seen so far

Twice, as one process does it for itself (`correction`): for the second half of the warm-up, and for the
measured part. From the same figures each worker computes the same sequence of arrivals, so the shares fit
together to the last one. It is settled a moment before it counts, so that all have heard of it by then; a
worker that has not is late with its arrivals, and its rows say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seatrial.load.correction import as_agreed, nothing_shown
from seatrial.load.offer import Offer
from seatrial.model.requestsize import RequestSample, RequestsPerArrival, Sums

if TYPE_CHECKING:
    from seatrial.load.user_pool import Task

SETTLED_S = 0.8
"""So long before it counts is it settled: ways to all workers and back, and one more with a packet lost."""


class Agreement:
    """What the workers of one test have shown, and what was made of it. `offer` counts requests."""

    def __init__(self, offer: Offer, tasks: Sequence[Task]) -> None:
        self._offer = offer
        self._weights = [task.weight for task in tasks]
        self._names = [task.name for task in tasks]
        self._shown: dict[int, Sums] = {}
        self._agreed: list[RequestsPerArrival | None] = []

    @property
    def settled_at_s(self) -> tuple[float, float]:
        """When it is to be settled what an arrival makes, in seconds after zero."""
        return -self._offer.warmup_s / 2 - SETTLED_S, -SETTLED_S

    def hear(self, worker: int, sums: Sums) -> None:
        """All that a worker's arrivals have shown so far. Its last word counts, also when it is lost."""
        if len(sums) == len(self._weights):
            self._shown[worker] = sums

    def settle(self) -> Offer:
        """Once more; gives the offer as it is then known. Raises ValueError when nothing was shown."""
        sample = RequestSample(self._weights, self._names)
        for sums in self._shown.values():
            sample.add_sums(sums)
        found = sample.estimate()
        if found is None and self._agreed:
            raise ValueError(nothing_shown(self._offer))
        self._agreed.append(found)
        return as_agreed(self._offer, self._agreed)[0]

    @property
    def plain(self) -> list[dict[str, Any] | None]:
        """What was settled so far, for sending."""
        return [asdict(found) if found else None for found in self._agreed]


def read(plain: Sequence[dict[str, Any] | None]) -> list[RequestsPerArrival | None]:
    """What `Agreement.plain` made."""
    return [RequestsPerArrival.of_plain(found) if found else None for found in plain]
