"""The arrivals that one worker offers: its own share, and parts of others' that were lost.

Worker i of N takes the arrivals i, i + N, i + 2N … of the one sequence that all compute. Those who take its
place over, M of them, take these in turn: i + mN, i + (m + M)N … is again every NM-th arrival from a first
one on, so what is taken over is a share like any other.

A rate of requests is known piece by piece, as the warm-up shows how many an arrival makes. One worker alone
sees that for itself, and computes each piece when it comes to it (`Correction`). One of several counts what
its own arrivals make, tells its master, and goes on with each piece as soon as it hears what all have shown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

from seatrial.load.alarm import Alarm
from seatrial.load.correction import Correction, as_agreed
from seatrial.load.feed import Feed
from seatrial.load.offer import Offer, Share
from seatrial.load.pacer import Pacer
from seatrial.load.spool import SpoolHeader
from seatrial.load.user_pool import Task
from seatrial.model.requestsize import RequestSample, RequestsPerArrival, Sums

MakeAlarm = Callable[[Callable[[], None]], Alarm]


class _Part(NamedTuple):
    """A piece of what is offered: from one instant after zero to another."""

    offer: Offer
    from_s: float = -math.inf
    until_s: float = math.inf


@dataclass(frozen=True, slots=True)
class _Taken:
    """A share that is offered here, from an instant on."""

    share: Share
    feed: Feed | None
    from_s: float = -math.inf

    def arrivals(self, part: _Part, weights: Sequence[float]) -> Iterator[tuple[float, int]]:
        """Those of one piece."""
        if part == _Part(part.offer) and math.isinf(self.from_s):
            return part.offer.arrivals(weights, self.share)
        return self._within(part, weights)

    def _within(self, part: _Part, weights: Sequence[float]) -> Iterator[tuple[float, int]]:
        first_s = max(part.from_s, self.from_s)
        skipped_s = first_s if self.feed is None else part.from_s
        for arrival in part.offer.arrivals(weights, self.share, from_s=skipped_s):
            if arrival[0] >= part.until_s:
                return
            if arrival[0] >= first_s:
                yield arrival
            elif self.feed is not None and arrival[0] >= part.from_s:
                self.feed.next_row()  # the lost one has given it to an arrival, or nobody has


class Course:
    """What one worker offers, as far as it is known.

    `corrected` gets the offer when a rate of requests has become one of arrivals; `give_up` is called with
    the reason when a worker that is alone has found nothing out.
    """

    def __init__(
        self,
        header: SpoolHeader,
        tasks: Sequence[Task],
        feed: Feed | None,
        launch: Callable[..., None],
        corrected: Callable[[Offer], None],
        give_up: Callable[[str], None],
    ) -> None:
        """`launch` gets an arrival's instant and task, and as `feed` the rows of a share that was taken."""
        self._header = header
        self._weights = [task.weight for task in tasks]
        self._launch = launch
        self._announce = corrected
        self._feed = feed
        self._over = False
        self._correction: Correction | None = None  # as long as requests are counted, by this worker alone
        self._sample: RequestSample | None = None  # as long as they are, by it and others
        self._numbers = {id(task): number for number, task in enumerate(tasks)}
        self._agreed: list[RequestsPerArrival | None] = []
        offer, own = header.offer, _Taken(header.share, feed)
        self._parts = [_Part(offer)]
        arrivals = None
        if offer.counts == "requests" and header.share.count > 1:
            self._sample = RequestSample(self._weights, [task.name for task in tasks])
            self._parts = [_known(offer, [])]
        elif offer.counts == "requests":
            self._correction = Correction(offer, tasks, self._corrected, give_up)
            arrivals = offer.arrivals(self._weights, header.share, self._correction.instants())
        self._served = [(own, self._pacer(arrivals or own.arrivals(self._parts[0], self._weights), launch))]

    def start(self, make_alarm: MakeAlarm) -> None:
        """Begin with its own share."""
        self._make_alarm = make_alarm
        self._served[0][1].start(make_alarm)

    def stop(self) -> None:
        """As `Pacer.stop`, and for good."""
        self._over = True
        for _, pacer in self._served:
            pacer.stop()

    def take(self, lost: int, part: int, of: int, from_s: float) -> None:
        """From `from_s` on offer one of `of` parts of the share of worker `lost` as well."""
        if self._over:
            return
        share = Share(lost, self._header.share.count).part(part, of)
        taken = _Taken(share, self._feed.of(share) if self._feed else None, from_s)
        arrivals = chain.from_iterable(taken.arrivals(each, self._weights) for each in list(self._parts))
        pacer = self._pacer(arrivals, partial(self._launch, feed=taken.feed))
        self._served.append((taken, pacer))
        pacer.start(self._make_alarm)

    def _pacer(self, arrivals: Iterator[tuple[float, int]], launch: Callable[..., None]) -> Pacer:
        return Pacer(arrivals, self._header.zero_monotonic_s, launch, time.monotonic)

    # a rate of requests

    def seen(self, task: Task, requests: int) -> None:
        """An arrival that ran `task` is over, and made so many requests."""
        if self._correction is not None:
            self._correction.seen(task, requests)
        elif self._sample is not None:
            self._sample.add(self._numbers[id(task)], requests)

    @property
    def shown(self) -> Sums:
        """What the arrivals of this worker have shown so far, for its master."""
        return self._sample.sums if self._sample is not None else []

    def follow(self, agreed: Sequence[RequestsPerArrival | None]) -> None:
        """Go on as the master says, who knows what all arrivals have shown: correction by correction."""
        for found in agreed[len(self._agreed) :]:
            if self._over or self._sample is None:
                return
            self._agreed.append(found)
            part = _known(self._header.offer, self._agreed, self._parts[-1].until_s)
            self._parts.append(part)
            for taken, pacer in self._served:
                arrivals = taken.arrivals(part, self._weights)
                pacer.go_on(chain(list(islice(arrivals, 1)), arrivals))  # sought now, and not at its instant
            if part.offer.counts == "arrivals":
                self._corrected(part.offer)

    def _corrected(self, offer: Offer) -> None:
        self._correction = self._sample = None
        self._announce(offer)


def _known(offer: Offer, agreed: Sequence[RequestsPerArrival | None], from_s: float = -math.inf) -> _Part:
    known, until_s = as_agreed(offer, agreed)
    return _Part(known, from_s, until_s)
