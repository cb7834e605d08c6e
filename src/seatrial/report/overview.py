"""A request log, however long, as a few hundred buckets of time that a chart can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.measure.latency import latency_of
from seatrial.model import parts
from seatrial.model.percentiles import percentile
from seatrial.model.requestlog import Bools, Coded, Codes, Floats, RequestLog
from seatrial.model.result import Latency

Counts = npt.NDArray[np.int64]
_Due = Callable[..., npt.NDArray[np.intp]]  # in which buckets rows of a part are due, all or some
_ALL = slice(None)

_WIDTHS = tuple(base * 10.0**power for power in range(-1, 6) for base in (1, 2, 3, 5))  # seconds
_MOST_BUCKETS = 1200
_FEWEST_BUCKETS = 120
_FEWEST_ARRIVALS = 5  # in a bucket, on average: a rate of one arrival or none is no rate
_ARRIVALS_A_BUCKET = 40  # an even schedule then wobbles by no more than 1 in 40 from bucket to bucket
_MOST_SERVERS = 8
_MOST_NAMES = 24
_OTHERS = "others"
_UNSAID = "did not say who"  # answered, without our headers
_NOBODY = "no answer"


@dataclass(frozen=True, slots=True)
class Overview:
    """n buckets of `width_s`, the first at `start_s`. Counts are per bucket, latencies in milliseconds.

    `good`, `bad` and `unsent` count by the instant a request was due, `sent` and `answered` by when that
    happened. What was never sent is no failure of the service: it is not among the bad. Latency counts from
    the intended start and leaves out quick failures; NaN in a bucket that has too few for a percentile.
    `served_by` is empty when no answer said who gave it.
    """

    start_s: float
    width_s: float
    good: Counts
    bad: Counts
    unsent: Counts
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
    """One request name over the measured part."""

    name: str
    requests: int
    bad: int
    latency: Latency | None  # None: nothing was answered well, and nothing waited for its deadline

    @property
    def good_share(self) -> float:
        """Share of good requests."""
        return 1 - self.bad / self.requests


def bucket_width(span_s: float, arrivals: int) -> float:
    """The finest width that gives each bucket enough arrivals, and neither too many nor too few buckets."""
    interval_s = span_s / max(arrivals, 1)
    wanted = min(_ARRIVALS_A_BUCKET * interval_s, span_s / _FEWEST_BUCKETS)
    wanted = max(span_s / _MOST_BUCKETS, wanted, _FEWEST_ARRIVALS * interval_s)
    return next((width for width in _WIDTHS if width >= wanted * (1 - 1e-9)), span_s)


def overview(log: RequestLog, deadline_s: float) -> Overview:
    """Bucket a log that is sorted by intended instant and not empty."""
    first, last = float(log.intended[0]), float(log.intended[-1])
    width = bucket_width(last - first, len(log)) if last > first else _WIDTHS[0]
    start = np.floor(first / width + 1e-9) * width
    buckets = int((last - start) / width + 1e-9) + 1
    good = log.good(deadline_s)

    def due(rows: slice, which: Bools | slice = _ALL) -> npt.NDArray[np.intp]:
        return _bucket(log.intended[rows][which], start, width)

    counted = parts.counts(len(log), buckets, due)
    counted_good = parts.counts(len(log), buckets, lambda rows: due(rows, good[rows]))
    unsent = parts.counts(len(log), buckets, lambda rows: due(rows, np.isnan(log.sent[rows])))
    percentiles = _percentiles(log, deadline_s, counted)
    return Overview(
        start_s=float(start),
        width_s=width,
        good=counted_good,
        bad=counted - counted_good - unsent,
        unsent=unsent,
        sent=_instants(len(log), lambda rows: log.sent[rows], start, width, buckets),
        answered=_instants(len(log), lambda rows: log.ended[rows][log.ok[rows]], start, width, buckets),
        p50_ms=percentiles[0],
        p95_ms=percentiles[1],
        max_ms=percentiles[2],
        served_by=_served_by(log, due, buckets),
    )


def drawn(log: RequestLog, deadline_s: float) -> Mapping[str, bool]:
    """Which charts have something to show: not every service says which server answered."""
    used = _totals(log.served_by)
    return {
        "answered": any(bool(np.any(_answered(log[rows]))) for rows in parts.parts(len(log))),
        "served": any(value for value, total in zip(log.served_by.values, used, strict=True) if total),
        "latency": not np.isnan(log.waited_s(deadline_s)).all(),
    }


def by_name(log: RequestLog, deadline_s: float, off_s: float = 0.0) -> tuple[NameRow, ...]:
    """The most frequent request names, most frequent first; `off_s`: how inexact the log's lengths are."""
    codes, totals, kinds = log.name.codes, _totals(log.name), len(log.name.values)
    good, waited = log.good(deadline_s - off_s), log.waited_s(deadline_s)
    bad = parts.counts(len(log), kinds, lambda rows: codes[rows][~good[rows]])

    def in_vain(rows: slice) -> Codes:
        return codes[rows][~np.isnan(waited[rows]) & np.isnan(log.ended[rows])]

    unanswered = parts.counts(len(log), kinds, in_vain)

    def row(code: int) -> NameRow:
        def own(rows: slice) -> Floats:
            return np.asarray(waited[rows][(codes[rows] == code) & ~np.isnan(waited[rows])])

        known = parts.some(len(log), np.float64, own)
        latency = latency_of(known, deadline_s if unanswered[code] else None, off_s)
        return NameRow(log.name.values[code], int(totals[code]), int(bad[code]), latency)

    frequent = np.argsort(-totals, kind="stable")[:_MOST_NAMES].tolist()
    return tuple(row(code) for code in frequent if totals[code])


