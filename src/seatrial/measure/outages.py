"""Outages: maximal runs of bad requests, joined into episodes, with bounds on how long each lasted.

Rows stand in the order in which they were due. A run f1 … fk of bad requests lies between the good L before
it and the good R after it:

    due     L        f1    f2   …   fk        R
    ────────●────────✗─────✗─────────✗────────●────────→ t
            │        └── perceived ──┘        │            lower = intended_fk - sent_f1
            └────────── perceived ────────────┘            upper = sent_R - intended_L

**Server-outage bounds.** f is bad, so the service did not work for it at some instant of [sent_f, failed_f],
where failed_f is the end of the request or a deadline after it was sent, whichever came first: had the
service worked all along, f would have been answered in time. One outage that holds an instant of each of
these intervals lasts at least max sent_f - min failed_f. For the outermost requests that is sent_fk -
ended_f1; the extremes over the run are as sound, and do not lose a whole deadline when f1 was the one request
in flight that hung while f2 was refused at once. The upper bound is the perceived one, or the longest silence
for which the completions leave room (see `completions`), whichever is longer.

**Proof.** A bad row may be the generator's own doing: never sent, or failed on our side, or late only because
it was sent late (`RequestLog.proven_bad`). Nobody knows what the service would have made of it. So a run is
read twice. For its upper bounds every bad row counts. For its lower bounds such a row might as well have been
good: it parts the run in two, and only the maximal runs of *proven* rows inside count, the longest of them.

            L     f1    f2    u     f3    R             u: never sent
            ●─────✗─────✗─────?─────✗─────●             lower = intended_f2 - sent_f1
                  └lower┘                               upper = sent_R - intended_L

**Episodes.** Runs whose nearest bad requests are due less than the settle time apart are one episode: a
partial outage is hundreds of short runs, and people speak of one. Its bounds are those of its *longest* run:
the largest lower and the largest upper bound among its runs, which hold even where two runs are so alike
that one cannot tell which of them was longer. Which rows they were read from is kept (`Witnesses`), so that
whoever shows an outage shows those.

**Exactness.** Instants of other tools' logs may be rounded, or told in part. The bounds are then wider by
what that can hide; `reach` derives how.

**Edges.** Without an R the outage was not over when the log ended: its upper bounds are infinite. Without
an L it began before the log did; what lies before the first arrival is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.measure.completions import Completions
from seatrial.measure.reach import apart_from, room_within, widened, widest_gaps
from seatrial.measure.spacing import arrival_intervals
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import Bools, Floats, RequestLog
from seatrial.model.result import Bounds, Outage, Witnesses

Rows = npt.NDArray[np.intp]
Mark = tuple[str, float]  # a step's name, and the instant at which its effect was asked for


@dataclass(frozen=True, slots=True)
class ProvenRuns:
    """The maximal runs of proven bad requests inside runs of bad ones; arrays of shape (p,)."""

    run: Rows  # the index of the run that this one lies in
    began: Floats  # sent_f1
    ended: Floats  # intended_fk
    server_lower: Floats

    @classmethod
    def of(
        cls, log: RequestLog, proven: Bools, deadline_s: float, run_starts: Rows, exact: Exactness
    ) -> ProvenRuns:
        """Find them; `run_starts` holds the first row of each run of bad ones, ascending."""
        first, last = _stretches(proven)
        rows = np.flatnonzero(proven)
        starts = np.searchsorted(rows, first)
        failed_at = _reduce(np.maximum, log.sent[rows], starts)
        failed_by = _reduce(np.minimum, _failed_by(log, rows, deadline_s), starts)
        return cls(
            run=np.searchsorted(run_starts, first, side="right") - 1,
            began=log.sent[first] + exact.sent_late_s,
            ended=log.intended[last] - exact.sent_early_s,
            server_lower=np.maximum(failed_at - exact.sent_early_s - failed_by - _late(exact), 0.0),
        )

    def longest(self, lengths: Floats, runs: int) -> Floats:
        """For each of `runs`, the largest of the `lengths` of those inside; 0 where there is none."""
        found = np.zeros(runs)
        np.maximum.at(found, self.run, lengths)
        return found


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
    proven: ProvenRuns
    onset: Floats  # about when the outage began, at the latest
    equivalent: Floats  # bad arrivals over the offered rate

    @classmethod
    def of(
        cls,
        log: RequestLog,
        good: Bools,
        deadline_s: float,
        proven: Bools | None = None,
        exact: Exactness = EXACT,
    ) -> Runs:
        """Find them in `log`, sorted by intended instant; `good` tells its good rows.

        `proven`: those that are evidence against the service, by default all that the deadline shows to be.
        """
        if proven is None:
            proven = log.proven_bad(deadline_s)
        first, last = _stretches(~good)
        bad = np.flatnonzero(~good)
        starts = np.searchsorted(bad, first)
        due, sent = log.intended[bad], log.sent[bad]
        asked = np.where(np.isnan(sent), due, sent)[starts]
        failed_at = _reduce(np.fmax, sent, starts)
        failed_by = _reduce(np.fmin, _failed_by(log, bad, deadline_s), starts)
        # NaN here: all of the run was dropped, and nothing is known of the service but where the run stands
        failed_by = np.where(np.isnan(failed_by), log.intended[last], failed_by)
        has_before = first > 0
        before = np.where(has_before, first - 1, first)
        healthy = np.where(has_before, log.ended[before] - log.sent[before], 0.0)
        good_before, good_after = _between(log, good, first, last, exact)
        return cls(
            first=first,
            last=last,
            good_before=good_before,
            due=log.intended[first],
            began=asked,
            ended=log.intended[last],
            good_after=good_after,
            failed_by=failed_by + _late(exact),
            failed_at=np.where(np.isnan(failed_at), log.intended[first], failed_at) - exact.sent_early_s,
            proven=ProvenRuns.of(log, proven, deadline_s, first, exact),
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

    def perceived(self, floor_s: float = -np.inf, begun_by_s: float = np.inf) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the perceived downtime, without what lies before `floor_s`.

        What is not proven to have begun before `begun_by_s` is in no lower bound.
        """
        proven = self.proven
        lengths = np.where(proven.began < begun_by_s, proven.ended - np.maximum(proven.began, floor_s), 0.0)
        lower = proven.longest(lengths, len(self))
        return lower, np.maximum(self.good_after - np.maximum(self.good_before, floor_s), lower)

    def witnesses(self, run: int, silent_since_s: float | None) -> Witnesses:
        """The rows that the bounds of one run were read from."""
        first, last = int(self.first[run]), int(self.last[run])
        return Witnesses(
            last_good=first - 1 if first else None,
            first_bad=first,
            last_bad=last,
            first_good=last + 1 if np.isfinite(self.good_after[run]) else None,
            silent_since_s=silent_since_s,
        )

    def server_lower(self) -> Floats:
        """Lower bounds of the server outages."""
        return self.proven.longest(self.proven.server_lower, len(self))


