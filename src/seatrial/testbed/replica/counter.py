"""A PN-counter: what each region added and subtracted, summed up when it is read.

Shapiro, Preguiça, Baquero, Zawirski: *A comprehensive study of Convergent and Commutative Replicated Data
Types* (INRIA RR-7506, 2011), specification 7. A region's two totals only grow, and that region alone makes
them grow, so of two values of one the greater is the later, and merging is the maximum by region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counter:
    """Totals by region; both are sums of positive amounts."""

    plus: Mapping[str, int] = field(default_factory=dict)
    minus: Mapping[str, int] = field(default_factory=dict)

    @property
    def value(self) -> int:
        """What a reader sees."""
        return sum(self.plus.values()) - sum(self.minus.values())

    def adding(self, origin: str, amount: int) -> Counter:
        """The counter after a region added `amount`, which may be negative."""
        if amount >= 0:
            return Counter({**self.plus, origin: self.plus.get(origin, 0) + amount}, self.minus)
        return Counter(self.plus, {**self.minus, origin: self.minus.get(origin, 0) - amount})


def merge(one: Counter, other: Counter) -> Counter:
    """All that either has counted."""
    return Counter(_greatest(one.plus, other.plus), _greatest(one.minus, other.minus))


def _greatest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {origin: max(one.get(origin, 0), other.get(origin, 0)) for origin in one.keys() | other.keys()}
