"""Virtual users and their tasks: who runs an arrival, and what of.

Arrivals overlap when the service is slow, and two of them must never share a user: its cookies and attributes
are one person's. So each arrival takes a user who is idle, or a new one; users go back to the idle list
afterwards, and there are as many as were ever busy at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import isclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.load.user import OpenLoopUser

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class UserPool:
    """The users of one class."""

    user_class: type[OpenLoopUser]
    idle: list[OpenLoopUser] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Task:
    """A task, how often it is picked among all, and the users that can run it."""

    function: Callable[[Any], Any]
    weight: float
    pool: UserPool

    @property
    def name(self) -> str:
        """The task's name, for an arrival that never came to a request."""
        return self.function.__name__


def tasks_of(user_classes: Sequence[type[OpenLoopUser]]) -> list[Task]:
    """Every task of every class. A class gets arrivals in proportion to its `weight`.

    Raises ValueError for classes without tasks, and for task sets: they describe how one user goes on, while
    here each arrival is a task of its own.
    """
    found = []
    for user_class in user_classes:
        tasks: list[Any] = list(user_class.tasks)
        if "on_stop" in vars(user_class):
            logger.warning("%s.on_stop never runs: nobody in an open model leaves", user_class.__name__)
        if not tasks:
            raise ValueError(f"{user_class.__name__} has no tasks; mark its methods with @task")
        nested = next((task for task in tasks if isclass(task)), None)
        if nested is not None:
            raise ValueError(
                f"{user_class.__name__}.{nested.__name__} is a task set, which an open model has no use for; "
                "write the sequence as one @task method"
            )
        pool = UserPool(user_class)
        # Locust lists a task as often as its weight says
        for function in dict.fromkeys(tasks):
            share = user_class.weight * tasks.count(function) / len(tasks)
            found.append(Task(function, share, pool))
    return found
