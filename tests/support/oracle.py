"""The definitions of `seatrial.measure` written once more, as naively as possible: loops over rows and pairs.

Nothing here is shared with the product, and nothing is fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seatrial.model.requestlog import Coded, RequestLog

NAN = math.nan


@dataclass(frozen=True)
class Row:
    """One request; None for an instant that did not come."""

    intended: float
    sent: float | None
    ended: float | None
    ok: bool
    name: str = "GET /"
    error: str = ""


def log_of(rows: list[Row]) -> RequestLog:
    """The same rows as columns."""
    count = len(rows)
    return RequestLog(
        intended=np.array([row.intended for row in rows], dtype=float),
        sent=np.array([NAN if row.sent is None else row.sent for row in rows], dtype=float),
        ended=np.array([NAN if row.ended is None else row.ended for row in rows], dtype=float),
        ok=np.array([row.ok for row in rows], dtype=bool),
        status=np.array([200 if row.ok else 0 for row in rows], dtype=np.int16),
        name=Coded.of([row.name for row in rows]),
        served_by=Coded.of([""] * count),
        error=Coded.of([row.error for row in rows]),
        worker=Coded.of(["worker"] * count),
    )


def is_good(row: Row, deadline: float) -> bool:
    return row.ok and row.ended is not None and row.ended - row.intended <= deadline


def is_proven(row: Row, deadline: float) -> bool:
    """Bad, and not by the generator's own doing."""
    if row.sent is None or row.error.startswith(("dropped: ", "own: ", "scenario: ", "unaccounted: ")):
        return False
    return not (row.ok and row.ended is not None and row.ended - row.sent <= deadline)


def proven_runs(rows: list[Row], run: tuple[int, int], deadline: float) -> list[tuple[int, int]]:
    """First and last row of each maximal run of proven rows inside a run of bad ones."""
    runs: list[tuple[int, int]] = []
    for i in range(run[0], run[1] + 1):
        if is_proven(rows[i], deadline):
            extends = bool(runs) and runs[-1][1] == i - 1
            runs = [*runs[:-1], (runs[-1][0], i)] if extends else [*runs, (i, i)]
    return runs


def bad_runs(rows: list[Row], deadline: float) -> list[tuple[int, int]]:
    """First and last row of each maximal run of bad rows."""
    runs: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        if is_good(row, deadline):
            continue
        if runs and runs[-1][1] == i - 1:
            runs[-1] = (runs[-1][0], i)
        else:
            runs.append((i, i))
    return runs


def perceived(
    rows: list[Row], run: tuple[int, int], deadline: float, floor: float = -math.inf
) -> tuple[float, float]:
    first = rows[run[0]]
    lengths = [
        rows[j].intended - max(rows[i].sent or 0.0, floor) for i, j in proven_runs(rows, run, deadline)
    ]
    lower = max([0.0, *lengths])
    before = rows[run[0] - 1].intended if run[0] > 0 else first.intended
    if run[1] + 1 == len(rows):
        return lower, math.inf
    after = rows[run[1] + 1].sent
    assert after is not None  # it is good
    return lower, max(lower, after - max(before, floor))


def failure_interval(row: Row, deadline: float) -> tuple[float, float] | None:
    """In which the service did not work for a bad row, at some instant."""
    if row.sent is None:
        return None
    limit = row.sent + deadline
    return row.sent, limit if row.ended is None else min(row.ended, limit)


def server_lower(rows: list[Row], run: tuple[int, int], deadline: float) -> float:
    longest = 0.0
    for first, last in proven_runs(rows, run, deadline):
        intervals = [failure_interval(row, deadline) for row in rows[first : last + 1]]
        known = [interval for interval in intervals if interval]
        longest = max([longest, *(later[0] - earlier[1] for later in known for earlier in known)])
    return longest


def silences(rows: list[Row]) -> list[tuple[float, float]]:
    """Every longest stretch (a, b) outside of which each ok request can have been worked on."""
    done = [
        (row.sent, row.ended) for row in rows if row.ok and row.sent is not None and row.ended is not None
    ]
    start = min(row.intended for row in rows)
    latest = max((sent for sent, _ in done), default=-math.inf)
    unanswered = any(
        row.sent is not None and row.sent > latest and (not row.ok or row.ended is None) for row in rows
    )
    ends = [ended for _, ended in done] + ([math.inf] if unanswered else [])
    return [
        (a, b)
        for a in {start, *(sent for sent, _ in done)}
        for b in ends
        if a < b and all(sent <= a or ended >= b for sent, ended in done)
    ]


def silence_behind(rows: list[Row], run: tuple[int, int], deadline: float) -> float:
    """The longest of them that can have caused every failure of a run."""
    intervals = [failure_interval(row, deadline) for row in rows[run[0] : run[1] + 1]]
    known = [interval for interval in intervals if interval]
    explaining = [(a, b) for a, b in silences(rows) if all(sent <= b and end >= a for sent, end in known)]
    return max((b - a for a, b in explaining), default=0.0) if known else 0.0


def completion_gap(rows: list[Row]) -> float:
    """The longest time between two successive ok completions."""
    ended = sorted(row.ended for row in rows if row.ok and row.ended is not None and row.sent is not None)
    return max((q - p for p, q in pairwise(ended)), default=0.0)


def episodes(rows: list[Row], deadline: float, settle: float) -> list[list[tuple[int, int]]]:
    """Runs whose nearest bad rows are due less than `settle` apart, together."""
    groups: list[list[tuple[int, int]]] = []
    for run in bad_runs(rows, deadline):
        if groups and rows[run[0]].intended - rows[groups[-1][-1][1]].intended < settle:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def degraded_spans(rows: list[Row], deadline: float, settle: float, end: float) -> list[tuple[float, float]]:
    """From the first bad row to the first good one from which 99 % stay good for `settle`, within the log."""
    spans: list[tuple[float, float]] = []
    i = 0
    while i < len(rows):
        if is_good(rows[i], deadline):
            i += 1
            continue
        start, i = rows[i].intended, i + 1
        while i < len(rows) and not _steady(rows, i, deadline, settle, end):
            i += 1
        spans.append((start, rows[i].intended if i < len(rows) else end))
    return spans


def _steady(rows: list[Row], i: int, deadline: float, settle: float, end: float) -> bool:
    begin = rows[i].intended
    if not is_good(rows[i], deadline) or begin + settle > end:
        return False
    window = [row for row in rows[i:] if row.intended < begin + settle]
    return sum(is_good(row, deadline) for row in window) >= 0.99 * len(window)
