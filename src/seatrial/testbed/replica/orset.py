"""An observed-remove set without tombstones: a removal takes away the additions that its region had seen.

Bieniusa, Zawirski, Preguiça, Shapiro, Baquero, Balegas, Duarte: *An optimized conflict-free replicated set*
(INRIA RR-8083, 2012). A member is kept together with the dots of its additions. A dot that one replica holds
and another does not is new to the other if the other's version vector does not cover it, and was removed
there if it does; so nothing needs to be kept of what was removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seatrial.testbed.replica.causality import Dot, Vector, covers

Dots = frozenset[Dot]


@dataclass(frozen=True, slots=True)
class ObservedRemoveSet:
    """Members, each with the additions that keep it in: a member without any is not in `additions`."""

    additions: Mapping[str, Dots] = field(default_factory=dict)

    def adding(self, member: str, dot: Dot, context: Vector) -> ObservedRemoveSet:
        """With an addition, which replaces those that its region had seen."""
        return self._with(member, self._unseen(member, context) | {dot})

    def removing(self, member: str, context: Vector) -> ObservedRemoveSet:
        """Without the additions that the removing region had seen: one concurrent with it stays."""
        return self._with(member, self._unseen(member, context))

    def _unseen(self, member: str, context: Vector) -> Dots:
        dots = self.additions.get(member, frozenset())
        return frozenset(dot for dot in dots if not covers(context, dot))

    def _with(self, member: str, dots: Dots) -> ObservedRemoveSet:
        rest = {each: kept for each, kept in self.additions.items() if each != member}
        return ObservedRemoveSet({**rest, member: dots} if dots else rest)


def merge(
    one: ObservedRemoveSet, seen: Vector, other: ObservedRemoveSet, other_seen: Vector
) -> ObservedRemoveSet:
    """The union of what both hold and of what either holds and the other has not seen."""
    merged: dict[str, Dots] = {}
    for member in one.additions.keys() | other.additions.keys():
        mine = one.additions.get(member, frozenset())
        theirs = other.additions.get(member, frozenset())
        fresh = frozenset(dot for dot in mine - theirs if not covers(other_seen, dot))
        dots = (mine & theirs) | fresh | frozenset(dot for dot in theirs - mine if not covers(seen, dot))
        if dots:
            merged[member] = dots
    return ObservedRemoveSet(merged)
