"""The request log: one row a request, from every worker, nothing sampled.

Times are seconds (float64) on one monotonic clock, zero at the start of the measured part of the run, so
warm-up rows have negative ones. Text columns hold few distinct values and are kept as codes into a list, the
narrowest that do (`gathering`): fifteen million rows, a night, then weigh less than 500 MB.

| column    | Arrow type               | meaning                                                         |
|-----------|--------------------------|-----------------------------------------------------------------|
| intended  | float64                  | when the request was due                                        |
| sent      | float64, null            | when its first byte was handed to the kernel; null: never sent  |
| ended     | float64, null            | when it was answered or had failed; null: never answered        |
| ok        | bool                     | the scenario accepts the answer                                 |
| status    | int16                    | HTTP status, 0 without one                                      |
| name      | dictionary<int32, utf8>  | the request's name in the scenario                              |
| served_by | dictionary<int32, utf8>  | who answered: the X-Release and X-Region headers, "" unknown    |
| error     | dictionary<int32, utf8>  | why it is not ok, "" when it is                                 |
| worker    | dictionary<int32, utf8>  | which load worker sent it                                       |
| key       | utf8, null               | the id of the write that it acknowledged or attempted           |
| tenant    | dictionary<int32, utf8>  | in whose name it was sent, "" nobody's; not there if never told |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from seatrial.model import parts
from seatrial.model.ownfailure import is_ours
from seatrial.model.rowkeys import Keys


class Holds(Enum):
    """What a column holds; how that is kept, each of spool, Parquet and CSV says once."""

    SECONDS = "seconds"
    TRUTH = "truth"
    STATUS = "status"
    CODED = "coded"  # texts of which there are few distinct ones
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the log: the table above, for programs."""

    name: str
    holds: Holds
    nullable: bool = False


ROW = (
    Column("intended", Holds.SECONDS),
    Column("sent", Holds.SECONDS, nullable=True),
    Column("ended", Holds.SECONDS, nullable=True),
    Column("ok", Holds.TRUTH),
    Column("status", Holds.STATUS),
    Column("name", Holds.CODED),
    Column("served_by", Holds.CODED),
    Column("error", Holds.CODED),
    Column("worker", Holds.CODED),
    Column("key", Holds.TEXT, nullable=True),
)


def names_of(*holding: Holds) -> tuple[str, ...]:
    """The columns that hold one of these, in the log's order; all of them for none."""
    return tuple(column.name for column in ROW if not holding or column.holds in holding)


