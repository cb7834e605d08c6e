"""A request log, however long, as a few hundred buckets of time that a chart can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Bools, Floats, RequestLog

Counts = npt.NDArray[np.int64]

_WIDTHS = tuple(base * 10.0**power for power in range(-1, 6) for base in (1, 2, 3, 5))  # seconds
_MOST_BUCKETS = 1200
_FEWEST_BUCKETS = 120
_ARRIVALS_A_BUCKET = 40  # an even schedule then wobbles by no more than 1 in 40 from bucket to bucket
_MOST_SERVERS = 8
_MOST_NAMES = 24
_OTHERS = "others"
_NOBODY = "no answer"


@dataclass(frozen=True, slots=True)
class Overview:
    """n buckets of `width_s`, the first at `start_s`. Counts are per bucket, latencies in milliseconds.

    `good` and `bad` count by the instant a request was due, `sent` and `answered` by when that happened.
    Latency counts from the intended start and leaves out quick failures; NaN in a bucket without any.
    """

    start_s: float
    width_s: float
    good: Counts
    bad: Counts
    sent: Counts
    answered: Counts
    p50_ms: Floats
    p95_ms: Floats
    max_ms: Floats
    served_by: tuple[tuple[str, Counts], ...]

    def __len__(self) -> int:
        return len(self.good)


@dataclass(frozen=True, slots=True)
class NameRow:
    """One request name over the measured part. Latencies in milliseconds; None without any."""

    name: str
    requests: int
    bad: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    @property
    def good_share(self) -> float:
        """Share of good requests."""
        return 1 - self.bad / self.requests


def bucket_width(span_s: float, arrivals: int) -> float:
    """The finest width that holds enough arrivals a bucket, neither too many nor too few buckets."""
    enough = _ARRIVALS_A_BUCKET * span_s / max(arrivals, 1)
    wanted = max(span_s / _MOST_BUCKETS, min(enough, span_s / _FEWEST_BUCKETS))
    return next((width for width in _WIDTHS if width >= wanted * (1 - 1e-9)), span_s)


def overview(log: RequestLog, deadline_s: float) -> Overview:
    """Bucket a log that is sorted by intended instant and not empty."""
    first, last = float(log.intended[0]), float(log.intended[-1])
    width = bucket_width(last - first, len(log)) if last > first else _WIDTHS[0]
    start = np.floor(first / width + 1e-9) * width
    buckets = int((last - start) / width + 1e-9) + 1
    good = log.good(deadline_s)
    due = _bucket(log.intended, start, width)
    counted = np.bincount(due, minlength=buckets)
    counted_good = np.bincount(due[good], minlength=buckets)
    percentiles = _percentiles(log, deadline_s, due, buckets)
    return Overview(
        start_s=float(start),
        width_s=width,
        good=counted_good,
        bad=counted - counted_good,
        sent=_instants(log.sent, start, width, buckets),
        answered=_instants(log.ended[log.ok], start, width, buckets),
        p50_ms=percentiles[0],
        p95_ms=percentiles[1],
        max_ms=percentiles[2],
        served_by=_served_by(log, due, buckets),
    )


def by_name(log: RequestLog, deadline_s: float) -> tuple[NameRow, ...]:
    """The most frequent request names, most frequent first."""
    good = log.good(deadline_s)
    waited_ms, counts = _waited(log, deadline_s)
    totals = np.bincount(log.name.codes, minlength=len(log.name.values))
    frequent = [int(code) for code in np.argsort(-totals, kind="stable")[:_MOST_NAMES] if totals[code]]
    return tuple(_name_row(log, good, waited_ms, counts, code) for code in frequent)


def _name_row(log: RequestLog, good: Bools, waited_ms: Floats, counts: Bools, code: int) -> NameRow:
    rows = log.name.codes == code
    latency = np.sort(waited_ms[rows & counts])
    requests = int(np.count_nonzero(rows))
    bad = requests - int(np.count_nonzero(good & rows))
    p50, p95, p99, largest = (_ranked(latency, share) for share in (0.5, 0.95, 0.99, 1.0))
    return NameRow(log.name.values[code], requests, bad, p50, p95, p99, largest)


def _ranked(ascending: Floats, share: float) -> float | None:
    """Nearest rank: the smallest value that at least `share` of all are at or below."""
    return float(ascending[int(np.ceil(share * len(ascending))) - 1]) if len(ascending) else None


def _waited(log: RequestLog, deadline_s: float) -> tuple[Floats, Bools]:
    """How long each client waited (ms), and which of these count as latencies.

    A request never answered waited for its deadline at least; a failure that came quickly is an error, not a
    latency. Otherwise a stall, or a crash, would look fast.
    """
    waited = log.ended - log.intended
    waited[np.isnan(waited) & ~np.isnan(log.sent)] = deadline_s
    with np.errstate(invalid="ignore"):
        counts = log.ok | (waited >= deadline_s)
    return waited * 1000, counts & ~np.isnan(waited)


def _bucket(instants: Floats, start: float, width: float) -> npt.NDArray[np.intp]:
    return np.floor((instants - start) / width + 1e-9).astype(np.intp)


def _instants(instants: Floats, start: float, width: float, buckets: int) -> Counts:
    """How many of `instants` (NaN: none) fall into each bucket."""
    index = _bucket(instants[~np.isnan(instants)], start, width)
    return np.bincount(index[(index >= 0) & (index < buckets)], minlength=buckets)


def _percentiles(log: RequestLog, deadline_s: float, due: npt.NDArray[np.intp], buckets: int) -> Floats:
    """p50, p95 and max latency in each bucket: shape (3, buckets)."""
    result = np.full((3, buckets), np.nan)
    waited_ms, counts = _waited(log, deadline_s)
    latency = waited_ms[counts]
    edges = np.searchsorted(due[counts], np.arange(buckets + 1))
    for bucket in np.flatnonzero(np.diff(edges)):
        ascending = np.sort(latency[edges[bucket] : edges[bucket + 1]])
        result[:, bucket] = [_ranked(ascending, share) for share in (0.5, 0.95, 1.0)]
    return result


def _served_by(log: RequestLog, due: npt.NDArray[np.intp], buckets: int) -> tuple[tuple[str, Counts], ...]:
    """Who answered, per bucket: the busiest servers in order of appearance, then others, then nobody."""
    codes, values = log.served_by.codes, log.served_by.values
    grid = np.bincount(due * len(values) + codes, minlength=buckets * len(values)).reshape(buckets, -1)
    totals = grid.sum(axis=0)
    named = [code for code in np.argsort(-totals, kind="stable") if values[code] and totals[code]]
    kept = sorted(named[:_MOST_SERVERS], key=lambda code: int(np.flatnonzero(grid[:, code])[0]))
    bands = [(values[code], grid[:, code]) for code in kept]
    rest = named[_MOST_SERVERS:]
    nobody = [code for code, value in enumerate(values) if not value]
    for label, group in ((_OTHERS, rest), (_NOBODY, nobody)):
        counts = grid[:, group].sum(axis=1)
        if counts.any():
            bands.append((label, counts))
    return tuple(bands)
