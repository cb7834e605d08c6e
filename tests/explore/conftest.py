"""A space that is not of any target, and services that are simulated: a rule says which schedules break them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from seatrial.explore.record import Finding, Outcome, Purpose, Record, Trial, line_of
from seatrial.explore.schedule import LENGTHS, SLOTS, Injection, Schedule, scheduled
from seatrial.explore.search import Exploration, TimeIsUp
from seatrial.explore.space import Choice, Space
from seatrial.model.verdict import Verdict

ROLES = ("alpha", "beta", "gamma", "delta")
SPACE = Space(
    tuple(
        Choice(fault, role, {}, frozenset({f"/{role}.pid"}))
        for fault in ("process.kill", "process.pause")
        for role in ROLES
    ),
    slot_s=0.05,
)

Breaks = Callable[[Schedule], bool]


def lasting(schedule: Schedule, choice: str) -> int:
    """How many slots a fault lasts in a schedule; 0 when it is not in it."""
    return next((each.length for each in schedule if each.choice == choice), 0)


def at(schedule: Schedule, choice: str) -> Injection | None:
    return next((each for each in schedule if each.choice == choice), None)


def overlapping(one: Injection | None, other: Injection | None) -> bool:
    return one is not None and other is not None and one.at < other.end and other.at < one.end


RULES: dict[str, Breaks] = {
    "kill delta": lambda s: lasting(s, "process.kill on delta") > 0,
    "long pause": lambda s: lasting(s, "process.pause on gamma") > 4,
    "both away": lambda s: overlapping(at(s, "process.kill on alpha"), at(s, "process.pause on beta")),
    "one before the other": lambda s: (
        (a := at(s, "process.kill on beta")) is not None
        and (b := at(s, "process.pause on alpha")) is not None
        and a.end <= b.at
    ),
    "three": lambda s: (
        {"process.kill on alpha", "process.kill on beta", "process.kill on gamma"}
        <= {each.choice for each in s}
    ),
}


def random_schedule(draw: random.Random, space: Space = SPACE, most: int = 3) -> Schedule:
    """A legal one."""
    while True:
        keys = draw.sample(space.keys, draw.randint(1, most))
        injections = []
        for key in keys:
            length = draw.choice(LENGTHS)
            injections.append(Injection(draw.randint(0, SLOTS - length), key, length))
        schedule = scheduled(injections)
        if space.legal(schedule):
            return schedule


@dataclass
class Simulated:
    """A service that breaks by a rule, with a probability, and runs that sometimes prove nothing."""

    breaks: Breaks
    probability: float = 1.0
    unknown: float = 0.0
    runs_left: int = 1000
    seed: int = 0
    lines: list[str] = field(default_factory=list)  # what a file would hold
    ran: list[Schedule] = field(default_factory=list)
    space: Space = SPACE

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)

    def run(self, schedule: Schedule, purpose: Purpose) -> Outcome:  # all alike
        if not self.runs_left:
            raise TimeIsUp
        self.runs_left -= 1
        self.ran.append(schedule)
        if self._draw.random() < self.unknown:
            return Outcome(Verdict.UNKNOWN)
        if self.breaks(schedule) and self._draw.random() < self.probability:
            return Outcome(Verdict.FAIL, frozenset({"errors"}), ("errors: 9 %, target 5 %",))
        return Outcome(Verdict.PASS)

    def keep(self, entry: Trial | Finding) -> None:
        self.lines.append(line_of(entry, self.space.slot_s))

    def exploration(self, record: Record | None = None, seed: int = 1, *, first: bool = True) -> Exploration:
        """One of it; by default until the first weakness."""
        return Exploration(self.space, record or Record(), seed, 4, self.run, self.keep, first=first)
