"""The next schedule: random, legal, and of many the one that tries most of what was not tried together.

Services are hardly ever tried in pairs, so three faults at a time are preferred, which is three pairs, and
faults that meet: that begin at once, overlap, or follow on each other's heels. By chance alone they would
hardly ever. What is new is a notion of ours, though, so one schedule of four is left to chance.

Which one it is follows from the seed and from the number of schedules that were chosen before, so that an
exploration that was killed and is continued chooses what it would have chosen.
"""

from __future__ import annotations

import random

from seatrial.explore.coverage import CLOSE, Coverage
from seatrial.explore.record import Record
from seatrial.explore.schedule import LENGTHS, SLOTS, Injection, Schedule, holds, scheduled
from seatrial.explore.space import Space

_SIZES = {1: 2, 2: 6, 3: 12}  # how many faults, and how often of 20
_CONSIDERED = 64  # legal schedules, of which the newest is chosen
_BY_CHANCE = 0.25  # of the schedules: the first that is legal
_OFTEN = (1, 1, 2, 3)  # each of the lengths: what breaks by a short fault mostly breaks by a long one
_DRAWN = 40  # draws for each of them: of few faults on one thing most draws are not legal


def choose(space: Space, record: Record, coverage: Coverage, seed: int) -> Schedule | None:
    """The next schedule; None when none is left that does not hold a weakness that is known."""
    draw = random.Random(f"{seed}:{record.searched}")  # no secret
    known = [finding.schedule for finding in record.known]
    sizes = [size for size in _SIZES if size <= min(space.most, len(space.choices))]
    if not sizes:
        return None
    size = draw.choices(sizes, [_SIZES[each] for each in sizes])[0]
    most = 1 if draw.random() < _BY_CHANCE else _CONSIDERED
    for wanted in dict.fromkeys((size, *sizes)):  # where the drawn size is exhausted, another
        considered = _considered(space, wanted, known, draw, most)
        if considered:
            return max(considered, key=coverage.news)
    return None


def _considered(
    space: Space, size: int, known: list[Schedule], draw: random.Random, most: int
) -> list[Schedule]:
    found: list[Schedule] = []
    for _ in range(_CONSIDERED * _DRAWN):
        schedule = drawn(space, size, draw)
        if space.legal(schedule) and not any(holds(schedule, weakness) for weakness in known):
            found.append(schedule)
            if len(found) == most:
                break
    return found


def drawn(space: Space, size: int, draw: random.Random) -> Schedule:
    """A random schedule of some faults, legal or not."""
    injections: list[Injection] = []
    for key in draw.sample(space.keys, size):
        (length,) = draw.choices(LENGTHS, _OFTEN)
        at = draw.randint(0, SLOTS - length)
        if injections:
            at = _beside(draw.choice(injections), length, at, draw)
        injections.append(Injection(min(max(at, 0), SLOTS - length), key, length))
    return scheduled(injections)


def _beside(other: Injection, length: int, anywhere: int, draw: random.Random) -> int:
    """When a fault begins that comes beside another, which may be out of the grid."""
    (how,) = draw.choices(_HOW, _HOW_OFTEN)
    match how:
        case "at once":
            return other.at
        case "while it lasts":
            return draw.randint(other.at, other.end - 1)
        case "after it":
            return other.end + draw.randint(0, CLOSE)
        case "before it":
            return other.at - length - draw.randint(0, CLOSE)
        case _:
            return anywhere


_HOW = ("at once", "while it lasts", "after it", "before it", "anywhere")
_HOW_OFTEN = (4, 6, 3, 3, 4)
