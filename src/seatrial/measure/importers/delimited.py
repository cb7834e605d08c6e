"""CSV into typed columns, at full speed when all is well and with line numbers when something is not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from seatrial.measure.importers.importer import Source
from seatrial.model.problems import BadInput, nearest
from seatrial.model.requestlog import Coded, Floats

TEXT = pa.dictionary(pa.int32(), pa.utf8())
_NOTHING = ["", "null", "NULL", "NaN", "nan", "None", "N/A"]
_ROW = re.compile(r"Row #(\d+): ")
_COLUMN = re.compile(r"In CSV column #(\d+): ")


def read_csv(
    source: Source,
    columns: Mapping[str, pa.DataType],
    *,
    required: Sequence[str],
    filled: Sequence[str],
    names: Sequence[str] = (),
    delimiter: str = "",
) -> pa.Table:
    """The `columns` that the file has, as these types. Other columns are skipped.

    `required` columns must exist, `filled` ones must not have an empty cell; `names` are those of all
    columns, for a file without a header line. `delimiter`: the source's own unless given. Raises BadInput
    with the line that is wrong.
    """
    layout = _Layout(tuple(names), delimiter or source.delimiter)
    header = tuple(names) or source.header()
    missing = [name for name in required if name not in header]
    if missing:
        hint = nearest(missing[0], header)
        raise source.problem(f"has no column {', '.join(repr(name) for name in missing)}{hint}", 1)
    wanted = {name: kind for name, kind in columns.items() if name in header}
    try:
        table = _read(source, wanted, layout, threads=True)
    except pa.ArrowException:
        table = _explain(source, wanted, layout, header)
    for name in filled:
        if table.column(name).null_count:
            row = pc.index(table.column(name).is_null(), True).as_py()
            raise source.problem(
                f"column '{name}' is empty", line_of_row(source, row, layout.delimiter, names)
            )
    return table


def line_of_row(source: Source, row: int, delimiter: str = "", names: Sequence[str] = ()) -> int | None:
    """The line on which row `row` (from 0) of a CSV begins; None where it cannot be found again.

    Cells may hold line ends and blank lines do not count, so the file is read once more. Only for errors.
    """
    return _line_of_record(source, row + (1 if names else 2), delimiter or source.delimiter)


def _line_of_record(source: Source, record: int, delimiter: str) -> int | None:
    text = io.TextIOWrapper(
        io.BufferedReader(cast("io.RawIOBase", source.open())), "utf-8", "replace", newline=""
    )
    with text:
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


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file is laid out: names of its columns, if no line has them, and what sets them apart."""

    names: tuple[str, ...]
    delimiter: str


def _read(source: Source, wanted: Mapping[str, pa.DataType], layout: _Layout, *, threads: bool) -> pa.Table:
    with source.open() as stream:
        return pacsv.read_csv(
            stream,
            read_options=pacsv.ReadOptions(use_threads=threads, column_names=list(layout.names) or None),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, delimiter=layout.delimiter),
            convert_options=pacsv.ConvertOptions(
                column_types=dict(wanted), include_columns=list(wanted), null_values=_NOTHING
            ),
        )


def _explain(
    source: Source, wanted: Mapping[str, pa.DataType], layout: _Layout, header: Sequence[str]
) -> pa.Table:
    """Read once more in one thread: only then does the parser know its row. Raises BadInput."""
    try:
        return _read(source, wanted, layout, threads=False)
    except pa.ArrowException as error:
        raise _translated(source, str(error), header, layout.delimiter) from error


def _translated(source: Source, message: str, header: Sequence[str], delimiter: str) -> BadInput:
    row, column = _ROW.search(message), _COLUMN.search(message)
    said = _COLUMN.sub("", _ROW.sub("", message)).removeprefix("CSV parse error: ").split("\n")[0]
    if column and int(column[1]) < len(header):
        said = f"column '{header[int(column[1])]}': {said.removeprefix('CSV conversion error to ')}"
    return source.problem(said, _line_of_record(source, int(row[1]), delimiter) if row else None)


def floats(table: pa.Table, name: str) -> Floats:
    """A column of numbers; NaN where it is empty."""
    column = table.column(name).cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def texts(table: pa.Table, name: str) -> Coded:
    """A column of texts; empty everywhere when the table does not have it."""
    if name not in table.column_names:
        return Coded(np.zeros(len(table), dtype=np.int32), ("",))
    column = table.column(name).cast(pa.utf8()).fill_null("").dictionary_encode().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of an empty table, and in older versions of any
        column = column.chunk(0) if column.num_chunks else pa.array([], TEXT)
    return Coded(
        np.asarray(column.indices.to_numpy(zero_copy_only=False), dtype=np.int32),
        tuple(column.dictionary.to_pylist()),
    )


def status_codes(column: Coded) -> Floats:
    """HTTP status codes written as text; 0 for anything else, such as the name of an exception."""
    numbers = [
        float(text) if len(text) == 3 and text.isascii() and text.isdigit() else 0.0 for text in column.values
    ]
    return np.array(numbers or [0.0])[column.codes]
