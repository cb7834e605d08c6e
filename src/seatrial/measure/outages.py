"""Outages: maximal runs of bad requests, joined into episodes, with bounds on how long each lasted.

Rows stand in the order in which they were due. A run f1 … fk of bad requests lies between the good L before
it and the good R after it:

    due     L        f1    f2   …   fk        R
    ────────●────────✗─────✗─────────✗────────●────────→ t
            │        └── perceived ──┘        │            lower = intended_fk - sent_f1
            └────────── perceived ────────────┘            upper = sent_R - intended_L

**Server-outage bounds.** f is bad, so the service did not work for it at some instant of [sent_f, failed_f],
where failed_f is the end of the request or its deadline, whichever came first: had the service worked all
along, f would have been answered in time. One outage that holds an instant of each of these intervals lasts
at least max sent_f - min failed_f. For the outermost requests that is sent_fk - ended_f1; the extremes over
the run are as sound, and do not lose a whole deadline when f1 was the one request in flight that hung while
f2 was refused at once. The upper bound is the perceived one, or the longest silence for which the completions
leave room (see `completions`), whichever is longer.

**Episodes.** Runs whose nearest bad requests are due less than the settle time apart are one episode: a
partial outage is hundreds of short runs, and people speak of one. Its bounds are those of its *longest* run:
the largest lower and the largest upper bound among its runs, which hold even where two runs are so alike
that one cannot tell which of them was longer.

**Edges.** Without an R the outage was not over when the log ended: its upper bounds are infinite. Without
an L it began before the log did; what lies before the first arrival is not counted.

A dropped arrival (never sent) is perceived as bad at the instant it was due, and proves nothing about the
service: it does not enter the server-outage lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.measure.completions import Completions
from seatrial.measure.spacing import arrival_intervals
from seatrial.model.requestlog import Bools, Floats, RequestLog
from seatrial.model.result import Bounds, Outage

Rows = npt.NDArray[np.intp]
Mark = tuple[str, float]  # a step's name, and the instant at which its effect was asked for


@dataclass(frozen=True, slots=True)
class Runs:
    """The maximal runs of bad requests of a sorted log; every array has one element a run, shape (r,)."""

    first: Rows
    last: Rows
    good_before: Floats  # intended_L, or intended_f1 without an L
    due: Floats  # intended_f1
    began: Floats  # sent_f1, or intended_f1 when it was dropped
    ended: Floats  # intended_fk
    good_after: Floats  # sent_R, or ∞ without an R
    failed_by: Floats  # the earliest end of a failure: the outage had begun by then
    failed_at: Floats  # the latest start of a failure: the outage lasted at least until then
    server_lower: Floats
    onset: Floats  # about when the outage began, at the latest
    equivalent: Floats  # bad arrivals over the offered rate

    @classmethod
    def of(cls, log: RequestLog, good: Bools, deadline_s: float) -> Runs:
        """Find them in `log`, sorted by intended instant; `good` tells its good rows."""
        edges = np.flatnonzero(np.diff(~good, prepend=False, append=False))
        first, last = edges[::2], edges[1::2] - 1
        bad = np.flatnonzero(~good)
        starts = np.searchsorted(bad, first)
        due, sent = log.intended[bad], log.sent[bad]
        asked = np.where(np.isnan(sent), due, sent)[starts]
        failed_at = _reduce(np.fmax, sent, starts)
        failed_by = _reduce(np.fmin, np.fmin(log.ended[bad], np.maximum(due + deadline_s, sent)), starts)
        # NaN here: all of the run was dropped, and nothing is known of the service but where the run stands
        lower = np.fmax(failed_at - failed_by, 0.0)
        failed_by = np.where(np.isnan(failed_by), log.intended[last], failed_by)
        has_before, has_after = first > 0, last < len(log) - 1
        before, after = np.where(has_before, first - 1, first), np.where(has_after, last + 1, last)
        healthy = np.where(has_before, log.ended[before] - log.sent[before], 0.0)
        return cls(
            first=first,
            last=last,
            good_before=log.intended[before],
            due=log.intended[first],
            began=asked,
            ended=log.intended[last],
            good_after=np.where(has_after, log.sent[after], np.inf),
            failed_by=failed_by,
            failed_at=np.where(np.isnan(failed_at), log.intended[first], failed_at),
            server_lower=lower,
            onset=np.minimum(failed_by, asked + healthy),
            equivalent=_reduce(np.add, arrival_intervals(log.intended, bad), starts),
        )

    def __len__(self) -> int:
        return len(self.first)

    def episodes(self, settle_s: float) -> Rows:
        """The first run of each episode, shape (e,)."""
        if not len(self):
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(np.append(True, self.due[1:] - self.ended[:-1] >= settle_s))

    def perceived(self, floor_s: float = -np.inf) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the perceived downtime, without what lies before `floor_s`."""
        lower = np.maximum(self.ended - np.maximum(self.began, floor_s), 0.0)
        return lower, np.maximum(self.good_after - np.maximum(self.good_before, floor_s), lower)


