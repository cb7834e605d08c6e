"""The search for weaknesses: which faults to try together, and what a failure comes down to.

    space ──choose──► schedule ──run──► outcome ─┬─ pass, unknown ──► coverage ──► choose …
      ▲                                          └─ fail ──► repeated ──► shrunk ──► finding
      └── what a target's roles allow

Nothing here touches a target, reads a clock or writes a file: a schedule is whole numbers, whoever runs it is
a function, and what was tried is a list. So the same seed and the same list lead to the same schedules, in a
test, in a simulation, and after a kill.
"""

from seatrial.explore.coverage import Coverage
from seatrial.explore.record import Outcome, Purpose, Standing, Trial
from seatrial.explore.schedule import Injection, Relation, Schedule
from seatrial.explore.space import Choice, Space

__all__ = [
    "Choice",
    "Coverage",
    "Injection",
    "Outcome",
    "Purpose",
    "Relation",
    "Schedule",
    "Space",
    "Standing",
    "Trial",
]
