"""k6: `--out json=FILE` and `--out csv=FILE`.

k6 stamps each sample with the *end* of the request. Its duration runs from the first byte sent to the last
one received; the time before, in which it got a connection, is `http_req_blocked` (both in milliseconds).
So sent = end - duration - blocked. A request that never got a connection has neither: its failure is placed
at its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seatrial.measure.importers.delimited import TEXT, floats, read_csv, status_codes, texts
from seatrial.measure.importers.importer import (
    CLOSED_LOOP,
    Imported,
    Source,
    epoch_s,
    without_schedule,
)
from seatrial.model.requestlog import Floats

_DURATION, _BLOCKED = "http_req_duration", "http_req_blocked"
_TAGS = ("name", "method", "status", "error", "error_code", "expected_response")
_WHOLE_SECONDS = (
    "the timestamps of this log are whole seconds, so its bounds are no better than that; "
    "run k6 with K6_CSV_TIME_FORMAT=unix_micro"
)
_UNIT_PER_S = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))  # told apart by how large they are today


@dataclass(frozen=True, slots=True)
class _Samples:
    """One row a request: ends in seconds since 1970, times in milliseconds, and k6's tags."""

    ended: Floats
    duration_ms: Floats
    blocked_ms: Floats
    tags: pa.Table


class K6Importer:
    """Every http_req_duration sample is one request."""

    name = "k6"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV, or JSON lines with its metrics."""
        if source.first_line.startswith("{"):
            return b'"metric":' in source.head and b'"type":' in source.head
        return source.header()[:3] == ("metric_name", "timestamp", "metric_value")

    def read(self, source: Source) -> Imported:
        """Good is what k6 expected: `expected_response`, by default a status of 200 to 399."""
        samples = _from_json(source) if source.first_line.startswith("{") else _from_csv(source)
        if not len(samples.ended):
            raise source.problem(f"holds no {_DURATION} sample, so no request")
        expected = texts(samples.tags, "expected_response")
        status = status_codes(texts(samples.tags, "status"))
        ok = np.where(expected.equals(""), (status >= 200) & (status < 400), expected.equals("true"))
        error = texts(samples.tags, "error")
        log = without_schedule(
            source,
            sent=samples.ended - (samples.duration_ms + samples.blocked_ms) / 1000,
            ended=samples.ended,
            ok=ok & error.equals(""),
            status=status,
            name=texts(samples.tags, "name"),
            error=error,
        )
        coarse = bool(np.all(samples.ended == np.floor(samples.ended)))
        unconnected = int(np.count_nonzero((samples.duration_ms + samples.blocked_ms) == 0))
        warnings = [CLOSED_LOOP]
        warnings += [_WHOLE_SECONDS] if coarse else []
        if unconnected:
            warnings.append(f"{unconnected} requests never got a connection; k6 does not say when they began")
        return Imported(log, self.name, tuple(warnings))


def _from_json(source: Source) -> _Samples:
    ended: list[float] = []
    duration: list[float] = []
    blocked: list[float] = []
    tags: dict[str, list[str]] = {tag: [] for tag in _TAGS}
    for number, line in source.records((_DURATION.encode(), _BLOCKED.encode())):
        if line.get("type") != "Point":
            continue
        try:
            data = line["data"]
            at, value = epoch_s(str(data["time"])), float(data["value"])
            if line["metric"] == _DURATION:
                ended.append(at)
                duration.append(value)
                blocked.append(0.0)
                for tag in _TAGS:
                    tags[tag].append(str((data.get("tags") or {}).get(tag, "")))
            elif line["metric"] == _BLOCKED and ended and ended[-1] == at:
                blocked[-1] = value
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise source.problem(f"is not a sample of k6: {error!r}", number) from error
    return _Samples(np.array(ended), np.array(duration), np.array(blocked), pa.table(tags))


def _from_csv(source: Source) -> _Samples:
    kinds = {"metric_name": TEXT, "timestamp": pa.float64(), "metric_value": pa.float64()}
    kinds |= dict.fromkeys(_TAGS, TEXT)
    required = ("metric_name", "timestamp", "metric_value")
    table = read_csv(source, kinds, required=required, filled=required)
    metric = texts(table, "metric_name")
    requests = table.take(pa.array(np.flatnonzero(metric.equals(_DURATION))))
    waits = table.take(pa.array(np.flatnonzero(metric.equals(_BLOCKED))))
    ended = floats(requests, "timestamp")
    paired = len(waits) == len(requests) and bool(np.array_equal(floats(waits, "timestamp"), ended))
    largest = float(np.max(ended, initial=0.0))
    unit = next(per_s for least, per_s in _UNIT_PER_S if largest >= least)
    blocked = floats(waits, "metric_value") if paired else np.zeros(len(ended))
    return _Samples(ended / unit, floats(requests, "metric_value"), blocked, requests.select(
        [tag for tag in _TAGS if tag in requests.column_names]))  # fmt: skip


IMPORTER = K6Importer()
