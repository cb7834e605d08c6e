"""Our own request log: Parquet, or the same columns as CSV; either may be compressed with zstd or gzip.

`key` is not read: measuring does not need it, and it weighs more than all other columns together.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from arro3.core import DataType, RecordBatch, Schema
from arro3.io import write_csv as write_cells

from seatrial import columnar
from seatrial.measure.generator import EVERYTHING
from seatrial.measure.importers.compressed import created
from seatrial.measure.importers.delimited import Columns, Kind, floats, line_of_row, read_csv, texts, truths
from seatrial.measure.importers.importer import Imported, Importer, Source, check_times
from seatrial.model.exactness import EXACT
from seatrial.model.gathering import Gathering
from seatrial.model.problems import nearest
from seatrial.model.requestlog import COLUMNS, TENANT, TEXTS, TIMES, Bools, Coded, Floats, RequestLog

_PARQUET = b"PAR1"
_REQUIRED = (*TIMES, "ok")
_MEASURED = tuple(name for name in COLUMNS if name != "key")
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
        given, log, clocks = _from_parquet(source) if parquet else (*_from_csv(source), ())
        check_times(log, source, None if parquet else partial(line_of_row, source))
        absent = [name for name in _OPTIONAL if name not in given]
        warnings = (f"the log has no column {', '.join(absent)}; it counts as empty",) if absent else ()
        unknown = [each["worker"] for each in clocks if each["doubt_s"] is None]
        doubt = f"the clock of worker {', '.join(unknown)} is not known" if unknown else ""
        exact = EXACT.off_by(max((each["doubt_s"] or 0.0 for each in clocks), default=0.0))
        return Imported(log, self.name, EVERYTHING, warnings, doubt, exact)


def _from_csv(source: Source) -> tuple[tuple[str, ...], RequestLog]:
    """The columns that it has, and its rows."""
    kinds: dict[str, Kind] = dict.fromkeys((*TIMES, "status"), "number")
    kinds |= dict.fromkeys(("ok", *TEXTS, TENANT.name), "text")
    table = read_csv(source, kinds, required=_REQUIRED, filled=("intended", "ok"))
    status = floats(table, "status") if "status" in table else np.zeros(len(table))
    log = _log(table, truths(table, "ok", source), _whole_numbers(status, source))
    return tuple(table.values), log


def _from_parquet(source: Source) -> tuple[tuple[str, ...], RequestLog, tuple[dict[str, Any], ...]]:
    """The columns that it has, its rows, and what it says of the clocks of workers that had their own."""
    with source.open() as stream, tempfile.TemporaryFile() as plain:
        if source.compression:
            shutil.copyfileobj(stream, plain)
            plain.flush()
        with _readable(source):
            schema, pieces = columnar.pieces_of(plain if source.compression else stream)
        names = _columns_of(schema, source)
        whole = Gathering(keys=False)
        with _readable(source):
            for piece in pieces:
                whole.add(_rows_of(piece, names, source))
    return names, whole.whole(), _clocks(schema.metadata, source)


def _columns_of(schema: Schema, source: Source) -> tuple[str, ...]:
    """The names of the columns. Raises BadInput for one that is missing, or holds something else."""
    names = tuple(schema.names)
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise source.problem(f"has no column '{missing[0]}'{nearest(missing[0], names)}")
    wanted: dict[str, tuple[Callable[[DataType], bool], str]] = dict.fromkeys(
        TIMES, (DataType.is_numeric, "a number")
    )
    wanted |= dict.fromkeys((*TEXTS, TENANT.name), (columnar.is_text, "text"))
    wanted |= {"ok": (DataType.is_boolean, "bool"), "status": (DataType.is_integer, "a whole number")}
    for name, (fits, kind) in wanted.items():
        if name in names and not fits(found := schema.field(name).type):
            raise source.problem(f"column '{name}' is not {kind}: {_named(found)}")
    return names


def _rows_of(piece: RecordBatch, names: tuple[str, ...], source: Source) -> RequestLog:
    """The rows of one piece."""
    values: dict[str, Floats | Coded] = {name: columnar.numbers([piece.column(name)]) for name in TIMES}
    for name in (*TEXTS, TENANT.name):
        if name in names:
            values[name] = columnar.coded([piece.column(name)])
    ok = piece.column("ok")
    if ok.null_count:
        raise source.problem("column 'ok' is empty in some row")
    status = np.zeros(piece.num_rows)
    if "status" in names:
        status = columnar.numbers([piece.column("status")])
    return _log(Columns(piece.num_rows, values), columnar.truths([ok]), _whole_numbers(status, source))


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise source.problem(f"is not a readable Parquet file: {error}") from error


def _clocks(metadata: Mapping[Any, Any], source: Source) -> tuple[dict[str, Any], ...]:
    written = metadata.get(columnar.METADATA) or metadata.get(columnar.METADATA.encode()) or "{}"
    try:
        workers = json.loads(written).get("workers", ())
        told = tuple(each["clock"] for each in workers if "clock" in each)
        return tuple({"worker": str(each["worker"]), "doubt_s": each["doubt_s"]} for each in told)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise source.problem("its description of the run is not what seatrial writes") from error


def _named(kind: DataType) -> str:
    return str(kind).removeprefix("arro3.core.DataType<").strip().removesuffix(">")


def _whole_numbers(status: Floats, source: Source) -> npt.NDArray[np.int16]:
    """Statuses, 0 where there is none. Raises BadInput for what cannot be one."""
    known = np.nan_to_num(status, nan=0.0)
    if np.any((known != np.floor(known)) | (np.abs(known) > np.iinfo(np.int16).max)):
        raise source.problem("column 'status' holds what is no HTTP status")
    return known.astype(np.int16)


def _log(table: Columns, ok: Bools, status: npt.NDArray[np.int16]) -> RequestLog:
    columns: dict[str, Any] = {name: floats(table, name) for name in TIMES}
    columns |= {name: texts(table, name) for name in TEXTS}
    if TENANT.name in table:
        columns[TENANT.name] = texts(table, TENANT.name)
    return RequestLog(ok=ok, status=status, **columns)


def write_csv(log: RequestLog, path: Path) -> None:
    """Export `log` as CSV with the columns of `COLUMNS`; compressed when `path` ends in .zst or .gz."""
    unfinished = path.with_name(path.name + ".part")
    with created(unfinished, path) as stream:
        write_cells(columnar.table_of(log), stream)
    unfinished.replace(path)
