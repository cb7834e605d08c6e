"""Bills that nobody has paid: what days cost, made of what real bills are made of, with a seed.

growth · a week with cheaper week-ends · noise with heavy tails that carries over into the next day · holidays
what hours cost: that, shared among them by mornings, evenings, quieter week-ends and a batch at night · noise
of their own, with heavy tails, that carries over into the next hour · clocks that are changed
"""

from __future__ import annotations

import numpy as np

from seatrial.cost.series import HOURS, Floats

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


def hourly_costs(days: int, seed: int, clocks_changed: int | None = None) -> Floats:
    """What each hour (UTC) of `days` cost: of each day about what `daily_costs` says it did.

    `clocks_changed`: from that day on all that people do is an hour earlier by UTC, or an hour later.
    """
    rng = np.random.default_rng((seed, HOURS))
    number = np.arange(days * HOURS)
    by_the_clock = number + int(rng.integers(HOURS))  # of some zone
    if clocks_changed is not None:
        by_the_clock = by_the_clock + (number >= clocks_changed * HOURS + 1) * int(rng.choice((-1, 1)))
    hour, week_end = by_the_clock % HOURS, np.isin(by_the_clock // HOURS % 7, (5, 6))
    awake = np.clip(np.sin((hour - 6) / 15 * np.pi), 0, None) * (hour >= 6) * (hour <= 21)
    shape = rng.uniform(0.1, 1.2) * awake * np.where(week_end, rng.uniform(0.2, 1.0), 1.0)
    if rng.random() < 0.5:  # a batch, each night or once a week
        weekday = by_the_clock // HOURS % 7
        nights = weekday >= 0 if rng.random() < 0.5 else weekday == rng.integers(7)
        shape = shape + nights * (hour == rng.integers(0, 6)) * np.log(1 + rng.uniform(0.2, 2.0))
    scale, carried = rng.uniform(0.02, 0.08), rng.uniform(0.0, 0.6)
    noise = np.zeros(len(number))
    for index, drawn in enumerate(scale * rng.standard_t(3, len(number)) / np.sqrt(3)):
        noise[index] = drawn + (carried * noise[index - 1] if index else 0.0)
    usual = np.exp(shape).reshape(days, HOURS)
    shares = usual / usual.mean() / HOURS
    weekly = shares.sum(axis=1, keepdims=True)  # the week is already in what days cost
    return np.asarray((daily_costs(days, seed)[:, None] * shares / weekly).ravel() * np.exp(noise))
