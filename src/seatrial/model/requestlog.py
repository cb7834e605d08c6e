"""The request log: one row a request, from every worker, nothing sampled.

Times are seconds (float64) on one monotonic clock, zero at the start of the measured part of the run, so
warm-up rows have negative ones. Text columns hold few distinct values and are kept as codes into a list;
five million rows then weigh about 200 MB instead of gigabytes.

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
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seatrial.model.ownfailure import is_ours

_TEXT = pa.dictionary(pa.int32(), pa.utf8())

SCHEMA = pa.schema([
    pa.field("intended", pa.float64(), nullable=False),
    pa.field("sent", pa.float64()),
    pa.field("ended", pa.float64()),
    pa.field("ok", pa.bool_(), nullable=False),
    pa.field("status", pa.int16(), nullable=False),
    pa.field("name", _TEXT, nullable=False),
    pa.field("served_by", _TEXT, nullable=False),
    pa.field("error", _TEXT, nullable=False),
    pa.field("worker", _TEXT, nullable=False),
    pa.field("key", pa.utf8()),
])  # fmt: skip

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column: row i holds `values[codes[i]]`."""

    codes: npt.NDArray[np.int32]
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Coded:
        """Encode plain texts."""
        index: dict[str, int] = {}
        codes = np.fromiter((index.setdefault(text, len(index)) for text in texts), dtype=np.int32)
        return cls(codes, tuple(index))

    def equals(self, text: str) -> Bools:
        """Which rows hold `text`."""
        return self.where(lambda value: value == text)

    def where(self, wanted: Callable[[str], bool]) -> Bools:
        """Which rows hold a text that is `wanted`; asked once for each text, not for each row."""
        return np.array([wanted(value) for value in self.values] or [False])[self.codes]

    def texts(self) -> list[str]:
        """The column as plain texts."""
        return [self.values[code] for code in self.codes]

    def __getitem__(self, rows: Any) -> Coded:
        return Coded(self.codes[rows], self.values)


@dataclass(frozen=True, slots=True)
class RequestLog:
    """A request log in memory: equally long columns, rows in any order until `sorted`.

    `sent` is NaN for an arrival that was dropped, `ended` is NaN for a request that was never answered.
    `keys` is None when it was not read (measuring does not need it).
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
    keys: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.intended)

    def sorted(self) -> RequestLog:
        """The same rows by intended instant (stable); itself when they are already."""
        if np.all(self.intended[1:] >= self.intended[:-1]):
            return self
        return self[np.argsort(self.intended, kind="stable")]

    def __getitem__(self, rows: Any) -> RequestLog:
        """The rows that a slice, a boolean mask or an index array selects."""
        keys = self.keys
        if keys is not None:
            picked = np.arange(len(self))[rows]
            keys = keys.take(pa.array(picked))
        return replace(
            self,
            **{column: getattr(self, column)[rows] for column in self.__slots__ if column != "keys"},
            keys=keys,
        )

    def between(self, start_s: float, end_s: float) -> RequestLog:
        """Rows due in [start_s, end_s)."""
        return self[(self.intended >= start_s) & (self.intended < end_s)]

    def good(self, deadline_s: float) -> Bools:
        """Which rows are ok and were answered within `deadline_s` of the instant they were due."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.ok & (self.ended - self.intended <= deadline_s))

    def waited_s(self, deadline_s: float) -> Floats:
        """How long the client of each row waited for an answer, from the instant it was due; shape (n,).

        What was never answered counts as its deadline: it waited so long at least. NaN where there is no such
        time: for a failure that came sooner (an error, not a latency), for what was never sent, and for what
        the generator itself gave up on, as nobody knows how long that would have taken.
        """
        waited = self.ended - self.intended
        unanswered = np.isnan(self.ended) & ~np.isnan(self.sent)
        waited[unanswered & ~self.error.where(is_ours)] = deadline_s
        with np.errstate(invalid="ignore"):
            waited[~self.ok & (waited < deadline_s)] = np.nan
        return waited

    def proven_bad(self, deadline_s: float) -> Bools:
        """Which rows are evidence against the service, whatever the generator did.

        The request was sent, the failure is not one of our own (`ownfailure`), and the service had its whole
        deadline from the instant of sending: an answer that is late only because we sent late proves nothing.
        A bad row that is not proven is evidence against the generator alone.
        """
        with np.errstate(invalid="ignore"):
            in_time = self.ok & (self.ended - self.sent <= deadline_s)
        return np.asarray(~np.isnan(self.sent) & ~in_time & ~self.error.where(is_ours))

    @classmethod
    def from_arrow(cls, table: pa.Table) -> RequestLog:
        """From a table with the columns of SCHEMA (`key` may be absent); texts may be plain or coded."""
        return cls(
            intended=_floats(table, "intended"),
            sent=_floats(table, "sent"),
            ended=_floats(table, "ended"),
            ok=np.asarray(table.column("ok").to_numpy(), dtype=np.bool_),
            status=np.asarray(table.column("status").to_numpy(), dtype=np.int16),
            name=_coded(table, "name"),
            served_by=_coded(table, "served_by"),
            error=_coded(table, "error"),
            worker=_coded(table, "worker"),
            keys=table.column("key").combine_chunks() if "key" in table.column_names else None,
        )

    def to_arrow(self) -> pa.Table:
        """A table of SCHEMA."""
        keys = self.keys if self.keys is not None else pa.nulls(len(self), pa.utf8())
        columns = [
            pa.array(self.intended),
            pa.array(self.sent, mask=np.isnan(self.sent)),
            pa.array(self.ended, mask=np.isnan(self.ended)),
            pa.array(self.ok),
            pa.array(self.status),
            *(_dictionary(column) for column in (self.name, self.served_by, self.error, self.worker)),
            keys,
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMA)

    @classmethod
    def concat(cls, logs: Sequence[RequestLog]) -> RequestLog:
        """All rows of several logs, by intended instant."""
        if not logs:
            return cls.from_arrow(SCHEMA.empty_table())
        table = pa.concat_tables([log.to_arrow() for log in logs]).unify_dictionaries()
        return cls.from_arrow(table).sorted()


def _floats(table: pa.Table, column: str) -> Floats:
    return np.asarray(table.column(column).to_numpy(zero_copy_only=False), dtype=np.float64)


def _coded(table: pa.Table, column: str) -> Coded:
    data = table.column(column)
    if not pa.types.is_dictionary(data.type):
        data = data.dictionary_encode()
    if data.num_chunks == 0:
        return Coded(np.empty(0, dtype=np.int32), ())
    one = data.unify_dictionaries().combine_chunks()
    one = one if isinstance(one, pa.DictionaryArray) else one.chunk(0)
    return Coded(
        np.asarray(one.indices.to_numpy(zero_copy_only=False), dtype=np.int32),
        tuple(str(value) for value in one.dictionary.to_pylist()),
    )


def _dictionary(column: Coded) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(column.codes), pa.array(list(column.values), type=pa.utf8())
    )
