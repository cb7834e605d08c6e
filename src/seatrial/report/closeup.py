"""An outage down to its single requests, and where on the time axis its bounds lie.

An `Outage` records how long its bounds are, and from which requests they were read (its witnesses): there
they are drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Bounds, Outage, Witnesses

MOST_CLOSEUPS = 12
_MOST_REQUESTS = 1500  # of one outage
_MOST_REQUESTS_IN_ALL = 12_000
_LEAST_MARGIN, _LARGEST_MARGIN = 25, 150  # requests before and after

Rows = npt.NDArray[np.intp]
Fates = npt.NDArray[np.int8]


class Fate(IntEnum):
    """How a request ended."""

    GOOD = 0
    FAILED = 1
    LATE = 2  # ok, but after its deadline
    UNANSWERED = 3
    DROPPED = 4  # never sent


@dataclass(frozen=True, slots=True)
class Span:
    """Two instants, in seconds on the log's clock."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bound in its place: at least `inner` (None when the lower bound is zero), at most `outer`."""

    label: str  # whose view
    inner: Span | None
    outer: Span


@dataclass(frozen=True, slots=True)
class CloseUp:
    """The requests around one outage; `ordinals` counts them from the first of the window.

    Of a very long outage only those near its ends and near its longest run are kept; `omitted` are not.
    """

    outage: int  # index in Measurement.outages
    requests: RequestLog
    ordinals: Rows
    fates: Fates
    omitted: int
    brackets: tuple[Bracket, ...]


def close_ups(log: RequestLog, outages: Sequence[Outage], deadline_s: float) -> tuple[CloseUp, ...]:
    """Close-ups of the longest outages, in order of time. `log` is sorted by intended instant."""
    longest = sorted(range(len(outages)), key=lambda index: -outages[index].server.upper_s)[:MOST_CLOSEUPS]
    if not longest or not len(log):
        return ()
    most = min(_MOST_REQUESTS, _MOST_REQUESTS_IN_ALL // len(longest))
    return tuple(_close_up(log, index, outages[index], deadline_s, most) for index in sorted(longest))


def _close_up(log: RequestLog, index: int, outage: Outage, deadline_s: float, most: int) -> CloseUp:
    first = int(np.searchsorted(log.intended, outage.start_s - 1e-9))
    last = int(np.searchsorted(log.intended, outage.end_s + 1e-9))
    margin = min(max((last - first) // 4, _LEAST_MARGIN), _LARGEST_MARGIN)
    start = max(first - margin, 0)
    window = log[start : last + margin]
    kept = np.arange(len(window))
    if len(window) > most:
        rows = _witnesses(log, outage)
        ends = {first, last - 1, *((rows.first_bad, rows.last_bad) if rows else ())}
        kept = _around(len(window), {row - start for row in ends}, most)
    requests = window[kept]
    return CloseUp(
        outage=index,
        requests=requests,
        ordinals=kept,
        fates=fates(requests, deadline_s),
        omitted=len(window) - len(kept),
        brackets=brackets(log, outage, deadline_s),
    )


def _around(count: int, anchors: Collection[int], most: int) -> Rows:
    """At most `most` of `count` rows, those nearest to the anchors."""
    reach = most // (2 * len(anchors))
    near = [np.arange(max(anchor - reach, 0), min(anchor + reach, count)) for anchor in anchors]
    return np.unique(np.concatenate(near))


def fates(log: RequestLog, deadline_s: float) -> Fates:
    """How each request ended."""
    conditions = [np.isnan(log.sent), np.isnan(log.ended), log.good(deadline_s), log.ok]
    found = [Fate.DROPPED, Fate.UNANSWERED, Fate.GOOD, Fate.LATE]
    return np.select(conditions, found, default=Fate.FAILED).astype(np.int8)


def brackets(log: RequestLog, outage: Outage, deadline_s: float) -> tuple[Bracket, ...]:
    """The perceived and the server bound of `outage` in their places in its log.

    Of one whose witnesses are not known only the requests are shown.
    """
    rows = _witnesses(log, outage)
    if rows is None:
        return ()
    begun_s = float(log.intended[rows.first_bad if rows.last_good is None else rows.last_good])
    sent_s = _known(log.sent, rows.first_bad, log.intended[rows.first_bad])
    ended_s = _known(log.ended, rows.first_bad, log.intended[rows.first_bad] + deadline_s)
    silent_since_s = begun_s if rows.silent_since_s is None else rows.silent_since_s
    return (
        _bracket("clients", outage.perceived, sent_s, begun_s),
        _bracket("server", outage.server, ended_s, silent_since_s),
    )


def _witnesses(log: RequestLog, outage: Outage) -> Witnesses | None:
    """The outage's witnesses; None when they were not recorded, or this is not the log that was measured."""
    rows = outage.witnesses
    return rows if rows is not None and rows.last_bad < len(log) else None


def _bracket(whose: str, bounds: Bounds, inner_start_s: float, outer_start_s: float) -> Bracket:
    inner = Span(inner_start_s, inner_start_s + bounds.lower_s) if bounds.lower_s > 0 else None
    return Bracket(whose, inner, Span(outer_start_s, outer_start_s + bounds.upper_s))


def _known(instants: Floats, row: int, otherwise: float) -> float:
    value = float(instants[row])
    return float(otherwise) if np.isnan(value) else value