def _between(
    log: RequestLog, good: Bools, first: Rows, last: Rows, exact: Exactness
) -> tuple[Floats, Floats]:
    """The latest good due instant before each run, and when the first good one after it was sent, or ∞."""
    if not exact.sent_s:
        has_after = last < len(log) - 1
        before, after = np.where(first > 0, first - 1, first), np.where(has_after, last + 1, last)
        return log.intended[before], np.where(has_after, log.sent[after], np.inf)
    good_at = log.intended[good]
    start_s = float(np.min(log.intended, initial=np.inf))
    gaps = widest_gaps(good_at, start_s, log.intended[first], log.intended[last], exact.sent_s)
    began, over = np.append(start_s, good_at)[gaps], np.append(good_at, np.inf)[gaps]
    return began - exact.sent_early_s, over + exact.sent_late_s


def _late(exact: Exactness) -> float:
    """How much later than the log says a request may have failed: at its end, or a deadline after sending."""
    return max(exact.ended_late_s, exact.sent_late_s)


def _stretches(wanted: Bools) -> tuple[Rows, Rows]:
    """The first and the last row of each maximal stretch of `wanted` ones."""
    edges = np.flatnonzero(np.diff(wanted, prepend=False, append=False))
    return edges[::2], edges[1::2] - 1


