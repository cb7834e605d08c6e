"""Which findings are one and the same weakness.

A weakness of two faults shows in each order that they may come in, and each of these is found and shrunk by
itself: to whoever has to mend it they are one. So one is listed, the plainest, and the others are its
witnesses.

    a ────          a ──────            a ──
      b ──────    b ────              b ──           three findings, one weakness: a and b at one time
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seatrial.explore.record import Finding
from seatrial.explore.schedule import choices_of, holds


@dataclass(frozen=True, slots=True)
class Weakness:
    """What one thing that is wrong was seen as, the plainest first; at least one."""

    witnesses: tuple[Finding, ...]

    @property
    def plainest(self) -> Finding:
        """The one that it is told by."""
        return self.witnesses[0]


def weaknesses_of(findings: Iterable[Finding]) -> list[Weakness]:
    """Each weakness once, in the order in which the first finding of it came."""
    order = list(findings)
    found: list[list[Finding]] = []
    for finding in sorted(order, key=_plainness):
        for witnesses in found:
            if is_one(witnesses[0], finding):
                witnesses.append(finding)
                break
        else:
            found.append([finding])
    found.sort(key=lambda witnesses: min(map(order.index, witnesses)))
    return [Weakness(tuple(witnesses)) for witnesses in found]


def is_one(plainer: Finding, other: Finding) -> bool:
    """Whether two findings are one weakness: a promise that both broke, by the same faults.

    In which order and for how long is how it was seen. A failure that was not shrunk to the end, and has
    these faults among others, is not known to be anything else.
    """
    if plainer.violated and other.violated and not plainer.violated & other.violated:
        return False
    faults, others = choices_of(plainer.schedule), choices_of(other.schedule)
    return (
        faults == others
        or holds(other.schedule, plainer.schedule)
        or (faults < others and not other.complete)
    )


def _plainness(finding: Finding) -> tuple[int, bool, float, int, int]:
    """The fewest faults first, then what was shrunk to the end, fails surely, is short and early."""
    schedule = finding.schedule
    return (
        len(schedule),
        not finding.complete,
        -finding.failed / max(finding.of, 1),
        sum(each.length for each in schedule),
        sum(each.at for each in schedule),
    )
