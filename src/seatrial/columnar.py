"""Columns out and in: the request log as Parquet, and what else is kept or read in that form.

Arrow's arrays are known in here and where CSV is read; everything else works on NumPy's. They are arro3's,
which is Arrow for Rust in 45 MB (pyarrow would do the same in 170, which is more than half of what
`pip install seatrial` brings). What must be known of it:

- it panics where its writer meets an error, so it is given a file that never fails, and that tells us;
- its plain reader panics at a damaged footer, so the asynchronous one is used, which raises. That reads the
  whole file at once. A large one is read piece by piece, once a process of its own has looked at the footer.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

import numpy as np
from arro3.compute import filter as only
from arro3.compute import is_not_null
from arro3.core import (
    Array,
    DataType,
    Field,
    RecordBatch,
    RecordBatchReader,
    Schema,
    Table,
    dictionary_dictionary,
    dictionary_indices,
)
from arro3.io import read_parquet, read_parquet_async, write_parquet
from arro3.io.store import LocalStore

from seatrial.model.gathering import give_back
from seatrial.model.requestlog import ROW, TENANT, TIMES, Bools, Coded, Column, Floats, Holds, RequestLog
from seatrial.model.rowkeys import Keys

_NUMBER, _TEXT = DataType.float64(), DataType.utf8()
_CODED = DataType.dictionary(DataType.int32(), _TEXT)
METADATA = "seatrial"  # where, in the schema's metadata, the description of the run stands (JSON)
_COMPRESSION = "zstd(1)"
_PIECE = 1 << 16  # rows that are made or read at once
_ROW_GROUP = 1 << 20  # rows that are compressed together
_LARGE = 32 << 20  # bytes of a file that is not read as a whole
_TRY = "import sys; from arro3.io import read_parquet; read_parquet(sys.argv[1])"
_OPEN_FILES = "/dev/fd"  # a file by its number: paths would have to be escaped

_TYPES = {
    Holds.SECONDS: _NUMBER,
    Holds.TRUTH: DataType.bool(),
    Holds.STATUS: DataType.int16(),
    Holds.CODED: _CODED,
    Holds.TEXT: _TEXT,
}
SCHEMA = Schema([Field(each.name, _TYPES[each.holds], nullable=each.nullable) for each in ROW])

_WITH_TENANT = SCHEMA.append(Field(TENANT.name, _TYPES[TENANT.holds], nullable=TENANT.nullable))


def table_of(log: RequestLog, metadata: Mapping[str, str] | None = None) -> RecordBatchReader:
    """The log as a table of SCHEMA, which may carry texts of its own; made piece by piece as it is read."""
    told = ROW if log.tenant is None else (*ROW, TENANT)
    schema = SCHEMA if log.tenant is None else _WITH_TENANT
    if metadata:
        schema = schema.with_metadata(dict(metadata))

    def pieces() -> Iterator[RecordBatch]:
        for start in range(0, len(log), _PIECE):
            piece = log[start : start + _PIECE]
            yield RecordBatch.from_arrays([_array_of(piece, column) for column in told], schema=schema)

    return RecordBatchReader.from_batches(schema, pieces())


def log_in(file: BinaryIO) -> RequestLog:
    """The log that `table_of` made a table of, with its keys. Raises ValueError when there is none."""
    with _unreadable():
        pieces = read(file).rechunk(max_chunksize=_PIECE)  # it reads a thousand rows at a time
        return RequestLog.joined([_rows_in(piece) for piece in pieces.to_batches()])


def _rows_in(piece: RecordBatch) -> RequestLog:
    columns: dict[str, Any] = {name: numbers([piece.column(name)]) for name in TIMES}
    for each in (*ROW, TENANT):
        if each.holds is Holds.CODED and each.name in piece.schema.names:
            columns[each.name] = _coded(piece.column(each.name))
    status = np.asarray(piece.column("status").to_numpy(), dtype=np.int16)
    keys = piece.column("key")
    has = is_not_null(keys).to_numpy()
    if has.any():
        texts = [text.encode() for text in only(keys, is_not_null(keys)).to_pylist()]
        lengths = np.zeros(len(keys), dtype=np.int64)
        lengths[has] = [len(text) + 1 for text in texts]
        columns["keys"] = Keys.packed(lengths, b"".join(texts))
    return RequestLog(ok=truths([piece.column("ok")]), status=status, **columns)


def texts_table(parts: Iterator[Mapping[str, Sequence[str | None]]]) -> RecordBatchReader:
    """Columns of texts, None where there is none; `parts`: some rows of all columns, one after the other."""
    first = next(parts, {})
    schema = Schema([Field(name, _TEXT, nullable=True) for name in first])

    def pieces() -> Iterator[RecordBatch]:
        for part in chain([first], parts):
            yield RecordBatch.from_arrays(
                [Array(list(part[name]), type=_TEXT) for name in first], schema=schema
            )

    return RecordBatchReader.from_batches(schema, pieces())


def write(table: Table | RecordBatchReader, file: BinaryIO) -> None:
    """As Parquet. Raises OSError when the file does not take it."""
    patient = _Patient(file)
    write_parquet(table, patient, compression=_COMPRESSION, max_row_group_size=_ROW_GROUP)  # type: ignore[arg-type]
    give_back()
    if patient.trouble is not None:
        raise patient.trouble


def read(file: BinaryIO) -> Table:
    """A Parquet file, by its descriptor. Raises ValueError with the reason when it is none."""

    async def reading() -> Table:
        return await read_parquet_async(str(file.fileno()), store=LocalStore(_OPEN_FILES))

    with _unreadable():
        return asyncio.run(reading())


def pieces_of(file: BinaryIO) -> tuple[Schema, Iterator[RecordBatch]]:
    """What `read` would give, not all of it at once. Raises ValueError as that does, then or on the way."""
    place = f"{_OPEN_FILES}/{file.fileno()}"
    if os.fstat(file.fileno()).st_size < _LARGE or not _has_footer(place, file.fileno()):
        table = read(file)
        return table.schema, iter(table.rechunk(max_chunksize=_PIECE).to_batches())
    with _unreadable():
        reader = read_parquet(place, batch_size=_PIECE)
    return reader.schema, _told(reader)


def _has_footer(place: str, descriptor: int) -> bool:
    """Whether the plain reader gets over it, tried where a panic hurts nobody."""
    trying = [sys.executable, "-c", _TRY, place]
    tried = subprocess.run(
        trying, pass_fds=(descriptor,), stderr=subprocess.DEVNULL, start_new_session=True, check=False
    )
    return tried.returncode == 0


def _told(reader: RecordBatchReader) -> Iterator[RecordBatch]:
    with _unreadable():
        yield from reader


@contextlib.contextmanager
def _unreadable() -> Iterator[None]:
    """Whatever it cannot read is a ValueError: it has no class of its own for that."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ValueError(" ".join(str(error).split())) from error


