"""How far apart arrivals are around a given one: the offered rate, read from the log itself.

A rate shape makes one rate for the whole log meaningless, and a Poisson schedule makes a single gap noise.
So the interval at arrival i is the mean over its neighbourhood, (t[i+k] - t[i-k]) / 2k, cut at the log's
edges: a k-nearest-neighbour estimate of 1/rate (Loftsgaarden & Quesenberry 1965, Ann. Math. Stat. 36).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Floats

_NEIGHBOURS = 50


def arrival_intervals(intended: Floats, rows: npt.NDArray[np.intp]) -> Floats:
    """Seconds between arrivals around each of `rows`; zeros when fewer than two arrivals offer no rate.

    `intended` is ascending, shape (n,); the result has the shape of `rows`.
    """
    last = len(intended) - 1
    if last < 1:
        return np.zeros(len(rows))
    low = np.maximum(rows - _NEIGHBOURS, 0)
    high = np.minimum(rows + _NEIGHBOURS, last)
    return np.asarray((intended[high] - intended[low]) / (high - low), dtype=np.float64)


def end_of(intended: Floats) -> float:
    """Where the arrivals stop covering time: when the next would have been due, and after the last one."""
    if not len(intended):
        return 0.0
    last = float(intended[-1])
    interval = float(arrival_intervals(intended, np.array([len(intended) - 1]))[0])
    return max(last + interval, float(np.nextafter(last, np.inf)))
