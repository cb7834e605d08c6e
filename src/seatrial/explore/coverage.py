"""What was tried together so far, counted from the record of trials: faults, pairs of them, and their orders.

Only a run that was judged counts as a try. One that proved nothing is counted apart: it covers nothing, and
yet whoever chooses next has to know of it, or would choose it for ever.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

from seatrial.explore.record import Trial
from seatrial.explore.schedule import (
    LENGTHS,
    Injection,
    Relation,
    Schedule,
    order_of,
    ordered,
    pairs_of,
    relation,
    scheduled,
)
from seatrial.explore.space import Space
from seatrial.model.verdict import Verdict

Pair = tuple[str, str]
Way = tuple[str, str, str, int]
"""How a fault was tried, or two of them: `a`, `b` or "", in what way, and how many slots of it."""
CLOSE = 2
"""Slots between two faults, at most, that follow on each other's heels."""


@dataclass(slots=True)
class Coverage:
    """How often each fault, pair, order and way was tried. `in_vain`: the same where nothing was proven."""

    faults: Counter[str] = field(default_factory=Counter)
    pairs: Counter[Pair] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    ways: Counter[Way] = field(default_factory=Counter)
    in_vain: Counter[str | Pair | Way] = field(default_factory=Counter)

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Coverage:
        """That of some trials."""
        coverage = cls()
        for trial in trials:
            coverage.add(trial)
        return coverage

    def add(self, trial: Trial) -> None:
        """Count one more."""
        faults, pairs, orders = parts_of(trial.schedule)
        ways = ways_of(trial.schedule)
        if trial.outcome.verdict is Verdict.UNKNOWN:
            self.in_vain.update([*faults, *pairs, *orders, *ways])
            return
        self.faults.update(faults)
        self.pairs.update(pairs)
        self.orders.update(orders)
        self.ways.update(ways)

    def news(self, schedule: Schedule) -> float:
        """How much of a schedule is new. A pair weighs most: services are hardly tried in pairs."""
        faults, pairs, orders = parts_of(schedule)
        return (
            sum(1.0 / (1 + self.faults[each] + self.in_vain[each]) ** 2 for each in faults)
            + sum(2.0 / (1 + self.pairs[each] + self.in_vain[each]) ** 2 for each in pairs)
            + sum(1.0 / (1 + self.orders[each] + self.in_vain[each]) ** 2 for each in orders)
            + sum(1.0 / (1 + self.ways[each] + self.in_vain[each]) ** 2 for each in ways_of(schedule))
        )

    def share(self, space: Space) -> dict[str, tuple[int, int]]:
        """Of the faults, pairs and orders of a space: how many were tried, and how many there are."""
        pairs = [tuple(sorted(pair)) for pair in combinations(space.keys, 2)]
        orders = {
            ordered(*way) for one, other in combinations(space.keys, 2) for way in _ways(space, one, other)
        }
        return {
            "faults": (sum(self.faults[key] > 0 for key in space.keys), len(space.keys)),
            "pairs": (sum(self.pairs[one, other] > 0 for one, other in pairs), len(pairs)),
            "orders": (sum(self.orders[each] > 0 for each in orders), len(orders)),
        }


def _ways(space: Space, one: str, other: str) -> list[tuple[str, Relation, str]]:
    """The orders in which two faults may come."""
    apart = space.legal(scheduled([Injection(0, one, 1), Injection(0, other, 1)]))
    ways = [(one, Relation.THEN, other), (other, Relation.THEN, one)]
    if apart:
        ways += [
            (one, Relation.DURING, other),
            (other, Relation.DURING, one),
            (one, Relation.TOGETHER, other),
        ]
    return ways


def parts_of(schedule: Schedule) -> tuple[list[str], list[Pair], list[str]]:
    """The faults, pairs and orders that a schedule tries."""
    pairs: list[Pair] = []
    orders: list[str] = []
    for first, second in pairs_of(schedule):
        low, high = sorted((first.choice, second.choice))
        pairs.append((low, high))
        orders.append(order_of(first, second))
    return [each.choice for each in schedule], pairs, orders


def ways_of(schedule: Schedule) -> list[Way]:
    """How long its faults last, how long two of them overlap, and how closely one follows the other.

    What lasts or overlaps for long has tried what is shorter as well, as far as that goes: many a weakness
    needs a while to show. It has not tried what only something short brings about, so that is told apart.
    """
    ways: list[Way] = []
    for each in schedule:
        ways += [(each.choice, "", "for long", length) for length in LENGTHS if length <= each.length]
        ways.append((each.choice, "", "for just", each.length))
    for first, second in pairs_of(schedule):
        if relation(first, second) is Relation.THEN:
            how = "close" if second.at - first.end <= CLOSE else "far"
            ways.append((first.choice, second.choice, how, 0))
            continue
        low, high = sorted((first.choice, second.choice))
        overlap = min(first.end, second.end) - second.at
        ways += [(low, high, "overlapping", length) for length in LENGTHS if length <= overlap]
    return ways


def interval(failed: int, of: int) -> tuple[float, float]:
    """Between which shares a failure's probability lies, at 95 %: Wilson's score interval.

    Of the two roots p of (k/n − p)² = z² p (1 − p) / n: an interval that is sensible for few tries and for
    none or all of them having failed (E. B. Wilson, JASA 22, 1927). Of no try it is [0, 1].
    """
    if not of:
        return 0.0, 1.0
    z = 1.959964
    share = failed / of
    middle = share + z * z / (2 * of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
