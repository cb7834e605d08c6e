"""Everything that a request log says, in one record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seatrial.measure.availability import availability
from seatrial.measure.completions import Completions
from seatrial.measure.degraded import DegradedSpans
from seatrial.measure.generator import EVERYTHING, LogTells, audit
from seatrial.measure.latency import latency
from seatrial.measure.outages import Mark, Runs, find_outages
from seatrial.measure.reach import apart_from, gap_within, widened
from seatrial.measure.silence import silences
from seatrial.measure.spacing import arrival_intervals, end_of
from seatrial.measure.tenants import by_tenant
from seatrial.model import parts
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import Bools, Coded, RequestLog
from seatrial.model.result import Measurement


def measure(
    log: RequestLog,
    deadline_s: float,
    settle_s: float,
    start_s: float | None = None,
    end_s: float | None = None,
    marks: Sequence[Mark] = (),
    tells: LogTells = EVERYTHING,
    exact: Exactness = EXACT,
) -> Measurement:
    """Measure the part of `log` that was due in [start_s, end_s), in seconds on the log's clock.

    By default that is everything from 0 (the end of the warm-up) on, or from the first arrival when it is
    later, until the instant at which the next arrival would have been due. Rows outside still serve as
    witnesses: the last good request of a warm-up bounds an outage at the start. `marks` are the steps of a
    run, (name, instant of effect); an outage bears the name of the latest one before its onset. `tells`: what
    the log says of its generator. `exact`: how exact its instants are. A request counts as good if it is sure
    to have been in time.
    """
    slack = exact.within(deadline_s)
    log = log.sorted()
    if start_s is None:
        start_s = max(0.0, float(log.intended[0])) if len(log) else 0.0
    if end_s is None:
        end_s = max(start_s, end_of(log.intended))
    good = log.good(deadline_s - exact.took_s)
    proven = log.proven_bad(deadline_s + exact.took_s)
    runs = Runs.of(log, good, deadline_s, apart_from(proven, log.intended, slack.sent_s), slack)
    completions = Completions.of(widened(log, slack))
    outages = find_outages(runs, completions, settle_s, window=(start_s, end_s), marks=marks)
    degraded_s = DegradedSpans.of(log, good, runs, settle_s, deadline_s).total_s(start_s, end_s)
    gap = gap_within(completions, slack, start_s, end_s)
    silent = () if tells.failed else silences(log, completions, (start_s, end_s), exact, slack.ended_late_s)
    del runs, completions  # five million rows: their arrays are as large as the log

    low, high = np.searchsorted(log.intended, (start_s, end_s)).tolist()
    part, well = log[low:high], good[low:high]
    bad = low + np.flatnonzero(~well)
    return Measurement(
        start_s=start_s,
        end_s=end_s,
        deadline_s=deadline_s,
        settle_s=settle_s,
        requests=len(part),
        bad=len(bad),
        outages=outages,
        degraded_s=degraded_s,
        completion_gap=gap,
        equivalent_outage_s=float(np.sum(arrival_intervals(log.intended, bad))),
        latency=latency(part, deadline_s, exact.took_s) if exact.took else None,
        generator=audit(part, start_s, end_s, tells),
        availability=availability(part, well, end_s),
        served_by=_counts(part.served_by),
        errors=_reasons(part, well),
        unproven=sum(
            int(np.count_nonzero(~(good[low:high][rows] | proven[low:high][rows])))
            for rows in parts.parts(high - low)
        ),
        silences=silent,
        exact=exact,
        tenants=by_tenant(log, start_s, end_s, deadline_s, settle_s, exact),
    )


def _counts(column: Coded) -> tuple[tuple[str, int], ...]:
    """How often each value stands in a text column; most frequent first, equals by name."""
    totals: dict[str, int] = {}
    counted = parts.counts(len(column.codes), len(column.values), lambda rows: column.codes[rows])
    for text, count in zip(column.values, counted.tolist(), strict=True):
        totals[text] = totals.get(text, 0) + count
    found = ((text, count) for text, count in totals.items() if count)
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _reasons(log: RequestLog, good: Bools) -> tuple[tuple[str, int], ...]:
    """Why requests were bad: the scenario's own words where it had any, else what became of them."""
    bad = np.flatnonzero(~good)
    cases = [np.isnan(log.sent[bad]), np.isnan(log.ended[bad]), log.ok[bad]]
    ours = np.select(cases, [0, 1, 2], default=3) + len(log.error.values)
    error = log.error[bad]
    codes = np.where(error.equals(""), ours, error.codes).astype(np.int32)
    return _counts(Coded(codes, (*error.values, "never sent", "never answered", "too late", "not ok")))
