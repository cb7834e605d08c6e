"""k6: `--out json=FILE` and `--out csv=FILE`.

k6 stamps each sample with the *end* of the request. Its duration runs from the first byte sent to the last
one received; the time before, in which it got a connection, is `http_req_blocked` (both in milliseconds).
So sent = end - duration - blocked. A request that never got a connection has neither: its failure is placed
at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.delimited import (
    Columns,
    Kind,
    floats,
    line_of_row,
    read_csv,
    status_codes,
    texts,
)
from seatrial.measure.importers.importer import (
    CLOSED_LOOP,
    Imported,
    Importer,
    LineOf,
    Source,
    epoch_s,
    without_schedule,
)
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import Coded, Floats

_DURATION, _BLOCKED, _DROPPED = "http_req_duration", "http_req_blocked", "dropped_iterations"
_TAGS = ("name", "method", "status", "error", "error_code", "expected_response")
_WHOLE_SECONDS = (
    "the timestamps of this log are whole seconds, and every bound is as much wider; "
    "run k6 with K6_CSV_TIME_FORMAT=unix_micro"
)
_SUMMARY = (
    "is k6's summary of a run, not its single requests, so no outage can be read from it; "
    "run k6 with --out json=FILE or --out csv=FILE"
)
_NOT_PAIRED = (
    "the waits for a connection (http_req_blocked) cannot be matched with the requests; every request counts "
    "as sent when it had its connection"
)
_UNIT_PER_S = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))  # told apart by how large they are today


@dataclass(frozen=True, slots=True)
class _Samples:
    """One row a request: ends in seconds since 1970, times in milliseconds, and k6's tags."""

    ended: Floats
    duration_ms: Floats
    blocked_ms: Floats
    tags: Columns
    lines: LineOf
    paired: bool = True  # each request with its wait for a connection
    dropped: int = 0  # iterations that k6 says it could not start in time


class K6Importer(Importer):
    """Every http_req_duration sample is one request."""

    name = "k6"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV, or JSON lines with its metrics."""
        if source.first_line.startswith("{"):
            return _is_summary(source) or (b'"metric":' in source.head and b'"type":' in source.head)
        return source.header()[:3] == ("metric_name", "timestamp", "metric_value")

    def read(self, source: Source) -> Imported:
        """Good is what k6 expected: `expected_response`, by default a status of 200 to 399.

        A redirect is a request of its own, as it was sent. Groups and checks are sums of requests, or
        remarks on them, and have metrics of other names.
        """
        if _is_summary(source):
            raise source.problem(_SUMMARY, 1)
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
            line_of=samples.lines,
        )
        doubt = f"k6 dropped {samples.dropped:,} iterations that were due" if samples.dropped else ""
        exact = Exactness(sent_late_s=1.0, ended_late_s=1.0) if _whole_seconds(samples) else EXACT
        zero = float(np.min(samples.ended - (samples.duration_ms + samples.blocked_ms) / 1000))
        return Imported(
            log, self.name, ENDED_ALONE, tuple(_warnings(samples)), doubt, exact=exact, zero_unix_s=zero
        )


def _warnings(samples: _Samples) -> Iterator[str]:
    yield CLOSED_LOOP
    if _whole_seconds(samples):
        yield _WHOLE_SECONDS
    if not samples.paired:
        yield _NOT_PAIRED
    unconnected = int(np.count_nonzero((samples.duration_ms + samples.blocked_ms) == 0))
    if unconnected:
        yield f"{unconnected} requests never got a connection; k6 does not say when they began"


def _whole_seconds(samples: _Samples) -> bool:
    return bool(np.all(samples.ended == np.floor(samples.ended)))


def _is_summary(source: Source) -> bool:
    """What --summary-export and handleSummary() write: one object for the whole run."""
    return b'"metrics"' in source.head and b'"root_group"' in source.head


def _from_json(source: Source) -> _Samples:
    ended: list[float] = []
    duration: list[float] = []
    blocked: list[float] = []
    tags: dict[str, list[str]] = {tag: [] for tag in _TAGS}
    lines: list[int] = []
    dropped = 0.0
    for number, line in source.records((_DURATION.encode(), _BLOCKED.encode(), _DROPPED.encode())):
        if line.get("type") != "Point":
            continue
        try:
            data = line["data"]
            at, value = epoch_s(str(data["time"])), float(data["value"])
            if line["metric"] == _DURATION:
                ended.append(at)
                lines.append(number)
                duration.append(value)
                blocked.append(0.0)
                for tag in _TAGS:
                    tags[tag].append(str((data.get("tags") or {}).get(tag, "")))
            elif line["metric"] == _BLOCKED and ended and ended[-1] == at:
                blocked[-1] = value
            elif line["metric"] == _DROPPED:
                dropped += value
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise source.problem(f"is not a sample of k6: {error!r}", number) from error
    return _Samples(
        np.array(ended, dtype=np.float64),
        np.array(duration, dtype=np.float64),
        np.array(blocked, dtype=np.float64),
        Columns(len(ended), {tag: Coded.of(values) for tag, values in tags.items()}),
        lines.__getitem__,
        dropped=_whole(dropped),
    )


def _whole(count: float) -> int:
    return round(count) if np.isfinite(count) else 0


def _from_csv(source: Source) -> _Samples:
    kinds: dict[str, Kind] = {"metric_name": "text", "timestamp": "number", "metric_value": "number"}
    kinds |= dict.fromkeys(_TAGS, "text")
    required = ("metric_name", "timestamp", "metric_value")
    table = read_csv(source, kinds, required=required, filled=required)
    metric = texts(table, "metric_name")
    rows = np.flatnonzero(metric.equals(_DURATION))
    requests = table[rows]
    waits = table[np.flatnonzero(metric.equals(_BLOCKED))]
    ended = floats(requests, "timestamp")
    paired = len(waits) == len(requests) and bool(np.array_equal(floats(waits, "timestamp"), ended))
    largest = float(np.max(ended, initial=0.0))
    unit = next(per_s for least, per_s in _UNIT_PER_S if largest >= least)
    blocked = floats(waits, "metric_value") if paired else np.zeros(len(ended))
    values = floats(table, "metric_value")
    return _Samples(
        ended / unit,
        values[rows],
        blocked,
        requests,
        lambda row: line_of_row(source, int(rows[row])),
        paired or not len(waits),
        _whole(float(np.sum(values[metric.equals(_DROPPED)]))),
    )
