"""The next schedule: random, legal, and of many the one that tries most of what was not tried together.

Which one it is follows from the seed and from the number of schedules that were chosen before, so that an
exploration that was killed and is continued chooses what it would have chosen.
"""

from __future__ import annotations

import random

from seatrial.explore.coverage import Coverage
from seatrial.explore.record import Record
from seatrial.explore.schedule import LENGTHS, SLOTS, Injection, Schedule, holds, scheduled
from seatrial.explore.space import Space

_SIZES = {1: 3, 2: 10, 3: 7}  # how many faults, and how often of 20
_CONSIDERED = 64  # legal schedules, of which the newest is chosen
_DRAWN = 40  # draws for each of them: of few faults on one thing most draws are not legal


def choose(space: Space, record: Record, coverage: Coverage, seed: int) -> Schedule | None:
    """The next schedule; None when none is left that does not hold a weakness that is known."""
    draw = random.Random(f"{seed}:{record.searched}")  # no secret
    known = [finding.schedule for finding in record.known]
    sizes = [size for size in _SIZES if size <= min(space.most, len(space.choices))]
    if not sizes:
        return None
    size = draw.choices(sizes, [_SIZES[each] for each in sizes])[0]
    for wanted in dict.fromkeys((size, *sizes)):  # where the drawn size is exhausted, another
        considered = _considered(space, wanted, known, draw)
        if considered:
            return max(considered, key=coverage.news)
    return None


def _considered(space: Space, size: int, known: list[Schedule], draw: random.Random) -> list[Schedule]:
    found: list[Schedule] = []
    for _ in range(_CONSIDERED * _DRAWN):
        schedule = drawn(space, size, draw)
        if space.legal(schedule) and not any(holds(schedule, weakness) for weakness in known):
            found.append(schedule)
            if len(found) == _CONSIDERED:
                break
    return found


def drawn(space: Space, size: int, draw: random.Random) -> Schedule:
    """A random schedule of some faults, legal or not."""
    injections = []
    for key in draw.sample(space.keys, size):
        length = draw.choice(LENGTHS)
        injections.append(Injection(draw.randint(0, SLOTS - length), key, length))
    if size > 1 and draw.random() < _AT_ONCE:  # by chance alone two would hardly ever begin together
        first = min(injections)
        injections = [
            Injection(min(first.at, SLOTS - each.length), each.choice, each.length) for each in injections
        ]
    return scheduled(injections)


_AT_ONCE = 0.2
