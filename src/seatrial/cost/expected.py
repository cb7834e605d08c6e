"""What values to come should be by those that are there: a pattern that repeats, a line through the rest.

The pattern is taken out by STL with robust weights (of statsmodels), the line is Theil and Sen's (of scipy),
and the noise is measured by the median absolute deviation around it: a few odd values, a holiday or last
month's anomaly move none of the three. The same is done to days, whose pattern is a week of 7, and to hours,
whose pattern is a week of 168.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from seatrial.cost.series import Floats

_LEVEL_OF_NOTHING = 0.01  # of the median: what costs nothing counts as this, for it has no logarithm


@dataclass(frozen=True, slots=True)
class Season:
    """How a series is decomposed. `period`: values until the pattern repeats."""

    period: int
    line: int  # the last values, that the line goes through
    together: int = 1  # values of which the median is one point of the line
    jump: int = 1  # STL's slow smoothers are computed at every so many values, and are straight between them
    passes: tuple[int, int] = (2, 5)  # inner ones, and outer ones of robust weights


@dataclass(frozen=True, slots=True)
class Expected:
    """Logarithms of values to come: their centre, how much one varies, how far the slope may be off.

    `left`: of the values that the line goes through, what neither it nor the pattern explains.
    """

    centre: Floats
    noise: float
    doubt: Floats
    left: Floats


def logarithms(values: Floats) -> Floats:
    """Of what was paid, with a floor under what is free or was paid back; what is missing stays so."""
    least = _LEVEL_OF_NOTHING * float(np.nanmedian(values))
    return np.asarray(np.log(np.maximum(values, max(least, np.finfo(float).tiny))))


def expect(logs: Floats, ahead: int, season: Season, least_noise: float) -> Expected:
    """What the next `ahead` values should be by those that are there."""
    seasonal = import_module("statsmodels.tsa.seasonal")
    stats = import_module("scipy.stats")
    period, jump = season.period, season.jump
    # seasonal=13: the pattern of a week changes over about three months; so few passes of robust weights do
    fitted = seasonal.STL(
        _filled(logs, period), period=period, seasonal=13, robust=True, trend_jump=jump, low_pass_jump=jump
    ).fit(inner_iter=season.passes[0], outer_iter=season.passes[1])
    line = min(len(logs), season.line)
    at = np.arange(len(logs) - line, len(logs))
    level = (logs - fitted.seasonal)[-line:]
    known = np.isfinite(level)
    rows = level.reshape(-1, season.together)
    some = np.isfinite(rows).any(axis=1)
    slope, _, lowest, highest = stats.theilslopes(
        np.nanmedian(rows[some], axis=1), at.reshape(rows.shape).mean(axis=1)[some]
    )
    start = float(np.median((level - slope * at)[known]))
    left = level - start - slope * at
    steps = np.arange(1, ahead + 1)
    pattern = np.median(fitted.seasonal[-3 * period :].reshape(3, period), axis=0)
    centre = start + slope * (len(logs) - 1 + steps) + pattern[(steps - 1) % period]
    # a line turns around the middle of its values
    doubt = (max(highest - slope, slope - lowest)) * (steps + line / 2)
    return Expected(centre, noise_of(left, least_noise), doubt, left)


def noise_of(left: Floats, least: float) -> float:
    """How much values vary, as a normal distribution's deviation; without any, nobody knows how much."""
    stats = import_module("scipy.stats")
    known = left[np.isfinite(left)]
    return max(float(stats.median_abs_deviation(known, scale="normal")), least) if len(known) else math.inf


def medians(values: Floats, together: int) -> Floats:
    """Of each so many values; NaN where no more than half of them are known."""
    rows = np.sort(values.reshape(-1, together), axis=1)  # what is not known comes last
    known, every = np.isfinite(rows).sum(axis=1), np.arange(len(rows))
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, together - 1)
    return np.where(2 * known > together, (rows[every, low] + rows[every, high]) / 2, np.nan)


def _filled(logs: Floats, period: int) -> Floats:
    """With what is missing as at the same place of other periods: for the decomposition alone."""
    filled = logs.copy()
    for index in np.flatnonzero(~np.isfinite(logs)):
        alike = logs[index % period :: period]
        alike = alike[np.isfinite(alike)]
        filled[index] = np.median(alike) if len(alike) else np.nanmedian(logs)
    return filled