def _reduce(operation: np.ufunc, values: Floats, starts: Rows) -> Floats:
    """`operation` over each run's part of `values`; the parts begin at `starts`."""
    return np.asarray(operation.reduceat(values, starts)) if len(starts) else np.empty(0)


def find_outages(
    runs: Runs,
    completions: Completions,
    settle_s: float,
    *,
    window: tuple[float, float],
    marks: Sequence[Mark] = (),
) -> tuple[Outage, ...]:
    """The episodes that have a bad request due in `window`, in order of time.

    An episode is named after the latest of `marks` before the onset of its longest run, to which its bounds
    belong as well: a stray error just before a fault is part of the episode, but not its cause. Requests in
    flight when a fault struck were sent before it, so the onset is when the first of them failed, or when it
    would have been answered had the service gone on as it was, whichever is earlier.
    """
    starts = runs.episodes(settle_s)
    if not len(starts):
        return ()
    stops = np.append(starts[1:], len(runs)) - 1
    longest = _longest(runs.perceived()[0], starts)
    lower, upper = (_reduce(np.maximum, bound, starts) for bound in runs.perceived())
    silence = completions.longest_silence(
        _reduce(np.minimum, runs.failed_at, starts), _reduce(np.maximum, runs.failed_by, starts)
    )
    server_upper = np.maximum(upper, silence)
    server_lower = np.minimum(_reduce(np.maximum, runs.server_lower, starts), server_upper)
    bad = np.add.reduceat(runs.last - runs.first + 1, starts)
    equivalent = _reduce(np.add, runs.equivalent, starts)
    began, ended = runs.due[starts], runs.ended[stops]
    return tuple(
        Outage(
            name=_latest(marks, float(runs.onset[longest[i]])),
            start_s=float(began[i]),
            end_s=float(ended[i]),
            perceived=Bounds(float(lower[i]), float(upper[i])),
            server=Bounds(float(server_lower[i]), float(server_upper[i])),
            bad=int(bad[i]),
            runs=int(stops[i] - starts[i] + 1),
            equivalent_s=float(equivalent[i]),
        )
        for i in np.flatnonzero((ended >= window[0]) & (began < window[1]))
    )


def _longest(lengths: Floats, starts: Rows) -> Rows:
    """The index of the first of the largest `lengths` of each episode."""
    episode = np.searchsorted(starts, np.arange(len(lengths)), side="right")
    return np.lexsort((-lengths, episode))[starts]  # stable, so equals stay in order of time


def _latest(marks: Sequence[Mark], onset_s: float) -> str:
    return max((m for m in marks if m[1] <= onset_s), key=lambda mark: mark[1], default=("", 0.0))[0]


def downtime(log: RequestLog, start_s: float, end_s: float, deadline_s: float, settle_s: float) -> Bounds:
    """What an objective on downtime judges: the longest outage of the window [start_s, end_s), in seconds.

    Lower: the longest perceived lower bound, 0 without a bad request. Upper: the largest of all perceived and
    server-outage upper bounds and of the room that successive ok completions leave (see `completions`); so a
    perfectly healthy window has an honest upper bound of about one arrival interval and one latency, and a
    stall that nobody's deadline noticed is in it.

    What lies before `start_s` is not counted: an outage under way is cut there, and requests in flight at
    that instant are not lost. An episode that begins in the window counts as a whole. The upper bound is
    infinite where the log cannot tell: nothing was due or completed in the window, or the outage outlasted
    the log.
    """
    log = log.sorted()
    if not np.any((log.intended >= start_s) & (log.intended < end_s)):
        return Bounds(0.0, np.inf)
    runs, completions = Runs.of(log, log.good(deadline_s), deadline_s), Completions.of(log)
    upper_s = completions.longest_gap(start_s, end_s).upper_s
    episodes = runs.episodes(settle_s)
    episode_of = np.searchsorted(episodes, np.arange(len(runs)), side="right") - 1
    inside = np.flatnonzero((runs.good_after > start_s) & (runs.due[episodes][episode_of] < end_s))
    if not len(inside):
        return Bounds(0.0, upper_s)
    lower, upper = (float(bound[inside].max()) for bound in runs.perceived(start_s))
    failures = runs.failed_at[inside].min(keepdims=True), runs.failed_by[inside].max(keepdims=True)
    silence = completions.longest_silence(*failures, start_s)
    return Bounds(lower, max(upper, upper_s, float(silence[0])))
