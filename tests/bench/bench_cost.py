"""How soon anomalies in bills are found, which are missed, and how often somebody is woken for nothing.

    python -m tests.bench.bench_cost [BILLS]

Each bill is of 120 days: growth, a week with cheaper week-ends, noise with heavy tails, holidays. The last 30
are watched day by day by one who knows no later day. In four of five bills something is planted. Beside the
detector stands what is written in an afternoon: a day above the mean of the last 30 by three standard
deviations, to which a day that is missing is a day that cost nothing.

The detector's thresholds were chosen on seeds 0 to 199; the bills here have other seeds. Its own findings on
days before the planted one (of a spike or a gap, also after it) are false alarms, whatever noise caused them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from seatrial.cost.detector import found_on
from seatrial.cost.planting import Anomaly, Planted
from seatrial.cost.series import CostSeries, Floats
from seatrial.cost.synthetic import daily_costs

BILLS, FIRST_SEED = 1_000, 10_000
DAYS, WATCHED_FROM = 120, 90
MONDAY = date(2026, 1, 5)

Alarm = Callable[[Floats, int], bool]


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill, and what was planted in it."""

    values: Floats
    planted: Planted | None

    @property
    def what(self) -> str:
        """Of which kind, and of which size: a small one is hard to tell from noise."""
        if self.planted is None:
            return "nothing"
        if self.planted.anomaly is Anomaly.GAP:
            return "missing days"
        low, high = SIZES[self.planted.anomaly]
        return f"{self.planted.anomaly}, {'small' if self.planted.size < (low * high) ** 0.5 else 'large'}"

    def is_of_it(self, day: int) -> bool:
        """Whether a finding on a day is one of what was planted."""
        if self.planted is None or day < self.planted.day:
            return False
        goes_on = self.planted.anomaly in (Anomaly.LEAK, Anomaly.PRICE)
        return goes_on or day < self.planted.day + self.planted.days


SIZES = {Anomaly.SPIKE: (0.3, 3.0), Anomaly.LEAK: (0.01, 0.06), Anomaly.PRICE: (0.1, 1.0)}


def bill_of(seed: int) -> Bill:
    """The bill of a seed: every fifth is left as it is. Sizes are even on a scale of logarithms."""
    values, rng = daily_costs(DAYS, seed), np.random.default_rng((seed, 1))
    kinds = [None, *Anomaly]
    kind = kinds[seed % len(kinds)]
    if kind is None:
        return Bill(values, None)
    day = int(rng.integers(WATCHED_FROM + 2, WATCHED_FROM + 15))
    low, high = SIZES.get(kind, (1.0, 1.0))
    size = even(rng, low, high)
    planted = Planted(kind, day, size, days=int(rng.integers(1, 4)) if kind is Anomaly.GAP else 1)
    return Bill(planted.into(values), planted)


def even(rng: np.random.Generator, low: float, high: float) -> float:
    """A size between two, even on a scale of logarithms."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def detector(values: Floats, day: int) -> bool:
    """What the product finds."""
    return found_on(CostSeries(MONDAY, values), day) is not None


def naive(values: Floats, day: int) -> bool:
    """Mean and three standard deviations of the last 30 days."""
    spent = np.nan_to_num(values[day - 30 : day + 1])
    return bool(spent[-1] > spent[:-1].mean() + 3 * spent[:-1].std())


@dataclass(slots=True)
class Tally:
    """What came of all bills of a kind."""

    bills: int = 0
    delays: list[int] = field(default_factory=list)
    quiet_days: int = 0
    false: int = 0

    @property
    def missed(self) -> int:
        return self.bills - len(self.delays)

    def add(self, quiet_days: int, false: int, delay: int | None) -> None:
        """Count a bill. `delay`: None when what was planted was missed, or nothing was."""
        self.bills += 1
        self.quiet_days += quiet_days
        self.false += false
        if delay is not None:
            self.delays.append(delay)


def watched(bill: Bill, alarm: Alarm) -> tuple[int, int, int | None]:
    """What came of a bill: days with nothing planted, how many of them were told, and the delay in days."""
    days = range(WATCHED_FROM, DAYS)
    quiet = [day for day in days if not bill.is_of_it(day)]
    false = sum(alarm(bill.values, day) for day in quiet)
    found = next((day for day in days if bill.is_of_it(day) and alarm(bill.values, day)), None)
    return len(quiet), false, None if found is None or bill.planted is None else found - bill.planted.day


def tallied(seeds: Iterable[int], alarm: Alarm) -> dict[str, Tally]:
    """What came of the bills of these seeds, by what was planted."""
    tallies: dict[str, Tally] = {}
    for seed in seeds:
        bill = bill_of(seed)
        tallies.setdefault(bill.what, Tally()).add(*watched(bill, alarm))
    return dict(sorted(tallies.items()))


def kinds(tallies: dict[str, Tally], what_width: int, delay_width: int) -> Iterator[str]:
    """A line for each kind."""
    for what, tally in tallies.items():
        delays = "–" if not tally.delays else "{:.0f} / {:.0f} / {:.0f}".format(
            *np.percentile(tally.delays, [50, 95, 100])
        )  # fmt: skip
        missed = "–" if what == "nothing" else str(tally.missed)
        yield f"  {what:<{what_width}}{tally.bills:>6}{missed:>8}{delays:>{delay_width}}{tally.false:>8}"


def alarms(tallies: Iterable[Tally]) -> tuple[int, int]:
    """Days with nothing planted of all kinds, and false alarms."""
    of_all = list(tallies)
    return sum(each.quiet_days for each in of_all), sum(each.false for each in of_all)


def lines(tallies: dict[str, Tally]) -> Iterator[str]:
    """A line for each kind, and one for all."""
    yield from kinds(tallies, 14, 16)
    quiet, false = alarms(tallies.values())
    yield f"  false alarms: {false} on {quiet:,} days with nothing planted, one in {quiet / max(false, 1):,.0f} days"


def main(bills: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    seeds = range(FIRST_SEED, FIRST_SEED + bills)
    say(f"{bills} bills; delay in days after the first: median / 95 % / longest\n")
    for name, alarm in (("detector", detector), ("mean + 3 sd", naive)):
        say(f"{name:<16}{'bills':>6}{'missed':>8}{'delay':>16}{'false':>8}\n")
        for line in lines(tallied(seeds, alarm)):
            say(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BILLS)
