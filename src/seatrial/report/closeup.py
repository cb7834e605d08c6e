"""An outage down to its single requests, and where on the time axis its bounds lie.

An `Outage` records how long its bounds are. To draw them, they need a place: the requests that each end of
a bound was read from (design: f1 … fk bad, L the good one before, R the good one after, p and q the ok
completions around). They are found again in the log; the lengths drawn are always the recorded ones.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Bools, Floats, RequestLog
from seatrial.model.result import Outage

MOST_CLOSEUPS = 12
_MOST_REQUESTS = 1500  # of one outage
_MOST_REQUESTS_IN_ALL = 12_000
_LEAST_MARGIN, _LARGEST_MARGIN = 25, 150  # requests before and after

Rows = npt.NDArray[np.intp]
States = npt.NDArray[np.int8]


class State(IntEnum):
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
    states: States
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
    run = _longest_run(window, outage, deadline_s)
    kept = np.arange(len(window))
    if len(window) > most:
        kept = _around(len(window), {first - start, *(run or ()), last - start - 1}, most)
    requests = window[kept]
    return CloseUp(
        outage=index,
        requests=requests,
        ordinals=kept,
        states=states(requests, deadline_s),
        omitted=len(window) - len(kept),
        brackets=_brackets(window, run, outage, deadline_s),
    )


def _around(count: int, anchors: Collection[int], most: int) -> Rows:
    """At most `most` of `count` rows, those nearest to the anchors."""
    reach = most // (2 * len(anchors))
    near = [np.arange(max(anchor - reach, 0), min(anchor + reach, count)) for anchor in anchors]
    return np.unique(np.concatenate(near))


def states(log: RequestLog, deadline_s: float) -> States:
    """How each request ended."""
    conditions = [np.isnan(log.sent), np.isnan(log.ended), log.good(deadline_s), log.ok]
    found = [State.DROPPED, State.UNANSWERED, State.GOOD, State.LATE]
    return np.select(conditions, found, default=State.FAILED).astype(np.int8)


def brackets(window: RequestLog, outage: Outage, deadline_s: float) -> tuple[Bracket, ...]:
    """The perceived and the server bound of `outage` in their places among the requests around it."""
    return _brackets(window, _longest_run(window, outage, deadline_s), outage, deadline_s)


def _brackets(
    window: RequestLog, rows: tuple[int, int] | None, outage: Outage, deadline_s: float
) -> tuple[Bracket, ...]:
    whole = Span(outage.start_s, outage.end_s)
    run, gap = _Run(whole, whole, whole), None
    if rows is not None:
        run = _run(window, *rows, deadline_s)
        gap = _completion_gap(window, run.around)
    perceived = Bracket(
        "clients",
        _from(run.failing.start_s, outage.perceived.lower_s) if outage.perceived.lower_s > 0 else None,
        _from(run.around.start_s, outage.perceived.upper_s),
    )
    widest = gap if gap is not None and outage.server.upper_s > outage.perceived.upper_s else run.around
    server = Bracket(
        "server",
        _from(run.failed.start_s, outage.server.lower_s) if outage.server.lower_s > 0 else None,
        _from(widest.start_s, outage.server.upper_s),
    )
    return perceived, server


@dataclass(frozen=True, slots=True)
class _Run:
    failing: Span  # sent_f1 … intended_fk
    failed: Span  # ended_f1 … sent_fk
    around: Span  # intended_L … sent_R


def _from(start_s: float, length_s: float) -> Span:
    return Span(start_s, start_s + length_s)


def _longest_run(window: RequestLog, outage: Outage, deadline_s: float) -> tuple[int, int] | None:
    """First and last row of the bad run whose perceived bounds are nearest to the recorded ones."""
    bad = ~window.good(deadline_s)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False])).astype(np.int8)))
    f1, fk = edges[::2], edges[1::2] - 1
    if not len(f1):
        return None
    sent = np.where(np.isnan(window.sent), window.intended, window.sent)
    lower = window.intended[fk] - sent[f1]
    upper = sent[np.minimum(fk + 1, len(window) - 1)] - window.intended[np.maximum(f1 - 1, 0)]
    distance = abs(lower - outage.perceived.lower_s)
    if math.isfinite(outage.perceived.upper_s):
        distance += abs(upper - outage.perceived.upper_s)
    nearest = int(np.argmin(distance))
    return int(f1[nearest]), int(fk[nearest])


def _run(window: RequestLog, f1: int, fk: int, deadline_s: float) -> _Run:
    before, after = max(f1 - 1, 0), min(fk + 1, len(window) - 1)
    ended_f1 = _known(window.ended, f1, window.intended[f1] + deadline_s)
    return _Run(
        failing=Span(_known(window.sent, f1, window.intended[f1]), float(window.intended[fk])),
        failed=Span(ended_f1, _known(window.sent, fk, window.intended[fk])),
        around=Span(float(window.intended[before]), _known(window.sent, after, window.intended[after])),
    )


def _known(instants: Floats, row: int, otherwise: float) -> float:
    value = float(instants[row])
    return float(otherwise) if np.isnan(value) else value


def _completion_gap(window: RequestLog, around: Span) -> Span | None:
    """sent_p … ended_q of the longest time without an ok completion that overlaps `around`."""
    completed: Bools = window.ok & ~np.isnan(window.ended)
    order = np.argsort(window.ended[completed], kind="stable")
    ended, sent = window.ended[completed][order], window.sent[completed][order]
    overlaps = (ended[1:] >= around.start_s) & (ended[:-1] <= around.end_s)
    if not overlaps.any():
        return None
    widest = int(np.argmax(np.where(overlaps, np.diff(ended), -1.0)))
    return Span(float(sent[widest]), float(ended[widest + 1]))