class _Patient:
    """A file that takes everything, and keeps to itself what has gone wrong."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.trouble: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write it, unless something has gone wrong before."""
        if self.trouble is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.trouble = error
        return len(data)

    def flush(self) -> None:
        """Done when the file is closed."""

    def seek(self, *_: int) -> int:
        """Asked for, never used: Parquet is written from its beginning to its end."""
        raise AssertionError


def numbers(arrays: Iterable[Array]) -> Floats:
    """One column of numbers; NaN for null, and for a text that is no number."""
    return np.concatenate([np.empty(0), *map(_numbers, arrays)])


def truths(arrays: Iterable[Array]) -> Bools:
    """One column of truth values, without nulls."""
    return np.concatenate([np.empty(0, np.bool_), *(np.asarray(array.to_numpy()) for array in arrays)])


def coded(arrays: Iterable[Array]) -> Coded:
    """One column of texts; "" for null."""
    return Coded.concat([_coded(array) for array in arrays])


def is_text(kind: DataType) -> bool:
    """Whether a column of this type holds texts, plain or coded."""
    plain = kind.value_type if DataType.is_dictionary(kind) else kind
    return plain is not None and any(
        looks(plain) for looks in (DataType.is_string, DataType.is_large_string, DataType.is_string_view)
    )


def _numbers(array: Array) -> Floats:
    values = array.cast(_NUMBER)
    if not values.null_count:
        return np.asarray(values.to_numpy(), dtype=np.float64)
    found = np.full(len(values), np.nan)
    present = is_not_null(values)
    found[present.to_numpy()] = only(values, present).to_numpy()
    return found


def _coded(array: Array) -> Coded:
    column = array.cast(_CODED)
    indices = dictionary_indices(column)
    values = [text or "" for text in dictionary_dictionary(column).to_pylist()]
    if not indices.null_count:
        return Coded(np.asarray(indices.to_numpy(), dtype=np.int32), tuple(values))
    codes = np.full(len(indices), len(values), dtype=np.int32)
    present = is_not_null(indices)
    codes[present.to_numpy()] = only(indices, present).to_numpy()
    return Coded(codes, (*values, ""))


def _nullable(times: Floats) -> Array:
    """Null where there is no such instant."""
    if not np.isnan(times).any():
        return Array.from_numpy(np.ascontiguousarray(times))
    return Array([None if math.isnan(at) else at for at in times.tolist()], type=_NUMBER)


def _array_of(log: RequestLog, column: Column) -> Array:
    if column.holds is Holds.TEXT:
        return Array([None] * len(log) if log.keys is None else log.keys.tolist(), type=_TEXT)
    values = getattr(log, column.name)
    if column.holds is Holds.CODED:
        texts = Array(list(values.values), type=_TEXT)
        return texts.take(Array.from_numpy(np.ascontiguousarray(values.codes))).cast(_CODED)
    return _nullable(values) if column.nullable else Array.from_numpy(np.ascontiguousarray(values))
