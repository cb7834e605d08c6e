"""How soon anomalies in bills by the hour are found, and what it costs in false alarms, beside bills by the day.

    python -m tests.bench.bench_cost_hours [BILLS]

Each bill is of 120 days of hours: what days of `bench_cost` cost, with mornings, evenings, week-ends, a batch at
night, and noise of the hours' own with heavy tails. In every third the clocks are changed within the month
that is watched. In five of six something is planted, at some hour of the days 92 to 104. The last 30 days are
watched by four, of whom none knows what comes later:

* days: the same bill added up to days, and the detector of days. It tells at the end of a day.
* hours: the detector of hours alone. It tells when the hour after is over, for the newest is not judged.
* both: what `seatrial cost watch --hours` does with such a bill.
* naive: an hour above the mean of the last 30 days by three standard deviations; a missing one cost nothing.

The delay is counted from the beginning of the first hour that is planted. A false alarm is a day on which
somebody is told of something that was not planted: many hours of one day are one. Thresholds were chosen on
seeds 0 to 47; the bills here have other seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from tests.bench.bench_cost import DAYS, FIRST_SEED, MONDAY, WATCHED_FROM, Tally, alarms, even, kinds

from seatrial.cost.detector import found_on
from seatrial.cost.hours import dear
from seatrial.cost.series import HOURS, CostSeries, Floats
from seatrial.cost.synthetic import hourly_costs

BILLS = 300

KINDS = ("nothing", "spike, 1 hour", "spike, 2 to 12 hours", "leak", "price", "missing hours")


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill by the hour, and the hours of it that are not as they would have been."""

    hours: Floats
    what: str
    planted: range

    @property
    def days(self) -> Floats:
        """What each day cost; one that lacks an hour is not known."""
        return np.asarray(self.hours.reshape(DAYS, HOURS).sum(axis=1))

    def is_of_it(self, day: int) -> bool:
        """Whether a day has hours that were planted."""
        return bool(self.planted) and self.planted[0] // HOURS <= day <= self.planted[-1] // HOURS


def bill_of(seed: int) -> Bill:
    """The bill of a seed. Sizes are even on a scale of logarithms."""
    rng = np.random.default_rng((seed, 2))
    changed = int(rng.integers(WATCHED_FROM, DAYS - 10)) if seed // len(KINDS) % 3 == 0 else None
    hours = hourly_costs(DAYS, seed, changed)
    what = KINDS[seed % len(KINDS)]
    begin = int(rng.integers((WATCHED_FROM + 2) * HOURS, (WATCHED_FROM + 15) * HOURS))
    length, size = len(hours) - begin, 0.0
    match what:
        case "nothing":
            return Bill(hours, what, range(0))
        case "missing hours":
            length = int(rng.integers(1, 13))
            hours[begin : begin + length] = np.nan
        case "leak":  # of a week's median hour, each day
            size = even(rng, 0.01, 0.06)
            level = float(np.median(hours[begin - 7 * HOURS : begin]))
            hours[begin:] += size * level * np.arange(1, length + 1) / HOURS
        case "price":
            size = even(rng, 0.1, 1.0)
            hours[begin:] *= 1 + size
        case _:
            length = 1 if "1 hour" in what else int(rng.integers(2, 13))
            size = even(rng, 0.5, 5.0)
            hours[begin : begin + length] *= 1 + size
    sized = f", {'up to 50%' if size <= 0.5 else 'more than 50%'}" if what == "price" else ""
    sized = f", {'up to x2' if size <= 1 else 'more than x2'}" if "spike" in what else sized
    return Bill(hours, what + sized, range(begin, begin + length))


Told = dict[int, int]  # day ─► hours of the bill that were over when it was told, of those days that were


def days(bill: Bill) -> Told:
    """What is found when hours are added up to days."""
    series = CostSeries(MONDAY, bill.days)
    found = (day for day in range(WATCHED_FROM, DAYS) if found_on(series, day) is not None)
    return {day: (day + 1) * HOURS for day in found}


def hours(bill: Bill) -> Told:
    """What is found by hours alone."""
    told: Told = {}
    series = CostSeries(MONDAY, bill.days, hours=bill.hours)
    for hour, finding in dear(series, WATCHED_FROM, len(bill.hours) - 1):
        told.setdefault((finding.day - MONDAY).days, hour + 2)
    return told


def naive(bill: Bill) -> Told:
    """Mean and three standard deviations of the hours of the last 30 days."""
    told, spent = Told(), np.nan_to_num(bill.hours)
    for hour in range(WATCHED_FROM * HOURS, len(spent) - 1):
        before = spent[hour - 30 * HOURS : hour]
        if spent[hour] > before.mean() + 3 * before.std():
            told.setdefault(hour // HOURS, hour + 2)
    return told


def _sooner(one: Told, other: Told) -> Told:
    return {day: min(one.get(day, sys.maxsize), other.get(day, sys.maxsize)) for day in one | other}


def watched(bill: Bill, told: Told) -> tuple[int, int, int | None]:
    """What came of a bill: days with nothing planted, false alarms, and the delay in hours."""
    quiet = sum(not bill.is_of_it(day) for day in range(WATCHED_FROM, DAYS))
    of_it = [at for day, at in told.items() if bill.is_of_it(day) and at > bill.planted[0] + 1]
    # what was told of the first of them before its first hour was over is of other hours
    false = len(told) - len(of_it)
    return quiet, false, min(of_it) - bill.planted[0] if of_it else None


def tallied(seeds: Iterable[int]) -> dict[str, dict[str, Tally]]:
    """What came of the bills of these seeds, by who watched and by what was planted."""
    watchers: dict[str, Callable[[Bill], Told]] = {"days": days, "hours": hours, "naive": naive}
    tallies: dict[str, dict[str, Tally]] = {}
    for seed in seeds:
        bill = bill_of(seed)
        told = {name: watch(bill) for name, watch in watchers.items()}
        told["both"] = _sooner(told["days"], told["hours"])
        for name, each in told.items():
            tallies.setdefault(name, {}).setdefault(bill.what, Tally()).add(*watched(bill, each))
    return tallies


def lines(tallies: dict[str, Tally]) -> Iterator[str]:
    """A line for each kind, and one for all."""
    yield from kinds(dict(sorted(tallies.items())), 36, 18)
    quiet, false = alarms(tallies.values())
    yield f"  false alarms: {false} on {quiet:,} days with nothing planted, {30 * false / quiet:.3f} a month"


def main(bills: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    say(f"{bills} bills; delay in hours after the first: median / 95 % / longest\n")
    for name, tallies in tallied(range(FIRST_SEED, FIRST_SEED + bills)).items():
        say(f"{name:<38}{'bills':>6}{'missed':>8}{'delay':>18}{'false':>8}\n")
        for line in lines(tallies):
            say(f"{line}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BILLS)
