"""A rate of requests becomes one of arrivals: the warm-up tells how many requests an arrival makes.

    −warm-up ├── sounding ──┤── first correction ──┤ 0 ── second correction: the measured part ──►
               a tenth of      requests / mean       requests / mean of all arrivals so far
               the requests

Before anything is known, arrivals come at a tenth of the rate that is wanted of requests: a journey of five
must not meet the service five times as hard as was asked for. From then on the rate is what is wanted divided
by what was seen, corrected once more when the measured part begins, and fixed from there on: a service that
fails makes journeys end early, and a rate that followed would hide that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.load.offer import Offer
from seatrial.model.arrivals import ArrivalSchedule, Seconds
from seatrial.model.quantities import Rate
from seatrial.model.requestsize import FEWEST_ARRIVALS, RequestSample, RequestsPerArrival

if TYPE_CHECKING:
    from seatrial.load.user_pool import Task

_SOUNDING = 0.1  # of the rate of requests is the rate of arrivals at first


class Correction:
    """The arrivals of an `offer` that counts requests. `announce` gets the offer as corrected.

    `give_up` is called with the reason, and no more arrivals come, when the warm-up has shown nothing.
    """

    def __init__(
        self,
        offer: Offer,
        tasks: Sequence[Task],
        announce: Callable[[Offer], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._offer = offer
        self._numbers = {id(task): number for number, task in enumerate(tasks)}
        self._sample = RequestSample([task.weight for task in tasks], [task.name for task in tasks])
        self._announce = announce
        self._give_up = give_up

    def seen(self, task: Task, requests: int) -> None:
        """An arrival that ran `task` is over, and made so many requests."""
        self._sample.add(self._numbers[id(task)], requests)

    def instants(self) -> Iterator[Seconds]:
        """As `Offer.instants`. Each part is computed when the arrivals of the one before it are out."""
        half_s = self._offer.warmup_s / 2
        rate = self._sounding(half_s)
        yield from self._warm_up(rate, half_s, -2 * half_s)
        found = self._sample.estimate()
        yield from self._warm_up(self._per_arrival(found) if found else rate, half_s, -half_s)
        found = self._sample.estimate()
        if found is None:
            length = f"{self._offer.warmup_s:g} s"
            self._give_up(
                f"the rate counts requests, and in the warm-up of {length} no arrival that makes any came to "
                "its end; a longer warm-up shows how many an arrival makes"
            )
            return
        corrected = corrected_by(self._offer, found)
        self._announce(corrected)
        yield from corrected.measured_part()

    def _sounding(self, length_s: float) -> Rate:
        wanted_per_s = self._offer.shape[0].rate.per_second
        least_per_s = FEWEST_ARRIVALS / 2 / length_s  # the other half of them comes later
        return Rate(min(wanted_per_s, max(_SOUNDING * wanted_per_s, least_per_s)), 1.0)

    def _per_arrival(self, found: RequestsPerArrival) -> Rate:
        return self._offer.shape[0].rate.times(1 / found.mean)

    def _warm_up(self, rate: Rate, length_s: float, start_s: float) -> Iterator[Seconds]:
        schedule = ArrivalSchedule.constant(rate, length_s, self._offer.spacing, self._offer.seed + 1)
        for chunk in schedule.chunks():
            yield chunk + start_s


def corrected_by(offer: Offer, found: RequestsPerArrival) -> Offer:
    """An offer of requests as one of arrivals."""
    shape = tuple(step.times(1 / found.mean) for step in offer.shape)
    return replace(offer, shape=shape, counts="arrivals", per_arrival=found)