def _totals(column: Coded) -> Counts:
    """How many rows hold each of the column's texts."""
    return parts.counts(len(column.codes), len(column.values), lambda rows: column.codes[rows])


def _answered(log: RequestLog) -> Bools:
    """A failure without a status is no answer: a refused connection, say."""
    return ~np.isnan(log.ended) & (log.ok | (log.status > 0))


def _bucket(instants: Floats, start: float, width: float) -> npt.NDArray[np.intp]:
    return np.floor((instants - start) / width + 1e-9).astype(np.intp)


def _instants(length: int, of: Callable[[slice], Floats], start: float, width: float, buckets: int) -> Counts:
    """How many of the instants of each part (NaN: none) fall into each bucket."""

    def inside(rows: slice) -> npt.NDArray[np.intp]:
        instants = of(rows)
        index = _bucket(instants[~np.isnan(instants)], start, width)
        return index[(index >= 0) & (index < buckets)]

    return parts.counts(length, buckets, inside)


def _percentiles(log: RequestLog, deadline_s: float, counted: Counts) -> Floats:
    """p50, p95 and max latency in each bucket, of which `counted` tells its rows: shape (3, buckets)."""
    result = np.full((3, len(counted)), np.nan)
    stops, waited = np.cumsum(counted), log.waited_s(deadline_s)
    for bucket in np.flatnonzero(counted):
        own = waited[stops[bucket] - counted[bucket] : stops[bucket]]
        ascending = np.sort(own[~np.isnan(own)] * 1000)
        found = (percentile(ascending, percent) for percent in (50, 95, 100))
        result[:, bucket] = [np.nan if value is None else value for value in found]
    return result


def _served_by(log: RequestLog, due: _Due, buckets: int) -> tuple[tuple[str, Counts], ...]:
    """Who answered, per bucket: the busiest servers in order of appearance, then others, then nobody.

    An answer whose server did not say who it is (it has no X-Release header) is still an answer.
    """
    codes, values = log.served_by.codes, log.served_by.values
    grid = parts.counts(
        len(log), buckets * len(values), lambda rows: due(rows) * len(values) + codes[rows]
    ).reshape(buckets, -1)
    totals = grid.sum(axis=0)
    named = [code for code in np.argsort(-totals, kind="stable") if values[code] and totals[code]]
    kept = sorted(named[:_MOST_SERVERS], key=lambda code: int(np.flatnonzero(grid[:, code])[0]))
    bands = [(values[code], grid[:, code]) for code in kept]
    rest = named[_MOST_SERVERS:]
    if not named:
        return ()
    silent = log.served_by.equals("")

    def unsaid(rows: slice) -> npt.NDArray[np.intp]:
        return due(rows, silent[rows] & _answered(log[rows]))

    def nobody(rows: slice) -> npt.NDArray[np.intp]:
        return due(rows, silent[rows] & ~_answered(log[rows]))

    for label, counts in (
        (_OTHERS, grid[:, rest].sum(axis=1)),
        (_UNSAID, parts.counts(len(log), buckets, unsaid)),
        (_NOBODY, parts.counts(len(log), buckets, nobody)),
    ):
        if counts.any():
            bands.append((label, counts))
    return tuple(bands)
