"""The smallest schedule that still fails: fewer faults, then shorter ones, then simpler instants.

Delta debugging (A. Zeller and R. Hildebrandt, IEEE TSE 28, 2002), made for trials that take a minute each and
may fail by chance: a handful of faults are left out one by one, so what is left is 1-minimal (each of its
faults is needed), and whether a part fails is for `fails` to say, by as many repetitions as that takes. The
libraries that there are reduce long lists by cheap, certain tests, and test what they were given again and
again.

    a, b, c ─► a, c fails ─► a fails? no ─► c fails? no ─► a ─── ─► a ─ ─► both at once? ─► a, then c at once?
       fewer                                                shorter          simpler
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from seatrial.explore.schedule import LENGTHS, Relation, Schedule, relation, scheduled
from seatrial.explore.space import Space

Fails = Callable[[Schedule], bool]
_ROUNDS = 3


def shrink(schedule: Schedule, space: Space, fails: Fails, smaller: Callable[[Schedule], None]) -> Schedule:
    """What is left of a schedule that fails.

    `smaller` hears of each smaller one that fails as well, for whoever has to stop early. The load alone is
    never tried: it is the control, and has passed.
    """
    known: dict[Schedule, bool] = {schedule: True}

    def still_fails(part: Schedule) -> bool:
        if part not in known:
            known[part] = space.legal(part) and fails(part)
            if known[part]:
                smaller(part)
        return known[part]

    schedule = fewer(schedule, still_fails)
    for _ in range(_ROUNDS):
        before = schedule
        schedule = simpler(shorter(schedule, still_fails), space, still_fails)
        if schedule == before:
            break
    return schedule


def fewer(schedule: Schedule, fails: Fails) -> Schedule:
    """Leave faults out, as long as the rest still fails."""
    for left_out in schedule:
        rest = tuple(each for each in schedule if each != left_out)
        if rest and fails(rest):
            return fewer(rest, fails)
    return schedule


def shorter(schedule: Schedule, fails: Fails) -> Schedule:
    """Let each fault last as short as it can: the shortest first, then what lies between by halves."""
    for place in range(len(schedule)):
        lengths = [length for length in LENGTHS if length < schedule[place].length]
        passes, failing = -1, len(lengths)
        tried = 0
        while passes + 1 < failing:
            middle = tried if tried == 0 else (passes + failing) // 2
            tried += 1
            part = _lasting(schedule, place, lengths[middle])
            if fails(part):
                failing = middle
            else:
                passes = middle
        if failing < len(lengths):
            schedule = _lasting(schedule, place, lengths[failing])
    return schedule


def simpler(schedule: Schedule, space: Space, fails: Fails) -> Schedule:
    """Move faults to the simplest instants at which they still fail."""
    for candidate in _simpler(schedule, space):
        if candidate == schedule:
            return schedule
        if fails(candidate):
            return candidate
    return schedule


def _lasting(schedule: Schedule, place: int, length: int) -> Schedule:
    changed = replace(schedule[place], length=length)
    return (*schedule[:place], changed, *schedule[place + 1 :])


def _simpler(schedule: Schedule, space: Space) -> Iterator[Schedule]:
    """The same faults at simpler instants: all at once, close together, at the beginning."""
    at_once = scheduled(replace(each, at=0) for each in schedule)
    if space.legal(at_once):
        yield at_once
    yield packed(schedule, space)
    yield scheduled(replace(each, at=each.at - schedule[0].at) for each in schedule)


def packed(schedule: Schedule, space: Space) -> Schedule:
    """The same faults in the same order, as close together as that allows, from the first slot on."""
    found = [replace(schedule[0], at=0)]
    for before, each in pairwise(schedule):
        last = found[-1]
        match relation(before, each):
            case Relation.TOGETHER:
                at = last.at
            case Relation.DURING:
                at = last.at + 1
            case Relation.THEN:
                at = last.end
        free = (replace(each, at=slot) for slot in range(min(at, each.at), each.at + 1))
        found.append(next(one for one in free if one.at == each.at or space.legal(scheduled([*found, one]))))
    return scheduled(found)
