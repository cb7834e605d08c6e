"""Looks at a system during a run, again and again: what it said, and within which two instants it said so.

A system was as it said at some instant between `asked_s` and `answered_s`, both on our own clock. So what was
not yet so at one look and was so at the next began between the first's `asked_s` and the second's
`answered_s`, whatever clocks of others say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


@dataclass(frozen=True)  # without slots: with them a subscripted call raises in Python 3.11
class Look(Generic[Seen]):
    """One look. `seen` is None, and `error` says why, when nobody answered. Instants: the request log's."""

    asked_s: float
    answered_s: float
    seen: Seen | None
    error: str = ""

    def since(self, zero_s: float) -> Look[Seen]:
        """The same with its instants counted from `zero_s`."""
        return Look(self.asked_s - zero_s, self.answered_s - zero_s, self.seen, self.error)


@dataclass(frozen=True, slots=True)
class Blind:
    """A stretch during which nobody is known to have looked and seen. `why`: the last error in it."""

    begin_s: float
    end_s: float
    why: str = ""

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.begin_s


def blind(looks: Iterable[Look[Seen]], begin_s: float, end_s: float, longest_s: float) -> Iterator[Blind]:
    """Stretches between `begin_s` and `end_s`, longer than `longest_s`, in which no look was answered.

    A look counts from `asked_s` to `answered_s`. Looks are in order of time.
    """
    seen_until_s, why = begin_s, ""
    for look in looks:
        if look.seen is None:
            why = look.error if look.asked_s >= seen_until_s or not why else why
            continue
        if look.answered_s <= begin_s:
            continue
        if look.asked_s >= end_s:
            break
        if look.asked_s - seen_until_s > longest_s:
            yield Blind(seen_until_s, look.asked_s, why)
        seen_until_s, why = max(seen_until_s, look.answered_s), ""
    if end_s - seen_until_s > longest_s:
        yield Blind(seen_until_s, end_s, why)
