"""A scalability law fitted to the trials: a hint at where throughput ends, beside what was measured.

Gunther's Universal Scalability Law (*Guerrilla Capacity Planning*, 2007, ch. 4) says of a system that works
on N requests at once, each of them delayed by queueing (σ) and by coherency between those at work (κ):

    X(N) = λ N / (1 + σ (N − 1) + κ N (N − 1))

X is the rate of good answers, and N the mean number of requests under way: by Little's law the sum of all
waits over the time in which they came. X is greatest at N* = √((1 − σ) / κ), and never above λ / σ.

The fit is least squares (scipy's `curve_fit`). How sure it is: the peak of each of many draws from the
parameters' covariance, of which the middle 95 % are told. It is extrapolation, and never a verdict.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.extras import TRENDS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_FEWEST = 5  # points for three parameters
_DRAWS = 2000
_SURE = 0.5  # of the peak: a wider interval hints at nothing


@dataclass(frozen=True, slots=True)
class Point:
    """What one trial showed: requests under way on the mean, and good answers a second."""

    in_flight: float
    good_per_s: float


@dataclass(frozen=True, slots=True)
class Law:
    """The law as fitted: σ, κ, λ (a second), and its peak in good answers a second, with 95 % of the draws.

    `none`: why there is no peak to tell; then the other figures are None.
    """

    none: str = ""
    contention: float | None = None  # σ
    coherency: float | None = None  # κ
    single_per_s: float | None = None  # λ: what one request at a time would make
    peak_per_s: float | None = None
    lower_per_s: float | None = None
    upper_per_s: float | None = None


def fitted(points: Sequence[Point]) -> Law:
    """The law through these points, or why none can be told."""
    if missing := TRENDS.lacking():
        return Law(f"a law needs {missing}")
    seen = sorted({(point.in_flight, point.good_per_s) for point in points if point.in_flight > 0})
    if len({round(in_flight, 6) for in_flight, _ in seen}) < _FEWEST:
        return Law(f"{len(seen)} trials are too few for a law; it needs {_FEWEST}")
    import numpy as np  # noqa: PLC0415  # whoever reads a search does not fit one

    at_once, good = np.array(seen).T
    optimize: Any = import_module("scipy.optimize")
    first = (float(np.max(good / at_once)), 0.01, 1e-4)
    limits = ((0.0, 0.0, 0.0), (np.inf, 1.0, 1.0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)  # told by the covariance
            found, spread = optimize.curve_fit(throughput, at_once, good, first, bounds=limits)
    except RuntimeError as error:
        return Law(f"no law fits: {error}")
    if not np.isfinite(spread).all():
        return Law("the trials do not bend enough for a law to be told from them")
    draws = np.random.default_rng(0).multivariate_normal(found, spread, _DRAWS, method="eigh")
    peaks = peak(np.clip(draws, 1e-12, None))
    lower, upper = np.quantile(peaks, (0.025, 0.975))
    single, contention, coherency = map(float, found)
    best = float(peak(np.clip(found, 1e-12, None)[None, :])[0])
    if upper - lower > _SURE * best:
        return Law("the trials do not bend enough for a law to be told from them")
    return Law("", contention, coherency, single, best, float(lower), float(upper))


def throughput(at_once: Numbers, single: float, contention: float, coherency: float) -> Numbers:
    """X(N)."""
    others = at_once - 1
    return single * at_once / (1 + contention * others + coherency * at_once * others)


def peak(parameters: Numbers) -> Numbers:
    """The greatest X of each row (λ, σ, κ), shape (n, 3) → (n,)."""
    import numpy as np  # noqa: PLC0415

    single, contention, coherency = parameters.T
    most = np.sqrt(np.maximum(1 - contention, 0.0) / coherency)
    found: Numbers = throughput(np.maximum(most, 1.0), single, contention, coherency)
    return found
