"""Which faults come when: whole numbers on a grid of slots, so that schedules can be compared and counted.

    slot     0    1    2    3    4    5    6    7    8
    pause    ├─────────┤                                  Injection("process.pause on db", at=0, length=2)
    kill               ├─────────────────────┤            Injection("process.kill on app", at=2, length=4)

A length is one of four, each twice the one before: whether a weakness shows hangs on the order of magnitude
of a fault's length far more than on its last tenth, and four of them are soon tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

LENGTHS = (1, 2, 4, 8)
"""How many slots a fault may last."""
SLOTS = 16
"""How many there are: every fault is over by then, and the rest of a run is for the service to recover."""


class Relation(StrEnum):
    """How two faults of a schedule stand to one another in time."""

    TOGETHER = "together with"
    """Both begin at one instant."""
    DURING = "and, before it is over,"
    """The second begins while the first lasts."""
    THEN = "and then"
    """The second begins when the first is over."""


@dataclass(frozen=True, slots=True, order=True)
class Injection:
    """One fault of a schedule. `choice`: its key in the space; `at`, `length`: slots."""

    at: int
    choice: str
    length: int

    @property
    def end(self) -> int:
        """The first slot after it."""
        return self.at + self.length


Schedule = tuple[Injection, ...]
"""Injections in the order of their instants. The empty one is the load alone."""


def scheduled(injections: Iterable[Injection]) -> Schedule:
    """The schedule of these injections."""
    return tuple(sorted(injections))


def choices_of(schedule: Schedule) -> frozenset[str]:
    """The faults of a schedule, whenever they come."""
    return frozenset(each.choice for each in schedule)


def pairs_of(schedule: Schedule) -> Iterator[tuple[Injection, Injection]]:
    """Every two of its injections, the earlier first."""
    yield from itertools.combinations(schedule, 2)


def relation(first: Injection, second: Injection) -> Relation:
    """How two injections stand to one another; `first` does not begin later than `second`."""
    if first.at == second.at:
        return Relation.TOGETHER
    return Relation.THEN if first.end <= second.at else Relation.DURING


def order_of(first: Injection, second: Injection) -> str:
    """The same with who comes first: `a and then b`."""
    return ordered(first.choice, relation(first, second), second.choice)


def ordered(one: str, how: Relation, other: str) -> str:
    """The name of an order. Of two that begin together none is the first."""
    if how is Relation.TOGETHER:
        one, other = sorted((one, other))
    return f"{one} {how} {other}"


def holds(schedule: Schedule, weakness: Schedule) -> bool:
    """Whether a weakness is part of a schedule: the same faults, as long at least, in the same order.

    Such a schedule would fail for what is known already, and show nothing new.
    """
    mine = {each.choice: each for each in schedule}
    if not choices_of(weakness) <= mine.keys():
        return False
    if any(mine[each.choice].length < each.length for each in weakness):
        return False
    return all(
        order_of(*sorted((mine[one.choice], mine[other.choice]))) == order_of(one, other)
        for one, other in pairs_of(weakness)
    )
