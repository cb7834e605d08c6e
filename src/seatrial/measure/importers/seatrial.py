"""Our own request log: Parquet, or the same columns as CSV; either may be compressed with zstd or gzip.

`key` is not read: measuring does not need it, and it weighs more than all other columns together.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from seatrial.measure.generator import EVERYTHING
from seatrial.measure.importers.delimited import line_of_row, read_csv
from seatrial.measure.importers.importer import Imported, Importer, Source, check_times
from seatrial.model.problems import nearest
from seatrial.model.requestlog import SCHEMA, RequestLog

_PARQUET = b"PAR1"
_REQUIRED = ("intended", "sent", "ended", "ok")
_MEASURED = tuple(name for name in SCHEMA.names if name != "key")
_OPTIONAL = tuple(name for name in _MEASURED if name not in _REQUIRED)


class SeatrialImporter(Importer):
    """The format of design section 4, as `seatrial.model.requestlog` describes it."""

    name = "seatrial"

    def recognises(self, source: Source) -> bool:
        """Parquet, or a CSV header with the required columns."""
        return source.head.startswith(_PARQUET) or set(_REQUIRED) <= set(source.header())

    def read(self, source: Source) -> Imported:
        """Without its keys."""
        parquet = source.head.startswith(_PARQUET)
        table = self._parquet(source) if parquet else self._csv(source)
        given = table.column_names
        log = RequestLog.from_arrow(_completed(table))
        del table
        pa.default_memory_pool().release_unused()  # five million rows were twice in memory until here
        check_times(log, source, None if parquet else partial(line_of_row, source))
        absent = [name for name in _OPTIONAL if name not in given]
        warnings = (f"the log has no column {', '.join(absent)}; it counts as empty",) if absent else ()
        return Imported(log, self.name, EVERYTHING, warnings)

    def _parquet(self, source: Source) -> pa.Table:
        try:
            with source.open() as stream:
                file = pq.ParquetFile(pa.py_buffer(stream.read()) if source.compression else source.path)
            names = file.schema_arrow.names
            missing = [name for name in _REQUIRED if name not in names]
            if missing:
                raise source.problem(f"has no column '{missing[0]}'{nearest(missing[0], names)}")
            table = file.read(columns=[name for name in _MEASURED if name in names])
        except (pa.ArrowException, OSError) as error:
            raise source.problem(f"is not a readable Parquet file: {error}") from error
        for position, name in enumerate(table.column_names):
            wanted = SCHEMA.field(name).type
            if table.schema.types[position] == wanted:
                continue
            try:
                table = table.set_column(position, name, table.column(position).cast(wanted))
            except pa.ArrowException as error:
                raise source.problem(f"column '{name}' is not {wanted}: {error}") from error
        return table

    def _csv(self, source: Source) -> pa.Table:
        types = {name: SCHEMA.field(name).type for name in _MEASURED}
        return read_csv(source, types, required=_REQUIRED, filled=("intended", "ok"))


def _completed(table: pa.Table) -> pa.Table:
    """With empty values for optional columns that are absent, and for nulls in them."""
    for name in _OPTIONAL:
        is_text = pa.types.is_dictionary(SCHEMA.field(name).type)
        empty = pa.scalar("") if is_text else pa.scalar(0, SCHEMA.field(name).type)
        if name not in table.column_names:
            table = table.append_column(name, pa.repeat(empty, len(table)))
        elif table.column(name).null_count:
            filled = table.column(name).cast(empty.type).fill_null(empty)
            table = table.set_column(table.column_names.index(name), name, filled)
    return table


def write_csv(log: RequestLog, path: Path) -> None:
    """Export `log` as CSV with the columns of `SCHEMA`; compressed when `path` ends in .zst or .gz."""
    codec = {".zst": "zstd", ".gz": "gzip"}.get(path.suffix)
    unfinished = path.with_name(path.name + ".part")
    with pa.output_stream(str(unfinished), compression=codec) as stream:
        pacsv.write_csv(log.to_arrow(), stream)
    unfinished.replace(path)
