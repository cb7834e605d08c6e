"""Silences of logs in which failures may be missing: a server's own, or one of answers alone.

A request that never reached a server has no line in its log, and a server that is down writes none. Such a
log shows the hardest outages as nothing at all. Nor is its silence proof of one: perhaps nobody asked. What
it proves is an interval. An outage within the silence lasted 0 seconds at the least, and at the most as long
as `completions` leaves room for.

Which silences are worth telling? If requests came independently of each other, at the rate λ seen around the
silence, then a given gap between two completions would be longer than g with probability exp(-λg), and one of
n gaps or more with probability n·exp(-λg) at the most. Told is what is longer than a log without any outage
would show once in a hundred times:

    n · exp(-λg) < 0.01     or     λg > ln n + ln 100

λ is the lower of the rates of the fifty gaps before and of the fifty after: a night shall not look like an
outage of the day. g is what is left of the gap when its ends are as inexact as they can be.
A gap with a bad request inside is an outage already, and told as such.
"""

from __future__ import annotations

import math

import numpy as np

from seatrial.measure.completions import Completions
from seatrial.model.exactness import Exactness
from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Silence

_NEIGHBOURS = 50
_LOGS_PER_FALSE_ALARM = 100
_FEWEST = 10  # gaps that make a rate


def silences(
    log: RequestLog,
    completions: Completions,
    window: tuple[float, float],
    exact: Exactness,
    late_s: float,
) -> tuple[Silence, ...]:
    """Those that begin in `window`, (start, end) in seconds, in order of time.

    `completions` are those of the log with every request as long as it can have been: an end is `late_s`
    later there than the log says. `exact`: how exact what it says is.
    """
    instants = completions.ended[1:] - late_s
    instants = instants[np.isfinite(instants)]
    gaps = np.diff(instants)
    if len(gaps) < _FEWEST:
        return ()
    sure = np.maximum(gaps - exact.ended_s, 0.0)
    expected = sure / _intervals(instants, exact.ended_s)
    limit = math.log(len(gaps)) + math.log(_LOGS_PER_FALSE_ALARM)
    inside = (instants[:-1] >= window[0]) & (instants[:-1] < window[1])
    told = np.flatnonzero((expected > limit) & inside)
    bad = np.sort(log.intended[~log.ok])
    failed = np.searchsorted(bad, instants[told]) < np.searchsorted(bad, instants[told + 1], side="right")
    rooms = completions.ended[2:] - completions.worked[1:-1]
    return tuple(
        Silence(
            float(instants[gap]), float(instants[gap + 1]), float(rooms[gap]), round(float(expected[gap]), 1)
        )
        for gap in told[~failed]
    )


def _intervals(instants: Floats, blur_s: float) -> Floats:
    """Seconds between completions around each gap, without the gap itself: the longer of before and after."""
    count = len(instants)
    gap = np.arange(count - 1)
    low, high = np.maximum(gap - _NEIGHBOURS, 0), np.minimum(gap + 1 + _NEIGHBOURS, count - 1)
    before, after = gap - low, high - gap - 1
    intervals = [
        np.divide(span + blur_s, steps, out=np.zeros(count - 1), where=steps > 0)
        for span, steps in (
            (instants[gap] - instants[low], before),
            (instants[high] - instants[gap + 1], after),
        )
    ]
    return np.maximum(np.maximum(*intervals), np.finfo(np.float64).tiny)
