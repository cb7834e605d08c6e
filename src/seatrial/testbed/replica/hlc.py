"""Hybrid logical clocks: stamps that respect causality however wrong the regions' clocks are.

Kulkarni, Demirbas, Madappa, Avva, Leone: *Logical Physical Clocks* (OPODIS 2014). A stamp is (l, c): l is the
greatest physical time heard of, c counts events within one l. The paper has two rules:

    local event:      l' = max(l, pt)        c' = c + 1 if l' = l else 0
    receiving (m):    l' = max(l, l.m, pt)   c' = 1 + the greatest c among those of l, m whose l is l', or 0

Both are the successor of the lexicographic maximum of what the clock has seen: with (L, C) = max((l, c), m),
l' = max(L, pt) and c' = C + 1 if l' = L else 0. (Where l = l.m the maximum has the greater c, otherwise it
has the c of the greater l: the cases of the paper.) So a clock keeps that maximum, and there is one rule.

A stamp is never behind its process's physical clock, and ahead of it only by as much as clocks differ. That
difference is bounded by declaration: who hears of a stamp from further ahead refuses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"(\d{1,16})\.(\d{1,9})", re.ASCII)


class DriftError(Exception):
    """A stamp is further ahead of the physical clock than clocks may differ."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """An instant of a hybrid logical clock; ordered as pairs are."""

    time_us: int  # l: microseconds of the Unix epoch
    count: int  # c

    def __str__(self) -> str:
        return f"{self.time_us}.{self.count}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`. Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text[:40]}' is not a stamp")
        return cls(int(match[1]), int(match[2]))


ORIGIN = Stamp(0, 0)  # before every event


def successor(seen: Stamp, physical_us: int, max_drift_us: int) -> Stamp:
    """The stamp of an event that comes after all that has been `seen`. Raises DriftError."""
    require_bounded(seen, physical_us, max_drift_us)
    if physical_us > seen.time_us:
        return Stamp(physical_us, 0)
    return Stamp(seen.time_us, seen.count + 1)


def require_bounded(stamp: Stamp, physical_us: int, max_drift_us: int) -> None:
    """Raise DriftError when `stamp` is more than `max_drift_us` ahead of the physical clock."""
    ahead_us = stamp.time_us - physical_us
    if ahead_us > max_drift_us:
        raise DriftError(
            f"a stamp is {ahead_us / 1e6:.3f} s ahead of this clock, {max_drift_us / 1e6:g} s are allowed; "
            "set the clocks right"
        )
