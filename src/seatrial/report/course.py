"""Has an experiment become worse over many runs? Told from noise, with the rate of false alarms stated.

Runs of one experiment on one target at one rate, in the order in which they were made; of each, an interval
that holds what was measured. Two questions are asked of an objective:

* a *trend*, for slow decay. Mann and Kendall's statistic counts the pairs of runs of which the later is
  higher, less those of which it is lower; here a pair counts only if its intervals do not overlap: what the
  measurement cannot tell apart is no evidence. How large it gets by chance is found by putting the same runs
  in other orders (a permutation test: every order of up to 7 runs, 9,999 random ones of more). If nothing
  changed, every order is as likely as the true one, whatever the noise looks like; so the rate of false
  alarms is the one that is stated, as long as the noise of one run does not carry over into the next.
* a *jump* of the newest run. It lies beyond all earlier intervals, and beyond the prediction interval of
  Student's t for one more run, which assumes noise near normal (of logarithms where all values are positive).

Half of the stated rate goes to each, and all objectives of a comparison share it (Bonferroni). Where noise
has heavy tails the jump is called more often than stated: `tests/bench/bench_trend.py` measured up to 2 %.
Sources: H. B. Mann, *Nonparametric tests against trend* (1945); M. G. Kendall, *Rank correlation methods*
(1948); P. K. Sen, *Estimates of the regression coefficient based on Kendall's tau* (1968).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.model.figures import at_least
from seatrial.report.change import Change

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

FALSE_ALARMS = 0.01
"""Of comparisons in which nothing has changed, the share that says something has (see above for limits)."""
FEWEST_EARLIER = 5
MOST_RUNS = 60
"""Five years of months; what is older says nothing of today."""
_RESAMPLES = 9_999
_AT_ONCE = 2_000_000  # entries of all matrices that are looked at in one step
_MONTH_S = 30.4375 * 86_400


@dataclass(frozen=True, slots=True)
class Point:
    """What one run measured: an interval that holds it. `upper` is infinite where the end was never seen."""

    run: str
    at: datetime
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Course:
    """What the runs say of one objective. `change` is worse, better or can't tell."""

    name: str
    unit: str
    points: tuple[Point, ...]  # the earliest first; the last is the one that is compared
    change: Change
    how: str = ""  # "trend" or "jump"; "": neither is proven
    chance: float = 1.0  # of a trend as strong as this by noise alone
    slope_lower: float | None = None  # per month, 95 %; None: without an end of each interval there is none
    slope_upper: float | None = None

    @property
    def earlier(self) -> tuple[Point, ...]:
        """All but the one that is compared."""
        return self.points[:-1]


def prepare() -> None:
    """Import what `courses` needs, which takes a second or two, before anybody waits for it.

    Where it is not installed, nothing is done.
    """
    with contextlib.suppress(ImportError):  # of which whoever asks is told
        import_module("scipy.stats")


def courses(
    measured: Mapping[str, tuple[str, Sequence[Point]]],
    *,
    false_alarms: float = FALSE_ALARMS,
    resamples: int = _RESAMPLES,
) -> list[Course]:
    """Judge each objective: name → its unit, and at least `FEWEST_EARLIER` + 1 points, the earliest first.

    Needs the extra `trends`.
    """
    share = false_alarms / (2 * len(measured)) if measured else false_alarms
    return [
        _course(name, unit, tuple(points[-MOST_RUNS:]), share, resamples)
        for name, (unit, points) in measured.items()
    ]


@lru_cache(maxsize=512)  # the same runs are asked about again by every page and every matrix
def _course(name: str, unit: str, points: tuple[Point, ...], share: float, resamples: int) -> Course:
    if len(points) <= FEWEST_EARLIER:
        raise ValueError(f"{len(points)} runs are too few to tell a trend from noise")
    above = _above(points)
    rising, chance = _trend(above, resamples)
    slopes = _slopes(points)
    higher = 0
    how = ""
    if chance <= share:
        higher, how = (1 if rising > 0 else -1), "trend"
    elif jump := _jump(points, share):
        higher, how = jump, "jump"
    if at_least(unit):
        higher = -higher
    change = {1: Change.WORSE, -1: Change.BETTER, 0: Change.ALIKE}[higher]
    return Course(name, unit, points, change, how, chance, *slopes)


def _above(points: Sequence[Point]) -> Numbers:
    """For each pair: 1 if the second lies wholly above the first, −1 if below, 0 if they overlap."""
    import numpy as np  # noqa: PLC0415

    lower = np.array([point.lower for point in points])
    upper = np.array([point.upper for point in points])
    up: Numbers = (lower[None, :] > upper[:, None]).astype(float)
    return up - up.T


def _trend(above: Numbers, resamples: int) -> tuple[float, float]:
    """Kendall's statistic, and the chance of one as far from 0 when the order means nothing."""
    import numpy as np  # noqa: PLC0415

    stats: Any = import_module("scipy.stats")

    if not above.any():
        return 0.0, 1.0
    size = len(above)
    low, high = np.nonzero(above > 0)  # the pairs that can be told apart: of each, the run that is higher
    numbered = np.arange(size, dtype=np.int16)

    def kendall(order: Numbers, axis: int) -> Numbers:
        runs = np.moveaxis(order, axis, -1).astype(int)
        place = np.empty(runs.shape, dtype=np.int16)
        np.put_along_axis(place, runs, numbered.reshape((1,) * (runs.ndim - 1) + (size,)), -1)
        rising = np.count_nonzero(np.take(place, high, -1) > np.take(place, low, -1), axis=-1)
        found: Numbers = 2.0 * rising - len(high)  # those that fall are all others
        return found

    # Ties and overlaps make many orders alike, and floats are exact here: whole numbers.
    found = stats.permutation_test(
        (np.arange(size),),
        kendall,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _AT_ONCE // size**2),
        alternative="two-sided",
        rng=np.random.default_rng(size),  # the same runs get the same answer
    )
    return float(found.statistic), float(found.pvalue)


def _jump(points: Sequence[Point], share: float) -> int:
    """Whether the newest is beyond what the earlier runs lead one to expect: 1 above, −1 below, else 0."""
    import numpy as np  # noqa: PLC0415

    stats: Any = import_module("scipy.stats")

    if not all(math.isfinite(point.upper) for point in points[:-1]):
        return 0
    scaled = np.log if min(point.lower for point in points) > 0 else np.asarray
    lower, upper = (
        scaled(np.array(ends)) for ends in zip(*((p.lower, p.upper) for p in points), strict=True)
    )
    middles = (lower[:-1] + upper[:-1]) / 2
    spread = float(np.std(middles, ddof=1))
    if not spread:
        return 0  # noise that was never seen cannot be told from anything
    earlier = len(middles)
    reach = float(stats.t.ppf(1 - share / 2, earlier - 1)) * spread * math.sqrt(1 + 1 / earlier)
    if lower[-1] > max(upper[:-1].max(), upper[:-1].mean() + reach):
        return 1
    if upper[-1] < min(lower[:-1].min(), lower[:-1].mean() - reach):
        return -1
    return 0


def _slopes(points: Sequence[Point]) -> tuple[float | None, float | None]:
    """Sen's slope of the middles, a month, as an interval of 95 %."""
    stats: Any = import_module("scipy.stats")

    if not all(math.isfinite(point.upper) for point in points):
        return None, None
    months = [(point.at - points[0].at).total_seconds() / _MONTH_S for point in points]
    if len(set(months)) < len(months):
        return None, None
    found = stats.theilslopes([(point.lower + point.upper) / 2 for point in points], months)
    return float(found.low_slope), float(found.high_slope)
