"""A rate of requests becomes one of arrivals: the warm-up tells how many requests an arrival makes.

    −warm-up ├── sounding ──┤── first correction ──┤ 0 ── second correction: the measured part ──►
               a tenth of      requests / mean       requests / mean of all arrivals so far
               the requests

Before anything is known, arrivals come at a tenth of the rate that is wanted of requests: a journey of five
must not meet the service five times as hard as was asked for. From then on the rate is what is wanted divided
by what was seen, corrected once more when the measured part begins, and fixed from there on: a service that
fails makes journeys end early, and a rate that followed would hide that.

One process corrects its own rate. Several follow what their master has made of the samples of all
(`agreement`): each then computes the very same sequence of arrivals, and takes its share of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.load.offer import Offer
from seatrial.model.arrivals import Seconds
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
        offer = sounding(self._offer)
        yield from offer.warm_up(0)
        offer = corrected_in_warm_up(offer, self._sample.estimate())
        yield from offer.warm_up(1)
        found = self._sample.estimate()
        if found is None:
            self._give_up(nothing_shown(offer))
            return
        corrected = corrected_by(offer, found)
        self._announce(corrected)
        yield from corrected.measured_part()


def sounding(offer: Offer) -> Offer:
    """An offer of requests while nothing is known."""
    wanted_per_s = offer.shape[0].rate.per_second
    least_per_s = FEWEST_ARRIVALS / offer.warmup_s  # in half of it half of them; the others come later
    rate = Rate(min(wanted_per_s, max(_SOUNDING * wanted_per_s, least_per_s)), 1.0)
    return replace(offer, warmed=(rate, rate))


def corrected_in_warm_up(offer: Offer, found: RequestsPerArrival | None) -> Offer:
    """The same from the middle of the warm-up on, if something is known by then."""
    rate = offer.shape[0].rate.times(1 / found.mean) if found else offer.warmed[0]
    return replace(offer, warmed=(offer.warmed[0], rate))


def corrected_by(offer: Offer, found: RequestsPerArrival) -> Offer:
    """An offer of requests as one of arrivals."""
    shape = tuple(step.times(1 / found.mean) for step in offer.shape)
    return replace(offer, shape=shape, counts="arrivals", per_arrival=found)


def as_agreed(offer: Offer, agreed: Sequence[RequestsPerArrival | None]) -> tuple[Offer, float]:
    """What the corrections so far, two at most, make of an offer of requests; and until when that is known.

    Seconds after zero. Only the first of them may have found nothing.
    """
    known = sounding(offer)
    if agreed:
        known = corrected_in_warm_up(known, agreed[0])
    if len(agreed) > 1 and agreed[1] is not None:
        return corrected_by(known, agreed[1]), math.inf
    return known, 0.0 if agreed else -offer.warmup_s / 2


def nothing_shown(offer: Offer) -> str:
    """Why there is no rate to be had."""
    return (
        f"the rate counts requests, and in the warm-up of {offer.warmup_s:g} s no arrival that makes any "
        "came to its end; a longer warm-up shows how many an arrival makes"
    )