def _failed_by(log: RequestLog, rows: Rows, deadline_s: float) -> Floats:
    """By when each of `rows` had failed: at its end, or a deadline after it was sent; NaN if it never was."""
    return np.asarray(np.fmin(log.ended[rows], log.sent[rows] + deadline_s))


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
    longest = _longest(runs.ended - runs.began, starts)
    lower_of_runs, upper_of_runs = runs.perceived()
    widest = _longest(upper_of_runs, starts)
    lower, upper = _reduce(np.maximum, lower_of_runs, starts), upper_of_runs[widest]
    silent_since, silence = completions.longest_silence(
        _reduce(np.minimum, runs.failed_at, starts), _reduce(np.maximum, runs.failed_by, starts)
    )
    server_upper = np.maximum(upper, silence)
    server_lower = np.minimum(_reduce(np.maximum, runs.server_lower(), starts), server_upper)
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
            witnesses=runs.witnesses(widest[i], float(silent_since[i]) if silence[i] > upper[i] else None),
        )
        for i in np.flatnonzero((ended >= window[0]) & (began < window[1]))
    )


def _longest(lengths: Floats, starts: Rows) -> Rows:
    """The index of the first of the largest `lengths` of each episode."""
    episode = np.searchsorted(starts, np.arange(len(lengths)), side="right")
    return np.lexsort((-lengths, episode))[starts]  # stable, so equals stay in order of time


def _latest(marks: Sequence[Mark], onset_s: float) -> str:
    return max((m for m in marks if m[1] <= onset_s), key=lambda mark: mark[1], default=("", 0.0))[0]


def downtime(
    log: RequestLog,
    start_s: float,
    end_s: float,
    deadline_s: float,
    settle_s: float,
    exact: Exactness = EXACT,
) -> Bounds:
    """What an objective on downtime judges: the longest outage of the window [start_s, end_s), in seconds.

    Lower: the longest perceived lower bound, 0 without a bad request that is proven. Upper: the largest of
    all perceived and server-outage upper bounds and of the room that successive ok completions leave (see
    `completions`); so a perfectly healthy window has an honest upper bound of about one arrival interval and
    one latency, and a stall that nobody's deadline noticed is in it.

    What lies before `start_s` is not counted: an outage under way is cut there, and requests in flight at
    that instant are not lost. An episode that begins in the window counts as a whole. The upper bound is
    infinite where the log cannot tell: nothing was surely due or completed in the window, or the outage
    outlasted the log. `exact`: how exact the log's instants are; the window's are.
    """
    log = log.sorted()
    slack = exact.within(deadline_s)
    low, high = np.searchsorted(log.intended, (start_s + slack.sent_early_s, end_s - slack.sent_late_s))
    if low >= high:
        return Bounds(0.0, np.inf)
    proven = apart_from(log.proven_bad(deadline_s + exact.took_s), log.intended, slack.sent_s)
    runs = Runs.of(log, log.good(deadline_s - exact.took_s), deadline_s, proven, slack)
    completions = Completions.of(widened(log, slack))
    upper_s = room_within(completions, slack, start_s, end_s)
    episodes = runs.episodes(settle_s)
    episode_of = np.searchsorted(episodes, np.arange(len(runs)), side="right") - 1
    due = runs.due[episodes][episode_of]
    inside = np.flatnonzero((runs.good_after > start_s) & (due - slack.sent_early_s < end_s))
    if not len(inside):
        return Bounds(0.0, upper_s)
    # where rows may stand in another order, what seems one episode may be two, and begin before `end_s` only
    # as far as that is proven
    lowers, uppers = runs.perceived(start_s, end_s if slack.sent_s else np.inf)
    lower = float(lowers[inside].max(initial=0.0))
    upper = float(uppers[inside].max())
    failures = runs.failed_at[inside].min(keepdims=True), runs.failed_by[inside].max(keepdims=True)
    _, silence_s = completions.longest_silence(*failures, start_s)
    return Bounds(lower, max(upper, upper_s, float(silence_s[0])))
