"""A JTL as a table: with or without a header, columns set apart by comma, semicolon, bar or tab.

What can differ is set by `jmeter.save.saveservice.*`: `print_field_names`, `default_delimiter` and
`timestamp_format` are those that people change.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.dates import DATES, dates_s, looks_like_a_date
from seatrial.measure.importers.delimited import (
    Columns,
    Kind,
    floats,
    line_of_row,
    read_csv,
    status_codes,
    texts,
    truths,
)
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Source, without_schedule
from seatrial.measure.importers.jtl_samples import CUT, MILLISECONDS, inside_transaction, left_out
from seatrial.model.requestlog import Bools, Coded, Floats

_TEXTS = ("label", "responseCode", "responseMessage", "failureMessage", "threadName", "dataType", "URL")
_REQUIRED = ("timeStamp", "elapsed", "success")
# The order in which JMeter writes its columns: since 5.0; before it there was no URL.
_SINCE_5 = ("timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType",
            "success", "failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency",
            "IdleTime", "Connect")  # fmt: skip
_SINCE_3 = tuple(name for name in _SINCE_5 if name != "URL")
_SUCCESS = _SINCE_5.index("success")
_NO_HEADER = (
    "the file has no header line; its columns were taken to be in the order in which JMeter writes them"
)


@dataclass(frozen=True, slots=True)
class _Transactions:
    """Which rows are a transaction controller's, and of how many requests they speak."""

    rows: Bools
    inside: int
    certain: bool  # by their own message, not only by what they lack


def is_headerless(source: Source) -> bool:
    """Whether the first row reads like a sample: time, milliseconds, and success where it belongs."""
    return bool(_names(source))


def _names(source: Source) -> tuple[str, ...]:
    """The columns of a file without header, by how many its first row has; () when it is none."""
    cells = _first_cells(source, 1)
    if len(cells) <= _SUCCESS or cells[_SUCCESS].lower() not in ("true", "false") or not cells[1].isdigit():
        return ()
    if not (_is_epoch(cells[0]) or looks_like_a_date(cells[0])):
        return ()
    known = next(
        (names for names in (_SINCE_5, _SINCE_3) if len(names) == len(cells)), _SINCE_5[: _SUCCESS + 1]
    )
    return (*known, *(f"column {number}" for number in range(len(known) + 1, len(cells) + 1)))


def _first_cells(source: Source, record: int) -> list[str]:
    """The cells of record `record` (from 1), as far as the file's beginning holds it."""
    text = source.head.decode("utf-8-sig", errors="replace")
    try:
        rows = csv.reader(text.splitlines(keepends=True), delimiter=source.delimiter)
        filled = (cells for cells in rows if cells)
        return next((cells for number, cells in enumerate(filled, start=1) if number == record), [])
    except csv.Error:
        return []


def _is_epoch(text: str) -> bool:
    """Milliseconds since 1970: 12 digits from 1973 on, 14 from the year 5138."""
    return text.isascii() and text.isdigit() and 12 <= len(text) <= 14


def read_table(source: Source, format: str) -> Imported:  # noqa: A002  # what the record calls it
    """Read it. Raises BadInput with the line that is wrong."""
    names = _names(source)
    header = names or source.header()
    cells = _first_cells(source, 1 if names else 2)
    position = header.index("timeStamp") if "timeStamp" in header else len(cells)
    dated = position < len(cells) and looks_like_a_date(cells[position])
    kinds: dict[str, Kind] = {
        "timeStamp": "text" if dated else "number",
        "elapsed": "number",
        "success": "text",
    }
    kinds |= dict.fromkeys(_wanted_texts(header), "text")
    table = read_csv(source, kinds, required=_REQUIRED, filled=_REQUIRED, names=names)
    succeeded = truths(table, "success", source, names)
    found = _transactions(table)
    kept = np.flatnonzero(~found.rows)
    if len(table) and not len(kept):
        raise source.problem(_NOTHING_ELSE.format(len(table)))

    def line_of(row: int) -> int | None:
        return line_of_row(source, int(kept[row]), names=names)

    requests = table[kept] if len(kept) < len(table) else table
    sent = dates_s(texts(requests, "timeStamp"), source, line_of) if dated else _epochs_s(requests)
    ok = succeeded[kept]
    log = without_schedule(
        source,
        sent=sent,
        ended=sent + floats(requests, "elapsed") / 1000,
        ok=ok,
        status=status_codes(texts(requests, "responseCode")),
        name=texts(requests, "label"),
        error=_error(requests, ok),
        worker=texts(requests, "threadName"),
        line_of=line_of,
    )
    warnings = (CLOSED_LOOP, MILLISECONDS, *_form(names, dated), *_said(found, len(log)))
    zero = None if dated else float(np.min(sent, initial=np.inf))
    return Imported(log, format, ENDED_ALONE, warnings, exact=CUT, zero_unix_s=zero)


_NOTHING_ELSE = (
    "holds {:,} samples of transaction controllers and no request: with 'Generate parent sample' a CSV does "
    "not hold what is inside. Untick it, or run JMeter with -Jjmeter.save.saveservice.output_format=xml"
)


def _wanted_texts(header: Sequence[str]) -> tuple[str, ...]:
    """Kind and URL of a sample are needed only where no message tells what it is; URLs weigh much."""
    told = "responseMessage" in header
    return tuple(name for name in _TEXTS if not (told and name in ("dataType", "URL")))


def _epochs_s(table: Columns) -> Floats:
    return floats(table, "timeStamp") / 1000


def _form(names: Sequence[str], dated: bool) -> tuple[str, ...]:
    return (*((_NO_HEADER,) if names else ()), *((DATES,) if dated else ()))


def _said(found: _Transactions, requests: int) -> tuple[str, ...]:
    count = int(np.count_nonzero(found.rows))
    if found.certain or not count:
        return left_out(count, found.inside, requests)
    likely = f"{count:,} samples have no data type and no URL, as transaction controllers', and were left out"
    return (f"{likely}; run JMeter with -Jjmeter.save.saveservice.response_message=true to be sure",)


def _transactions(table: Columns) -> _Transactions:
    """By the message that a transaction controller writes; without messages, by having no type and no URL."""
    if "responseMessage" in table:
        message = texts(table, "responseMessage")
        inside = [inside_transaction(value) for value in message.values]
        is_sum = np.array([each is not None for each in inside] or [False])
        counts = np.array([each or 0 for each in inside] or [0])
        return _Transactions(is_sum[message.codes], int(counts[message.codes].sum()), certain=True)
    if "dataType" in table and "URL" in table:
        url = texts(table, "URL")
        rows = texts(table, "dataType").equals("") & (url.equals("") | url.equals("null"))
        return _Transactions(rows, 0, certain=False)
    return _Transactions(np.zeros(len(table), dtype=np.bool_), 0, certain=False)


def _error(table: Columns, ok: Bools) -> Coded:
    """The assertion's message where there is one, else the response message; empty for a success."""
    failure, message = texts(table, "failureMessage"), texts(table, "responseMessage")
    codes: npt.NDArray[np.int32] = np.where(
        failure.equals(""), message.codes, failure.codes + len(message.values)
    )
    values = (*message.values, *failure.values, "")
    return Coded(np.where(ok, len(values) - 1, codes).astype(np.int32), values)
