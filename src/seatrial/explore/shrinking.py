"""The smallest schedule that still fails: fewer faults, then simpler instants, then shorter ones.

Delta debugging (A. Zeller and R. Hildebrandt, IEEE TSE 28, 2002), made for trials that take a minute each and
may fail by chance: of a handful of faults the part is tried first that is in the least of what has passed, so
that one or two tries mostly find a weakness that hundreds of runs have narrowed down. What is left is
1-minimal (each of its faults is needed), and whether a part fails is for `fails` to say, by as many
repetitions as that takes. The libraries that there are reduce long lists by cheap, certain tests, and test
what they were given again and again.

    a, b, c ─► a, c fails ─► a fails? no ─► c fails? no ─► both at once? ─► a, then c at once? ─► a ─── ─► a ─
       fewer                                               simpler                              shorter
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

from seatrial.explore.schedule import LENGTHS, SLOTS, Relation, Schedule, holds, relation, scheduled
from seatrial.explore.space import Space

Fails = Callable[[Schedule], bool]
_ROUNDS = 3
_SURPRISING = 3  # faults that are all needed


def shrink(
    schedule: Schedule,
    space: Space,
    fails: Fails,
    smaller: Callable[[Schedule], None],
    passed: Sequence[Schedule] = (),
) -> Schedule:
    """What is left of a schedule that fails.

    `smaller` hears of each smaller one that fails as well, for whoever has to stop early. `passed`: what kept
    its promises before; what is part of that is tried last. The load alone is never tried: it is the control,
    and has passed.
    """
    known: dict[Schedule, bool] = {schedule: True}
    innocent = list(passed)

    def still_fails(part: Schedule, *, again: bool = False) -> bool:
        if part not in known or (again and not known[part]):
            known[part] = space.legal(part) and fails(part)
            if known[part]:
                smaller(part)
            else:
                innocent.append(part)
        return known[part]

    schedule = fewer(schedule, still_fails, innocent)
    while len(schedule) >= _SURPRISING:  # one run that passed by chance is likelier than that
        rests = [next(surer(rest, space), rest) for rest in _parts(schedule, len(schedule) - 1)]
        failing = next((rest for rest in rests if still_fails(rest, again=True)), None)
        if failing is None:
            break
        schedule = fewer(failing, still_fails, innocent)
    for _ in range(_ROUNDS):
        before = schedule
        schedule = shorter(simpler(schedule, space, still_fails), still_fails)
        if schedule == before:
            break
    return schedule


def surer(schedule: Schedule, space: Space) -> Iterator[Schedule]:
    """The same faults as long as they can last, which may fail more surely: in their order, and at once."""
    longest = LENGTHS[-1]
    for latest in (SLOTS - longest, 0):
        candidate = scheduled(replace(each, at=min(each.at, latest), length=longest) for each in schedule)
        if candidate != schedule and space.legal(candidate):
            yield candidate


def fewer(schedule: Schedule, fails: Fails, innocent: Sequence[Schedule] = ()) -> Schedule:
    """The fewest of its faults that still fail, the likeliest part first; `innocent`: what has passed.

    That is the one that is part of the least that has passed; of several, one with few beside it of its
    size. Where nothing is known more faults come before fewer: two that pass clear each of them.
    """
    untried = [part for size in range(1, len(schedule)) for part in _parts(schedule, size)]
    while untried:
        passed = {part: sum(holds(each, part) for each in innocent) for part in untried}
        alike = Counter((len(part), often) for part, often in passed.items())
        part = min(untried, key=lambda one: (passed[one], alike[len(one), passed[one]], -len(one)))
        if fails(part):
            return fewer(part, fails, innocent)
        untried = [each for each in untried if each != part and not _within(each, part, schedule)]
    return schedule


def _parts(schedule: Schedule, size: int) -> list[Schedule]:
    return list(combinations(schedule, size))


def _within(part: Schedule, passed: Schedule, whole: Schedule) -> bool:
    """Whether a part is in one that passed, and need not be tried for `whole` to have nothing needless."""
    return len(part) < len(whole) - 1 and set(part) < set(passed)


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
