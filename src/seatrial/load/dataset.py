"""A CSV file whose rows are fed to arrivals, checked whole before anything starts.

A file of a million rows as a million dictionaries would take a gigabyte. So it is kept as it was read, with
the offset at which each row begins, and a row becomes a dictionary when an arrival asks for it. What was
hashed, checked and counted is then also what is fed, whatever becomes of the file meanwhile.

Nothing here imports Locust or gevent: planning reads the file as the load does.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from seatrial.load.offer import Offer
from seatrial.model.data import Order
from seatrial.model.manyvalues import Collected, ManyValues
from seatrial.model.problems import BadInput, Location, Problem, nearest

_LARGEST_FILE = 1 << 30  # bytes: it is kept in memory
_MOST_TOLD = 5  # rows with a mistake
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # spreadsheets put it before UTF-8
_OTHER_SEPARATORS = (";", "\t", "|")


class Row(dict[str, str]):
    """A row: column → value. A column that is not there is told with the nearest that is."""

    def __missing__(self, column: str) -> str:
        raise KeyError(f"the data has no column {column!r}{nearest(str(column), self)}")


@dataclass(frozen=True, slots=True)
class DataFile:
    """The data of a planned load. `sha256` and `rows` are of the file as it was when it was planned."""

    path: Path
    order: Order
    sha256: str
    rows: int
    columns: tuple[str, ...]
    secret: tuple[str, ...] = ()  # of the columns


@dataclass(frozen=True, slots=True)
class DataSet:
    """The rows of a file, numbered from 0; `dataset[0]` is the first."""

    name: str
    sha256: str
    columns: tuple[str, ...]
    secrets: ManyValues | None = field(repr=False)  # the values of the secret columns
    _data: bytes = field(repr=False)
    _starts: array[int] = field(repr=False)  # where each row begins, and where the last one ends

    @classmethod
    def read(cls, path: Path, name: str = "", secret: Sequence[str] = ()) -> Self:
        """Read and check it; `name` is what people call it, `secret` are columns whose values are.

        Raises BadInput with the lines that are wrong, and with none of their values.
        """
        name = name or path.name
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise BadInput(f"{name}: larger than {_LARGEST_FILE >> 20} MiB, which is kept in memory")
            data = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{name}: cannot be read: {error.strerror}") from error
        reader = _Reader(data, name, secret)
        columns, starts = reader.read()
        shown = [f"${{row.{re.sub('[^A-Za-z0-9_]', '_', column)}}}" for column in secret]
        secrets = ManyValues(reader.collected, shown) if secret else None
        return cls(name, hashlib.sha256(data).hexdigest(), columns, secrets, data, starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> Row:
        text = self._data[self._starts[number] : self._starts[number + 1]].decode()
        return Row(zip(self.columns, next(csv.reader([text], strict=True)), strict=True))


class _Reader:
    """Goes once through a file, by lines as CSV has them: a value in quotes may go over several."""

    def __init__(self, data: bytes, name: str, secret: Sequence[str]) -> None:
        self._data = data
        self._name = name
        self._secret = secret
        self.collected = Collected()
        self._problems: list[Problem] = []
        self._at = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
        self._records = csv.reader(self._lines(), strict=True)

    def read(self) -> tuple[tuple[str, ...], array[int]]:
        """The columns, and where each row begins and the last one ends. Raises BadInput."""
        if (nul := self._data.find(b"\0")) >= 0:
            raise self._wrong(self._data.count(b"\n", 0, nul) + 1, "holds a NUL, and is no text in UTF-8")
        columns, starts = self._header(), array("q")
        secret = [(columns.index(column), kind) for kind, column in enumerate(self._secret)]
        begin, line = self._at, self._records.line_num
        while (record := self._next()) is not None:
            if record:
                starts.append(begin)
                if len(record) != len(columns):
                    self._note_ragged(line + 1, len(record), len(columns))
                else:
                    self._note_secrets(record, secret)
            begin, line = self._at, self._records.line_num
        starts.append(begin)
        if self._problems:
            raise BadInput(self._problems)
        if len(starts) == 1:
            raise self._wrong(line, "has a header and no row")
        return columns, starts

    def _lines(self) -> Iterator[str]:
        lines = io.BytesIO(self._data)
        lines.seek(self._at)
        for line in lines:
            self._at += len(line)
            yield line.decode()

    def _next(self) -> list[str] | None:
        try:
            return next(self._records, None)
        except UnicodeDecodeError as error:
            line = self._records.line_num + 1
            raise self._wrong(line, f"is not text in UTF-8: {error.reason}") from error
        except csv.Error as error:
            raise self._wrong(self._records.line_num, f"is no CSV: {error}") from error

    def _header(self) -> tuple[str, ...]:
        columns = self._next()
        while columns == []:
            columns = self._next()
        if columns is None:
            raise self._wrong(1, "the file is empty; its first line names the columns")
        line = self._records.line_num
        for number, column in enumerate(columns, 1):
            if not column.strip():
                raise self._wrong(line, f"column {number} has no name")
            if column in columns[: number - 1]:
                raise self._wrong(line, f"two columns have the name '{column}'")
        other = next((each for each in _OTHER_SEPARATORS if each in columns[0]), "")
        if len(columns) == 1 and other:
            raise self._wrong(line, f"names one column, with {other!r} in it; commas stand between columns")
        unknown = next((column for column in self._secret if column not in columns), None)
        if unknown is not None:
            raise self._wrong(line, f"has no column '{unknown}' to be secret{nearest(unknown, columns)}")
        return tuple(columns)

    def _note_ragged(self, line: int, values: int, columns: int) -> None:
        if len(self._problems) < _MOST_TOLD:
            told = f"has {_counted(values, 'value')}, and the header {_counted(columns, 'column')}"
            self._problems.append(Problem(told, Location(self._name, line)))

    def _note_secrets(self, record: Sequence[str], secret: Sequence[tuple[int, int]]) -> None:
        for at, kind in secret:
            self.collected.add(record[at], kind)

    def _wrong(self, line: int, message: str) -> BadInput:
        return BadInput([*self._problems, Problem(message, Location(self._name, max(line, 1)))])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def too_few(offer: Offer, rows: int, order: Order) -> str:
    """Why the rows cannot do for all arrivals, warm-up included; "" when they do, or nobody can know.

    Nobody can when the rate counts requests, or when the load has no end.
    """
    if order != "unique" or offer.counts != "arrivals" or math.isinf(offer.duration_s):
        return ""
    arrivals = sum(chunk.size for chunk in offer.instants())
    if arrivals <= rows:
        return ""
    return (
        f"{arrivals:,} arrivals are due, warm-up included, and there are {rows:,} rows, each to be given "
        "once; give it more rows, lower the rate or the duration, or let order: sequential begin anew"
    )
