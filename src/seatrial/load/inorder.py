"""All rows of several spools by intended instant, without holding them twice.

A spool is ordered nearly: a row is put down when its request has ended, and some take longer than others. So
each is read twice. The first time tells, of each part of it, the least instant that is due there or later:

    spool 0    ░░░░░░░░░░░▓▓▓▓▓▓│▒▒▒▒▒▒▒▒      ░ given   ▓ read, waits   ▒ not read yet
    spool 1    ░░░░░░░░░▓▓▓▓▓▓▓▓▓▓│▒▒▒▒▒▒
                          ↑
                          the least instant of all that is not read: what is due before it can go

The second time a row waits until no earlier one can come, from any spool, whatever is still to be read: that
is exact however late rows come, and what waits is little where they come nearly in order. Rows that are due
at the same instant stay in the order of the spools, and within one in its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seatrial.load.spool import SpoolReader
from seatrial.model import parts
from seatrial.model.gathering import Gathering
from seatrial.model.problems import SeatrialError
from seatrial.model.requestlog import RequestLog

PART = 1 << 17  # rows that are read of a spool at once


class Source:
    """The rows of one spool, or some that were made up; read for the first time as soon as it is made.

    `again` gives them from the beginning, the same parts each time.
    """

    def __init__(self, again: Callable[[], Iterator[RequestLog]], texts: Callable[[], RequestLog]) -> None:
        self.again = again
        self.rows = 0
        self.trouble: SeatrialError | None = None  # why there are no more rows
        least: list[float] = []
        try:
            for part in again():
                self.rows += len(part)
                least.append(float(np.min(part.intended, initial=math.inf)))
        except SeatrialError as error:
            self.trouble = error
        self.texts = texts()  # no row, but every text that occurs
        self.least = parts.least_to_come(least)  # the earliest instant that is due

    @classmethod
    def of_spool(cls, reader: SpoolReader, moved: Callable[[RequestLog], RequestLog] | None = None) -> Source:
        """What a spool holds now; what is added later is left out. `moved` is applied to each part."""
        until = [math.inf]

        def again() -> Iterator[RequestLog]:
            reader.rewind()
            rows = reader.parts(PART, until[0])
            return rows if moved is None else map(moved, rows)

        found = cls(again, lambda: reader.texts)
        until[0] = reader.place
        return found

    @classmethod
    def of_rows(cls, log: RequestLog) -> Source:
        """Rows that are in memory."""
        return cls(lambda: iter((log,)), lambda: log[:0])


def in_order(sources: Sequence[Source], told: Sequence[Source] = ()) -> RequestLog:
    """All rows, by intended instant. `told`: the sources by whose order texts are numbered, if by another."""
    whole = Gathering(sum(source.rows for source in sources))
    for source in told or sources:
        whole.add(source.texts)
    streams = [_Stream(source) for source in sources]
    while any(stream.floor_s < math.inf for stream in streams):
        min(streams, key=lambda stream: stream.floor_s).read()
        until_s = min(stream.floor_s for stream in streams)
        whole.add(RequestLog.concat([stream.due_before(until_s) for stream in streams]))
    return whole.whole()


class _Stream:
    """One source, as it is read for the second time."""

    def __init__(self, source: Source) -> None:
        self._parts = source.again()
        self._least = source.least
        self._read = 0
        self._waiting = RequestLog.empty()

    @property
    def floor_s(self) -> float:
        """The earliest instant that is due in what is not read yet; infinity when all is."""
        return self._least[self._read]

    def read(self) -> None:
        """One more part."""
        self._read += 1
        self._waiting = RequestLog.joined([self._waiting, next(self._parts)])

    def due_before(self, until_s: float) -> RequestLog:
        """The rows that are, in the order in which they were read; they wait no longer."""
        early = self._waiting.intended < until_s
        due, self._waiting = self._waiting[early], self._waiting[~early]
        return due
