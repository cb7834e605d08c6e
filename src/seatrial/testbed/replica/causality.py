"""Who has seen what: dots and version vectors.

Each region numbers its operations 1, 2, 3 … and passes them on in that order, so what a replica has seen of a
region is a prefix, and one number a region describes all that it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Vector = Mapping[str, int]  # region → how many of its operations


class Dot(NamedTuple):
    """One operation: where it was issued, and its number there."""

    origin: str
    number: int


def covers(vector: Vector, dot: Dot) -> bool:
    """Whether the operation is among those that `vector` describes."""
    return dot.number <= vector.get(dot.origin, 0)


def dominates(vector: Vector, other: Vector) -> bool:
    """Whether `vector` describes all that `other` does."""
    return all(vector.get(origin, 0) >= number for origin, number in other.items())


def joined(one: Vector, other: Vector) -> dict[str, int]:
    """All that either describes."""
    return {origin: max(one.get(origin, 0), other.get(origin, 0)) for origin in one.keys() | other.keys()}
