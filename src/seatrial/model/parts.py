"""Long columns a part at a time, so that what is computed on the way needs no memory that grows with them.

`a - b <= c` of 15 million rows makes 120 MB of differences, only to see each of them once. Over parts it
makes two, and the answer is the same: whatever is computed here of a row depends on that row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 1 << 18  # of a part

Values = npt.NDArray[Any]


def parts(length: int) -> Iterator[slice]:
    """All rows in order, a part of them at a time."""
    return (slice(start, min(start + ROWS, length)) for start in range(0, length, ROWS))


def least_to_come(least: Sequence[float]) -> list[float]:
    """Of each part and all behind it the least value, given that of each; infinity stands at the end."""
    found = np.minimum.accumulate(np.array([*least, np.inf])[::-1])[::-1]
    return [float(value) for value in found]


def each(length: int, kind: npt.DTypeLike, of: Callable[[slice], Values]) -> Values:
    """A column of what `of` makes of each row; shape (length,)."""
    found = np.empty(length, dtype=kind)
    for rows in parts(length):
        found[rows] = of(rows)
    return found


def some(length: int, kind: npt.DTypeLike, of: Callable[[slice], Values]) -> Values:
    """What `of` picks from each part, fewer values than it has rows perhaps, one part after the other."""
    found, count = np.empty(length, dtype=kind), 0  # memory that is not written to is none
    for rows in parts(length):
        picked = of(rows)
        found[count : count + len(picked)] = picked
        count += len(picked)
    return found[:count]


def kept(values: Values, wanted: Callable[[Values], Values]) -> Values:
    """The values that are `wanted` (a truth for each), in the memory of all, which are used up."""
    count = 0
    for rows in parts(len(values)):
        picked = values[rows][wanted(values[rows])]
        values[count : count + len(picked)] = picked
        count += len(picked)
    return values[:count]


def counts(length: int, kinds: int, of: Callable[[slice], Values]) -> npt.NDArray[np.int64]:
    """How often each number from 0 to `kinds` - 1 is among those that `of` gives; shape (kinds,)."""
    found = np.zeros(kinds, dtype=np.int64)
    for rows in parts(length):
        found += np.bincount(of(rows), minlength=kinds)
    return found
