"""What can be chosen from, and which of it may stand beside which.

Two faults are never on the same thing at the same time: a process that is stopped cannot be killed as if it
ran, and neither undo could be told from the other. One after the other is legal, with a slot between them in
which the first is undone. What is the same thing is a matter of names and addresses:

    cache, cache.process          a role and what belongs to it
    cache, east.cache             two names for one address, or one pidfile
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.explore.schedule import SLOTS, Schedule, pairs_of

MOST_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """A fault on a role, with its parameters: `process.slow on worker {"to": "5%"}`."""

    fault: str
    role: str  # "" for what touches nobody
    parameters: Mapping[str, Any] = field(default_factory=dict)
    thing: frozenset[str] = frozenset()  # names and addresses by which the role is known

    @property
    def key(self) -> str:
        """How schedules and the record of what was tried call it."""
        where = f" on {self.role}" if self.role else ""
        said = json.dumps(self.parameters, sort_keys=True) if self.parameters else ""
        return f"{self.fault}{where}{' ' if said else ''}{said}"


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that can be chosen, and the length of a slot in seconds."""

    choices: tuple[Choice, ...]
    slot_s: float
    most: int = MOST_FAULTS
    _by_key: Mapping[str, Choice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {each.key: each for each in self.choices})

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all choices, in their order."""
        return tuple(self._by_key)

    def __getitem__(self, key: str) -> Choice:
        return self._by_key[key]

    def has(self, schedule: Schedule) -> bool:
        """Whether each of its faults can be chosen here."""
        return all(each.choice in self._by_key for each in schedule)

    def legal(self, schedule: Schedule) -> bool:
        """Whether it may be run: within the grid, no fault twice, no thing held by two at once."""
        if len(schedule) > self.most or not self.has(schedule):
            return False
        if len({each.choice for each in schedule}) < len(schedule):
            return False
        if any(each.at < 0 or each.length < 1 or each.end > SLOTS for each in schedule):
            return False
        return all(
            not same_thing(self[first.choice], self[second.choice]) or first.end < second.at
            for first, second in pairs_of(schedule)
        )


def same_thing(one: Choice, other: Choice) -> bool:
    """Whether two choices are about one thing, or a part of it."""
    if not (one.role and other.role):
        return one.fault == other.fault and one.role == other.role
    if one.thing & other.thing:
        return True
    return any(
        a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.")
        for a in (one.role, *one.thing)
        for b in (other.role, *other.thing)
    )
