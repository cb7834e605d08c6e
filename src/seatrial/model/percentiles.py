"""Percentiles by nearest rank, and how many values one needs.

The p-th percentile of n values is the r-th smallest, r = ⌈p·n/100⌉: a value that occurred, not one between
two. With few values it is the largest under another name. It is more than that when a value lies above it:

    ⌈p·n/100⌉ ≤ n - 1   ⇔   p·n/100 ≤ n - 1   ⇔   n·(100 - p) ≥ 100   ⇔   n ≥ 100 / (100 - p)

so p50 needs 2 values, p90 10, p95 20 and p99 100. Of fewer it is not told: the p99 of nine answers says
nothing about the one in a hundred that it is named after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # results are read without a request log, and its arrays take long to load
    from seatrial.model.requestlog import Floats


def fewest(percent: int) -> int:
    """How many values a percentile needs; 1 for the largest value, which is the 100th."""
    return 1 if percent >= 100 else -(-100 // (100 - percent))


def carries(count: int, percent: int) -> bool:
    """Whether `count` values are enough for this percentile."""
    return count >= fewest(percent)


def rank_of(count: int, percent: int) -> int:
    """Where the percentile stands among `count` values in ascending order, from 0."""
    return -(-percent * count // 100) - 1


def percentile(ascending: Sequence[float] | Floats, percent: int) -> float | None:
    """The nearest rank of values in ascending order; None when they are too few to carry it."""
    count = len(ascending)
    return float(ascending[rank_of(count, percent)]) if carries(count, percent) else None
