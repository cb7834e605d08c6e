"""vegeta: what `vegeta encode --to csv` or `--to json` prints.

vegeta paces its requests, but its timestamp is taken when a worker picks the request up, not when it was due;
with too few workers the difference is time that it hides.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.delimited import Columns, Kind, floats, line_of_row, read_csv, texts
from seatrial.measure.importers.importer import (
    CLOSED_LOOP,
    Imported,
    Importer,
    Source,
    epoch_s,
    without_schedule,
)
from seatrial.model.requestlog import Coded, Floats

_COLUMNS = ("timestamp", "code", "latency", "bytes_out", "bytes_in", "error", "body", "attack", "seq",
            "method", "url", "headers")  # fmt: skip
_NUMBERS, _TEXTS = ("timestamp", "code", "latency"), ("error", "method", "url")
_OLDEST = 9  # columns of vegeta before 12.8: no method, URL and headers
_JSON_KEYS = (b'"attack":', b'"seq":', b'"latency":')
_GOB_NAMES = (b"Attack", b"Timestamp", b"Latency", b"BytesOut")  # the type that its binary form begins with
_ENCODE = "is vegeta's binary form; turn it into text: vegeta encode --to csv FILE > hits.csv"
_REPORT = (
    "is a report of vegeta, not its single hits; give what `vegeta encode --to csv` prints of the results"
)


class VegetaImporter(Importer):
    """Timestamps and latencies are nanoseconds."""

    name = "vegeta"

    def recognises(self, source: Source) -> bool:
        """A JSON object with vegeta's keys, or CSV without a header that begins with four integers.

        Or its binary form or a report, which `read` refuses with advice.
        """
        if _is_binary(source) or _is_report(source):
            return True
        first = source.first_line
        if first.startswith("{"):
            return all(key in source.head for key in _JSON_KEYS)
        cells = first.split(",")
        return len(cells) >= _OLDEST and all(cell.strip().isdigit() for cell in cells[:5])

    def read(self, source: Source) -> Imported:
        """Good is what vegeta calls a success: status 200 to 399 and no error."""
        if _is_binary(source) or _is_report(source):
            raise source.problem(_ENCODE if _is_binary(source) else _REPORT, 1)
        as_json = source.first_line.startswith("{")
        table = self._json(source) if as_json else self._csv(source)
        sent, code = floats(table, "timestamp") / 1e9, floats(table, "code")
        error = texts(table, "error")
        log = without_schedule(
            source,
            sent=sent,
            ended=sent + floats(table, "latency") / 1e9,
            ok=(code >= 200) & (code < 400) & error.equals(""),
            status=code,
            name=self._names(table),
            error=error,
            line_of=None if as_json else partial(line_of_row, source, delimiter=",", names=_COLUMNS),
        )
        zero = float(np.min(sent, initial=np.inf))
        return Imported(log, self.name, ENDED_ALONE, (CLOSED_LOOP,), zero_unix_s=zero)

    def _csv(self, source: Source) -> Columns:
        count = len(source.first_line.split(","))
        kinds: dict[str, Kind] = dict.fromkeys(_NUMBERS, "number")
        kinds |= dict.fromkeys(_TEXTS, "text")
        return read_csv(
            source,
            kinds,
            required=(*_NUMBERS, "error"),
            filled=("timestamp", "latency"),
            names=_COLUMNS[:count],
            delimiter=",",
        )

    def _json(self, source: Source) -> Columns:
        rows = []
        for number, hit in source.records():
            try:
                at = epoch_s(str(hit["timestamp"])) * 1e9
                rows.append((at, float(hit["code"]), float(hit["latency"]), str(hit.get("error") or ""),
                             str(hit.get("method", "")), str(hit.get("url", ""))))  # fmt: skip
            except (KeyError, TypeError, ValueError) as error:
                raise source.problem(f"is not a result of vegeta: {error!r}", number) from error
        columns = list(zip(*rows, strict=True)) or [()] * len((*_NUMBERS, *_TEXTS))
        numbers = (np.array(column, dtype=np.float64) for column in columns[: len(_NUMBERS)])
        values: dict[str, Floats | Coded] = dict(zip(_NUMBERS, numbers, strict=True))
        values |= dict(zip(_TEXTS, map(Coded.of, columns[len(_NUMBERS) :]), strict=True))
        return Columns(len(rows), values)

    def _names(self, table: Columns) -> Coded:
        """`GET http://…`, as the target file had it."""
        if "url" not in table:
            return texts(table, "url")
        method, url = texts(table, "method"), texts(table, "url")
        count = max(len(url.values), 1)
        pairs, codes = np.unique(method.codes.astype(np.int64) * count + url.codes, return_inverse=True)
        values = tuple(f"{method.values[pair // count]} {url.values[pair % count]}".strip() for pair in pairs)
        return Coded(codes.astype(np.int32), values)


def _is_binary(source: Source) -> bool:
    return all(name in source.head[:400] for name in _GOB_NAMES) and not source.first_line.startswith("{")


def _is_report(source: Source) -> bool:
    return (
        source.first_line.startswith("{")
        and b'"latencies":' in source.head
        and b'"throughput":' in source.head
    )
