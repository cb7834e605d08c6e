"""Arrivals of another worker that was lost, offered beside one's own.

Worker i of N takes the arrivals i, i + N, i + 2N … of the one sequence that all compute. Those who take its
place over, M of them, take these in turn: i + mN, i + (m + M)N … is again every NM-th arrival from a first
one on, so what is taken over is a share like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from seatrial.load.alarm import Alarm
from seatrial.load.feed import Feed
from seatrial.load.offer import Share
from seatrial.load.pacer import Pacer
from seatrial.load.spool import SpoolHeader

Launch = Callable[[float, int, Feed | None], None]


def part_of(share: Share, part: int, of: int) -> Share:
    """One of `of` equal parts of a share, numbered from 0."""
    return Share(share.index + share.count * part, share.count * of)


class TakenOver:
    """What one worker has taken over from others."""

    def __init__(
        self,
        header: SpoolHeader,
        weights: Sequence[float],
        feed: Feed | None,
        launch: Launch,
        make_alarm: Callable[[Callable[[], None]], Alarm],
    ) -> None:
        self._header = header
        self._weights = weights
        self._feed = feed
        self._launch = launch
        self._make_alarm = make_alarm
        self._pacers: list[Pacer] = []
        self._over = False

    def take(self, lost: int, part: int, of: int, from_s: float) -> None:
        """From `from_s` on offer one of `of` parts of the share of worker `lost` as well."""
        if self._over:
            return
        share = part_of(Share(lost, self._header.share.count), part, of)
        feed = self._feed.of(share) if self._feed else None

        def launch(intended: float, choice: int) -> None:
            self._launch(intended, choice, feed)

        arrivals = self._due(share, from_s, feed)
        pacer = Pacer(arrivals, self._header.zero_monotonic_s, launch, time.monotonic)
        self._pacers.append(pacer)
        pacer.start(self._make_alarm)

    def stop(self) -> None:
        """As `Pacer.stop`, of all of them, and for good."""
        self._over = True
        for pacer in self._pacers:
            pacer.stop()

    def _due(self, part: Share, from_s: float, feed: Feed | None) -> Iterator[tuple[float, int]]:
        for arrival in self._header.offer.arrivals(self._weights, part):
            if arrival[0] >= from_s:
                yield arrival
            elif feed is not None:
                feed.next_row()  # the lost one has given it to an arrival, or nobody has
