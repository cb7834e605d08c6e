"""Chaos on a calendar: every planned instant is accounted for, and none runs twice.

schedules/*.yaml ──plan──► planned instants (pure) ──accounting (pure)──► daemon ──► table of occurrences
                                                                           ▲  │ one thread a run
                                                        APScheduler wakes ─┘  └──► Execute (given)
"""

from seatrial.schedule.commands import StartOptions, history, next_occurrences, reviewed, start
from seatrial.schedule.execution import Execute, Outcome
from seatrial.schedule.plan import Plan, Review, load_plan, load_plans
from seatrial.schedule.upcoming import Upcoming

__all__ = [
    "Execute",
    "Outcome",
    "Plan",
    "Review",
    "StartOptions",
    "Upcoming",
    "history",
    "load_plan",
    "load_plans",
    "next_occurrences",
    "reviewed",
    "start",
]
