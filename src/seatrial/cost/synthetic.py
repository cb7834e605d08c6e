"""Bills that nobody has paid: what days cost, made of what real bills are made of, with a seed.

growth · a week with cheaper week-ends · noise with heavy tails that carries over into the next day · holidays
"""

from __future__ import annotations

import numpy as np

from seatrial.cost.series import Floats

_MONTH_DAYS = 30.0


def daily_costs(days: int, seed: int) -> Floats:
    """What each of `days` cost, the first of them a Monday. The same seed gives the same bill."""
    rng = np.random.default_rng(seed)
    day = np.arange(days)
    growth = rng.uniform(-0.01, 0.05) * day / _MONTH_DAYS  # of the logarithm, a month
    week_end = np.isin(day % 7, (5, 6)) * np.log(1 - rng.uniform(0.05, 0.4))
    scale, carried = rng.uniform(0.01, 0.05), rng.uniform(0.0, 0.4)
    noise = np.zeros(days)
    for number, drawn in enumerate(scale * rng.standard_t(3, days) / np.sqrt(3)):
        noise[number] = drawn + (carried * noise[number - 1] if number else 0.0)
    holidays = np.zeros(days)
    for first in rng.choice(days, size=max(1, days // 40), replace=False):
        holidays[first : first + int(rng.integers(1, 3))] = np.log(1 - rng.uniform(0.1, 0.4))
    week_end_or_holiday = np.minimum(week_end, holidays)
    level = np.log(rng.uniform(50.0, 50_000.0))
    return np.asarray(np.exp(level + growth + week_end_or_holiday + noise))
