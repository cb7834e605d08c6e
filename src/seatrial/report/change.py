"""What two measurements of an objective say about each other.

Two measured intervals that overlap may hold the same true value, so only disjoint ones are called different.
A value without bounds says how it moved and nothing more: nobody knows how far it moves by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

from seatrial.model.figures import at_least
from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict


class Change(StrEnum):
    """What an objective's two measurements say about each other."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "can't tell"
    HIGHER = "higher, without bounds"
    LOWER = "lower, without bounds"
    EQUAL = "the same"
    INCOMPARABLE = "not comparable"


def change(before: ObjectiveResult | None, after: ObjectiveResult | None) -> Change:
    """How `after` stands to `before`."""
    if before is None or after is None or before.unit != after.unit:
        return Change.INCOMPARABLE
    if before.lower is None or after.lower is None:
        return Change.INCOMPARABLE
    ends = (before.lower, _upper(before)), (after.lower, _upper(after))
    return between(*ends, more_is_better=at_least(after.unit))


def between(before: tuple[float, float], after: tuple[float, float], *, more_is_better: bool) -> Change:
    """How one interval stands to another, each from its lower end to its upper."""
    if before[0] == before[1] and after[0] == after[1]:
        return _of_values(before[0], after[0])
    if after[0] > before[1]:
        return Change.BETTER if more_is_better else Change.WORSE
    if after[1] < before[0]:
        return Change.WORSE if more_is_better else Change.BETTER
    return Change.ALIKE


def verdict_of(changes: Iterable[Change]) -> Verdict:
    """Fail: something is worse. Unknown: there was nothing that could be compared. Else pass: not worse."""
    found = {each for each in changes if each is not Change.INCOMPARABLE}
    if Change.WORSE in found:
        return Verdict.FAIL
    return Verdict.PASS if found else Verdict.UNKNOWN


def _upper(one: ObjectiveResult) -> float:
    """The upper end; infinite when the end was never seen, which a file tells as null."""
    return math.inf if one.upper is None else one.upper


def _of_values(before: float, after: float) -> Change:
    if before == after:
        return Change.EQUAL
    return Change.HIGHER if after > before else Change.LOWER
