"""CSV into columns of numbers and texts, at full speed, and with line numbers when something is not well."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import read_csv as read_cells

from seatrial import columnar
from seatrial.measure.importers.importer import Source
from seatrial.model.problems import BadInput, nearest
from seatrial.model.requestlog import Bools, Coded, Floats

Kind = Literal["number", "text"]

_NOTHING = frozenset({"", "null", "NULL", "NaN", "nan", "None", "N/A"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "1": True,
          "false": False, "False": False, "FALSE": False, "0": False}  # fmt: skip
_ROWS_AT_A_TIME = 65_536
_STREAM = "Io error: "
_TOO_FEW_OR_MANY = re.compile(r"for line (\d+), expected (\d+) got (\d+)")
_NOT_UTF8 = re.compile(r"invalid UTF-8 data for line (\d+) and field (\d+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a table, equally long: a number is NaN and a text "" where a cell is empty."""

    length: int
    values: Mapping[str, Floats | Coded]

    def __len__(self) -> int:
        return self.length

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __getitem__(self, rows: Any) -> Columns:
        """The rows that an index array selects."""
        return Columns(len(rows), {name: column[rows] for name, column in self.values.items()})


def floats(table: Columns, name: str) -> Floats:
    """A column of numbers."""
    column = table.values[name]
    assert not isinstance(column, Coded), name
    return column


def texts(table: Columns, name: str) -> Coded:
    """A column of texts; empty everywhere when the table does not have it."""
    column = table.values.get(name, Coded(np.zeros(len(table), dtype=np.int32), ("",)))
    assert isinstance(column, Coded), name
    return column


def read_csv(
    source: Source,
    columns: Mapping[str, Kind],
    *,
    required: Sequence[str],
    filled: Sequence[str],
    names: Sequence[str] = (),
    delimiter: str = "",
) -> Columns:
    """The `columns` that the file has, as these kinds. Other columns are skipped.

    `required` columns must exist, `filled` ones must not have an empty cell; `names` are those of all
    columns, for a file without a header line. `delimiter`: the source's own unless given. Raises BadInput
    with the line that is wrong.
    """
    table = _Table(source, tuple(names) or source.header(), bool(names), delimiter or source.delimiter)
    missing = [name for name in required if name not in table.header]
    if missing:
        hint = nearest(missing[0], table.header)
        raise source.problem(f"has no column {', '.join(repr(name) for name in missing)}{hint}", 1)
    read = table.columns({name: kind for name, kind in columns.items() if name in table.header})
    for name in filled:
        column = read.values[name]
        empty = column.equals("") if isinstance(column, Coded) else np.isnan(column)
        if empty.any():
            raise source.problem(f"column '{name}' is empty", table.line_of(int(np.argmax(empty))))
    return read


def line_of_row(source: Source, row: int, delimiter: str = "", names: Sequence[str] = ()) -> int | None:
    """The line on which row `row` (from 0) of a CSV begins; None where it cannot be found again.

    Cells may hold line ends and blank lines do not count, so the file is read once more. Only for errors.
    """
    return _line_of_record(source, row + (1 if names else 2), delimiter or source.delimiter)


def _line_of_record(source: Source, record: int, delimiter: str) -> int | None:
    with io.TextIOWrapper(source.open(), "utf-8", "replace", newline="") as text:
        rows = csv.reader(text, delimiter=delimiter)
        begins, found = 1, 0
        try:
            for cells in rows:
                found += bool(cells)
                if found == record:
                    return begins
                begins = rows.line_num + 1
        except (csv.Error, OSError):  # a cell without end; a stream cut short
            return None
    return None


def truths(table: Columns, name: str, source: Source, names: Sequence[str] = ()) -> Bools:
    """A column of true and false, in the spellings that tools have for them. Raises BadInput for others."""
    column = texts(table, name)
    wrong = column.where(lambda text: text not in _TRUTH)
    if wrong.any():
        row = int(np.argmax(wrong))
        said = f"column '{name}': '{column.values[column.codes[row]]}' is neither true nor false"
        raise source.problem(said, line_of_row(source, row, names=names))
    return column.where(lambda text: _TRUTH.get(text, False))


@dataclass(frozen=True, slots=True)
class _Table:
    """A file, the names of all its columns, whether they are left out in it, and what sets cells apart."""

    source: Source
    header: tuple[str, ...]
    headless: bool
    delimiter: str

    def line_of(self, row: int) -> int | None:
        return self._line_of_record(row + (1 if self.headless else 2))

    def _line_of_record(self, record: int) -> int | None:
        return _line_of_record(self.source, record, self.delimiter)

    def columns(self, wanted: Mapping[str, Kind]) -> Columns:
        positions = {name: self.header.index(name) for name in wanted}
        found: dict[str, list[Floats | Coded]] = {name: [] for name in wanted}
        length = 0
        for batch in self._batches():
            for name, kind in wanted.items():
                cells = batch.column(positions[name])
                as_numbers = kind == "number"
                found[name].append(
                    self._numbers(name, cells, length) if as_numbers else columnar.coded([cells])
                )
            length += batch.num_rows
        return Columns(length, {name: _joined(found[name], kind) for name, kind in wanted.items()})

    def _batches(self) -> Iterator[RecordBatch]:
        """Every cell as a text, for a type that does not fit is told in our words; null where it is empty."""
        schema = Schema([Field(str(number), DataType.utf8()) for number, _ in enumerate(self.header)])
        with self.source.open() as stream:
            try:
                yield from read_cells(
                    stream,
                    schema,
                    has_header=not self.headless,
                    delimiter=self.delimiter,
                    batch_size=_ROWS_AT_A_TIME,
                )
            except BadInput:
                raise
            except Exception as error:  # the library has no class of its own for what it cannot read
                raise self._translated(str(error)) from error

    def _translated(self, message: str) -> BadInput | OSError:
        if _STREAM in message:
            return OSError(message.partition(_STREAM)[2])
        if found := _TOO_FEW_OR_MANY.search(message):
            said = f"{found[2]} columns are expected, and there are {found[3]}"
            return self.source.problem(said, self._line_of_record(int(found[1])))
        if found := _NOT_UTF8.search(message):
            return self.source.problem("is not UTF-8 text", self._line_of_record(int(found[1])))
        return self.source.problem(" ".join(message.split()))

    def _numbers(self, name: str, cells: Array, first_row: int) -> Floats:
        values = columnar.numbers([cells])
        if int(np.count_nonzero(np.isnan(values))) == cells.null_count:
            return values
        for row, text in enumerate(cells.to_pylist()):  # rare: spelled differently, or none
            if text is None or not np.isnan(values[row]):
                continue
            number = _number(text.strip())
            if number is None:
                said = f"column '{name}': '{text}' is no number"
                raise self.source.problem(said, self.line_of(first_row + row))
            values[row] = number
        return values


def _number(text: str) -> float | None:
    if text in _NOTHING:
        return float("nan")
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _joined(parts: Sequence[Floats | Coded], kind: Kind) -> Floats | Coded:
    if kind == "text":
        return Coded.concat([part for part in parts if isinstance(part, Coded)])
    return np.concatenate([np.empty(0), *(part for part in parts if not isinstance(part, Coded))])


def status_codes(column: Coded) -> Floats:
    """HTTP status codes written as text; 0 for anything else, such as the name of an exception."""
    numbers = [
        float(text) if len(text) == 3 and text.isascii() and text.isdigit() else 0.0 for text in column.values
    ]
    return np.array(numbers or [0.0])[column.codes]
