"""Logs of one line a request, as servers write them: what their readers share.

Such a log has a few distinct texts in most places and writes the same second again and again, so texts are
kept as codes from the start, and a date is reckoned once. A million lines then take seconds and some hundred
megabytes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Self

import numpy as np
import numpy.typing as npt

from seatrial.measure.importers.importer import Source, Told, without_schedule
from seatrial.model.requestlog import Coded, RequestLog

_MOST_NAMES = 1000
_OTHERS = "(other)"
_AN_ID = re.compile(r"/(?=[^/]*\d)(?:\d+|[0-9a-fA-F-]{8,}|[^/]{25,})(?=/|$)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLF = re.compile(
    r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ?([+-]\d{4}))?"
)
_LONGEST_NAME = 200

SERVER_SIDE = (
    "this is a server's own log: what lay between the clients and it is not in it, nor a request that "
    "never reached "
    "it. Where it is silent nobody can tell whether somebody asked: such a silence is an outage of 0 "
    "seconds at the "
    "least"
)


class Texts:
    """A text column that is filled row by row."""

    def __init__(self, most: int = 0) -> None:
        """`most`: how many distinct texts are kept; 0 for all. The rest become one."""
        self._codes: array[int] = array("i")
        self._index: dict[str, int] = {}
        self._most = most

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, text: str) -> None:
        """One more row."""
        code = self._index.get(text)
        if code is None:
            if self._most and len(self._index) >= self._most:
                text = _OTHERS
            code = self._index.setdefault(text, len(self._index))
        self._codes.append(code)

    def column(self) -> Coded:
        """What was added."""
        codes: npt.NDArray[np.int32] = np.array(self._codes, dtype=np.int32)
        return Coded(codes, tuple(self._index))


class Names(Texts):
    """Names of requests, out of what was asked for: `GET /orders/*` for `GET /orders/17?full=1 HTTP/1.1`.

    What looks like an id becomes `*`, and after a thousand names the rest are one: they stand for kinds of
    requests.
    """

    def __init__(self) -> None:
        super().__init__(_MOST_NAMES)
        self._known: dict[str, str] = {}

    def add(self, text: str) -> None:
        """One more row."""
        name = self._known.get(text)
        if name is None:
            if len(self._known) > 50_000:
                self._known.clear()
            name = self._known[text] = name_of(text)[:_LONGEST_NAME]
        super().add(name)


def name_of(request: str) -> str:
    """The kind of request: method and path, without query, protocol and ids."""
    words = request.split()
    if len(words) < 2:
        return request.strip()
    path = words[1].partition("?")[0].partition("#")[0]
    return f"{words[0]} {_AN_ID.sub('/*', path)}"


@dataclass(slots=True)
class Rows:
    """A log that is filled row by row. Instants are seconds since 1970, a status is 0 where there is none."""

    sent: array[float] = field(default_factory=lambda: array("d"))
    ended: array[float] = field(default_factory=lambda: array("d"))
    ok: array[int] = field(default_factory=lambda: array("b"))
    status: array[int] = field(default_factory=lambda: array("h"))
    line: array[int] = field(default_factory=lambda: array("q"))
    name: Texts = field(default_factory=Names)
    error: Texts = field(default_factory=Texts)
    served_by: Texts = field(default_factory=Texts)
    worker: Texts = field(default_factory=Texts)

    @classmethod
    def of(cls, told: Told) -> Self:
        """Of a log whose requests are named by their kinds, or as they were asked for."""
        return cls(name=Texts()) if told.whole else cls()

    def __len__(self) -> int:
        return len(self.sent)

    def log(self, source: Source) -> RequestLog:
        """The rows as a log. Raises BadInput with the line of one whose times cannot be."""
        sent, ended = np.array(self.sent, dtype=np.float64), np.array(self.ended, dtype=np.float64)
        return without_schedule(
            source,
            sent=sent,
            ended=ended,
            ok=np.array(self.ok, dtype=np.bool_),
            status=np.array(self.status, dtype=np.float64),
            name=self.name.column(),
            error=self.error.column(),
            served_by=self.served_by.column(),
            worker=self.worker.column() if len(self.worker) else None,
            line_of=lambda row: self.line[row],
        )

    @property
    def zero_unix_s(self) -> float:
        """Second 0 of the log: its first request."""
        return float(min(self.sent, default=0.0))


class Dates:
    """Dates of the common log format, as seconds since 1970; without a zone, as if they were in UTC.

    `zoned` and `zoneless` tell which kinds were met.
    """

    def __init__(self) -> None:
        self.zoned = self.zoneless = False
        self._known: dict[str, float] = {}

    def seconds(self, text: str) -> float:
        """Raises ValueError for what is no date."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) > 100_000:
                self._known.clear()
            found = self._known[text] = self._reckoned(text)
        return found

    def _reckoned(self, text: str) -> float:
        parts = _CLF.fullmatch(text)
        if parts is None or parts[2] not in _MONTHS:
            raise ValueError(f"{text[:40]!r} is no date")
        day, month, year = int(parts[1]), _MONTHS.index(parts[2]) + 1, int(parts[3])
        zone = zone_of(parts[8])
        self.zoned |= parts[8] is not None
        self.zoneless |= parts[8] is None
        leap = parts[6] == "60"  # datetime knows no such second
        clock = (int(parts[4]), int(parts[5]), 59 if leap else int(parts[6]))
        instant = datetime(year, month, day, *clock, tzinfo=zone).timestamp()
        return instant + leap + (float(f"0.{parts[7]}") if parts[7] else 0.0)


def zone_of(text: str | None) -> timezone:
    """`+0130` or `+01:30` as a zone; UTC for None. Raises ValueError for one that cannot be."""
    if text is None:
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def zones(dates: Dates, source: Source) -> Iterable[str]:
    """What a reader must know of the dates. Raises BadInput when some have a zone and some have none."""
    if dates.zoned and dates.zoneless:
        raise source.problem(
            "some dates have a time zone and some have none, so nobody knows how far apart they are"
        )
    if dates.zoneless:
        yield (
            "the dates of this log have no time zone: if its clock was set to or from summer time "
            "meanwhile, there is "
            "an hour too much or too little"
        )