COLUMNS = names_of()
TENANT = Column("tenant", Holds.CODED, nullable=True)  # a column of those logs alone whose scenario tells it
TIMES, TEXTS = names_of(Holds.SECONDS), names_of(Holds.CODED)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column: row i holds `values[codes[i]]`."""

    codes: Codes
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Coded:
        """Encode plain texts."""
        index: dict[str, int] = {}
        codes = np.fromiter((index.setdefault(text, len(index)) for text in texts), dtype=np.int32)
        return cls(codes, tuple(index))

    @classmethod
    def nothing(cls, length: int) -> Coded:
        """So many rows of ""."""
        return cls(np.zeros(length, dtype=np.int32), ("",))

    @classmethod
    def concat(cls, columns: Sequence[Coded]) -> Coded:
        """The rows of several, one after the other; each text is there once."""
        index: dict[str, int] = {}
        codes: list[Codes] = [np.empty(0, dtype=np.int32)]
        for column in columns:
            known = [index.setdefault(value, len(index)) for value in column.values]
            codes.append(np.array(known or [0], dtype=np.int32)[column.codes])
        return cls(np.concatenate(codes), tuple(index))

    def equals(self, text: str) -> Bools:
        """Which rows hold `text`."""
        return self.where(lambda value: value == text)

    def where(self, wanted: Callable[[str], bool]) -> Bools:
        """Which rows hold a text that is `wanted`; asked once for each text, not for each row."""
        found = np.array([wanted(value) for value in self.values] or [False])
        if found.all() or not found.any():
            return np.full(len(self.codes), bool(found[0]))
        return parts.each(len(self.codes), np.bool_, lambda rows: found[self.codes[rows]])

    def texts(self) -> list[str]:
        """The column as plain texts."""
        return [self.values[code] for code in self.codes]

    def distinct(self) -> tuple[str, ...]:
        """The texts that rows hold, each once; `values` may have others as well."""
        rows_of = parts.counts(len(self.codes), len(self.values), lambda rows: self.codes[rows])
        return tuple(value for value, rows in zip(self.values, rows_of, strict=True) if rows)

    def __getitem__(self, rows: Any) -> Coded:
        return Coded(self.codes[rows], self.values)


@dataclass(frozen=True, slots=True)
class RequestLog:
    """A request log in memory: equally long columns, rows in any order until `sorted`.

    `sent` is NaN for an arrival that was dropped, `ended` is NaN for a request that was never answered.
    `keys` is None when it was not read (measuring does not need it), `tenant` when no row has one.
    """

    intended: Floats
    sent: Floats
    ended: Floats
    ok: Bools
    status: npt.NDArray[np.int16]
    name: Coded
    served_by: Coded
    error: Coded
    worker: Coded
    keys: Keys | None = None
    tenant: Coded | None = None

    def __len__(self) -> int:
        return len(self.intended)

    def sorted(self) -> RequestLog:
        """The same rows by intended instant (stable); itself when they are already."""
        if np.all(self.intended[1:] >= self.intended[:-1]):
            return self
        return self[np.argsort(self.intended, kind="stable")]

    def __getitem__(self, rows: Any) -> RequestLog:
        """The rows that a slice, a boolean mask or an index array selects.

        Rows that stand next to each other are not copied.
        """
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
            rows = _as_slice(rows)
        columns: dict[str, Any] = {
            name: None if column is None else column[rows]
            for name in self.__slots__
            for column in (getattr(self, name),)
        }
        return RequestLog(**columns)

    def with_key(self) -> RequestLog:
        """The rows of writes: those that carry a key."""
        return self[slice(0)] if self.keys is None else self[self.keys.rows]

    def between(self, start_s: float, end_s: float) -> RequestLog:
        """Rows due in [start_s, end_s)."""
        return self[(self.intended >= start_s) & (self.intended < end_s)]

    def good(self, deadline_s: float) -> Bools:
        """Which rows are ok and were answered within `deadline_s` of the instant they were due."""

        def of(rows: slice) -> Bools:
            with np.errstate(invalid="ignore"):
                in_time = self.ended[rows] - self.intended[rows] <= deadline_s
            return np.asarray(self.ok[rows] & in_time)

        return parts.each(len(self), np.bool_, of)

    def waited_s(self, deadline_s: float) -> Floats:
        """How long the client of each row waited for an answer, from the instant it was due; shape (n,).

        What was never answered counts as its deadline: it waited so long at least. NaN where there is no such
        time: for a failure that came sooner (an error, not a latency), for what was never sent, and for what
        the generator itself gave up on, as nobody knows how long that would have taken.
        """
        own = self.error.where(is_ours)

        def of(rows: slice) -> Floats:
            waited = self.ended[rows] - self.intended[rows]
            unanswered = np.isnan(self.ended[rows]) & ~np.isnan(self.sent[rows])
            waited[unanswered & ~own[rows]] = deadline_s
            with np.errstate(invalid="ignore"):
                waited[~self.ok[rows] & (waited < deadline_s)] = np.nan
            return waited

        return parts.each(len(self), np.float64, of)

    def proven_bad(self, deadline_s: float) -> Bools:
        """Which rows are evidence against the service, whatever the generator did.

        The request was sent, the failure is not one of our own (`ownfailure`), and the service had its whole
        deadline from the instant of sending: an answer that is late only because we sent late proves nothing.
        A bad row that is not proven is evidence against the generator alone.
        """
        own = self.error.where(is_ours)

        def of(rows: slice) -> Bools:
            sent = self.sent[rows]
            with np.errstate(invalid="ignore"):
                in_time = self.ok[rows] & (self.ended[rows] - sent <= deadline_s)
            return np.asarray(~np.isnan(sent) & ~in_time & ~own[rows])

        return parts.each(len(self), np.bool_, of)

    @classmethod
    def empty(cls) -> RequestLog:
        """No request."""
        none, nothing = np.empty(0), Coded(np.empty(0, dtype=np.int32), ())
        ok, status = np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.int16)
        columns = dict.fromkeys(TIMES, none) | dict.fromkeys(TEXTS, nothing)
        return cls(ok=ok, status=status, **columns)  # type: ignore[arg-type]  # of either kind

    @classmethod
    def concat(cls, logs: Sequence[RequestLog]) -> RequestLog:
        """All rows of several logs, by intended instant."""
        return cls.joined(logs).sorted()

    @classmethod
    def joined(cls, logs: Sequence[RequestLog]) -> RequestLog:
        """All rows of several logs, one after the other."""
        if not logs:
            return cls.empty()
        joined: dict[str, Any] = {}
        for column in names_of(Holds.SECONDS, Holds.TRUTH, Holds.STATUS):
            joined[column] = np.concatenate([getattr(log, column) for log in logs])
        for column in TEXTS:
            joined[column] = Coded.concat([getattr(log, column) for log in logs])
        if any(log.tenant is not None for log in logs):
            joined["tenant"] = Coded.concat([log.tenant or Coded.nothing(len(log)) for log in logs])
        if any(log.keys is not None for log in logs):
            keys = [Keys.nothing(len(log)) if log.keys is None else log.keys for log in logs]
            joined["keys"] = Keys.concat(keys)
        return cls(**joined)


def _as_slice(rows: Bools) -> Bools | slice:
    """The same rows as a slice, if they are a single stretch."""
    count = int(np.count_nonzero(rows))
    first = int(np.argmax(rows)) if count else 0
    return slice(first, first + count) if bool(rows[first : first + count].all()) else rows
