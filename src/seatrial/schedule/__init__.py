"""Chaos on a calendar: every planned instant is accounted for, and none runs twice.

schedules/*.yaml ──load───► planned instants (pure) ──accounting (pure)──► daemon ──► table of occurrences
                                                                           ▲  │ one thread a run
                                                        APScheduler wakes ─┘  └──► Execute (given)
"""

from seatrial.schedule.commands import StartOptions, history, next_occurrences, reviewed, start
from seatrial.schedule.execution import Execute, Outcome
from seatrial.schedule.loading import LoadedSchedule, Review, load_schedule, load_schedules
from seatrial.schedule.upcoming import Upcoming

__all__ = [
    "Execute",
    "LoadedSchedule",
    "Outcome",
    "Review",
    "StartOptions",
    "Upcoming",
    "history",
    "load_schedule",
    "load_schedules",
    "next_occurrences",
    "reviewed",
    "start",
]
