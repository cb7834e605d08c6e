"""Columns out and in: the request log as Parquet, and what else is kept or read in that form.

Arrow's arrays are known in here and where CSV is read; everything else works on NumPy's. They are arro3's,
which is Arrow for Rust in 45 MB (pyarrow would do the same in 170, which is more than half of what
`pip install seatrial` brings). What must be known of it:

- it panics where its writer meets an error, so Parquet is made in memory and the disk is tried by us;
- its plain reader panics at a damaged footer, so the asynchronous one is used, which raises.
"""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

import numpy as np
from arro3.compute import filter as only
from arro3.compute import is_not_null
from arro3.core import (
    Array,
    DataType,
    Field,
    Schema,
    Table,
    dictionary_dictionary,
    dictionary_indices,
)
from arro3.io import read_parquet_async, write_parquet
from arro3.io.store import LocalStore

from seatrial.model.requestlog import ROW, TENANT, Bools, Coded, Column, Floats, Holds, RequestLog

_NUMBER, _TEXT = DataType.float64(), DataType.utf8()
_CODED = DataType.dictionary(DataType.int32(), _TEXT)
METADATA = "seatrial"  # where, in the schema's metadata, the description of the run stands (JSON)
_COMPRESSION = "zstd(1)"
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


def table_of(log: RequestLog, metadata: Mapping[str, str] | None = None) -> Table:
    """The log as a table of SCHEMA, which may carry texts of its own."""
    told = ROW if log.tenant is None else (*ROW, TENANT)
    columns = [_array_of(log, column) for column in told]
    schema = SCHEMA if log.tenant is None else _WITH_TENANT
    if metadata:
        schema = schema.with_metadata(dict(metadata))
    return Table.from_arrays(columns, schema=schema)


def texts_table(columns: Mapping[str, Sequence[str | None]]) -> Table:
    """Columns of texts, None where there is none."""
    return Table.from_pydict({name: Array(list(texts), type=_TEXT) for name, texts in columns.items()})


def write(table: Table, file: BinaryIO) -> None:
    """As Parquet. Raises OSError when the file does not take it."""
    whole = io.BytesIO()
    write_parquet(table, whole, compression=_COMPRESSION)
    file.write(whole.getbuffer())


def read(file: BinaryIO) -> Table:
    """A Parquet file, by its descriptor. Raises ValueError with the reason when it is none."""

    async def reading() -> Table:
        return await read_parquet_async(str(file.fileno()), store=LocalStore(_OPEN_FILES))

    try:
        return asyncio.run(reading())
    except OSError:
        raise
    except Exception as error:  # it has no class of its own for what it cannot read
        raise ValueError(" ".join(str(error).split())) from error


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
    return Array([None if math.isnan(at) else at for at in times.tolist()], type=_NUMBER)


def _array_of(log: RequestLog, column: Column) -> Array:
    if column.holds is Holds.TEXT:
        return Array([None] * len(log) if log.keys is None else log.keys.tolist(), type=_TEXT)
    values = getattr(log, column.name)
    if column.holds is Holds.CODED:
        texts = Array(list(values.values), type=_TEXT)
        return texts.take(Array.from_numpy(np.ascontiguousarray(values.codes))).cast(_CODED)
    return _nullable(values) if column.nullable else Array.from_numpy(np.ascontiguousarray(values))
