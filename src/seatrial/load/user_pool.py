"""Virtual users and what they are given to do.

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

from greenlet import getcurrent  # type: ignore[import-untyped]
from locust import TaskSet
from locust.user.users import PytestUser

from seatrial.load.arrival import Arrival
from seatrial.load.feed import hand_over
from seatrial.load.under_way import UnderWay

if TYPE_CHECKING:
    from locust import User


_SERVED = "seatrial.load.served"  # gevent hands these on from a greenlet to those that it starts

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Entered:
    """A task set that a user is in, with those that it is in within that one."""

    task_set: TaskSet
    within: dict[type[TaskSet], Entered] = field(default_factory=dict)


@dataclass(slots=True)
class VirtualUser:
    """A user of the scenario's class, and what the load keeps of it."""

    user: User
    under_way: UnderWay
    within: dict[type[TaskSet], Entered] = field(default_factory=dict)
    has_started: bool = False
    tree: dict[str, Any] = field(default_factory=dict)  # what greenlets know that it has started

    def __post_init__(self) -> None:
        self.tree[_SERVED] = self

    @property
    def arrival(self) -> Arrival:
        """The one that it serves, or has served last."""
        return self.under_way.arrival

    def begin(self, task: Task, due_s: float, row: int | None = None) -> Sequence[Any]:
        """Serve the next arrival, in the greenlet that calls. `row`: the number of its row of data.

        Gives the tasks of earlier arrivals of which no request is expected any more.
        """
        hand_over(self.user, row)
        getcurrent().spawn_tree_locals = self.tree
        return self.under_way.arrival.begin(due_s, task.what)


def served_here() -> VirtualUser | None:
    """The virtual user in whose name this greenlet acts: it serves an arrival, or was started in one."""
    virtual: VirtualUser | None = (getattr(getcurrent(), "spawn_tree_locals", None) or {}).get(_SERVED)
    return virtual


@dataclass(slots=True)
class UserPool:
    """The users of one class."""

    user_class: type[User]
    idle: list[VirtualUser] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Task:
    """What an arrival may be given to do, how often it is picked among all, and the users that can do it."""

    what: Callable[[Any], Any] | type[TaskSet]
    weight: float
    pool: UserPool
    is_set: bool = False

    @property
    def name(self) -> str:
        """For an arrival that never came to a request."""
        return getattr(self.what, "__name__", type(self.what).__name__)


def tasks_of(user_classes: Sequence[type[User]], *, filtered: bool = False) -> list[Task]:
    """Every task of every class. A class gets arrivals in proportion to its `weight`.

    Locust's `fixed_count` is a number of users, which an open model has not: it counts as the class's weight.
    A class without tasks gets none; `filtered`: tags may have taken them away. Raises ValueError when none
    has any, and for a class that has said what it does in a way that nobody reads any more.
    """
    found = []
    for user_class in user_classes:
        tasks: list[Any] = list(user_class.tasks)
        if not tasks and not filtered:
            _complain_of_former(user_class)
        pool = UserPool(user_class)
        weight = user_class.fixed_count or user_class.weight
        # Locust lists a task as often as its weight says
        for what in dict.fromkeys(tasks):
            share = weight * tasks.count(what) / len(tasks)
            found.append(Task(what, share, pool, is_task_set(what)))
    if found:
        return found
    if filtered:
        raise ValueError("--tags and --exclude-tags leave no task to run")
    names = ", ".join(each.__name__ for each in user_classes)
    if len(user_classes) == 1:
        raise ValueError(f"{names} has no tasks; mark its methods with @task")
    raise ValueError(f"{names} have no tasks; mark their methods with @task")


def _complain_of_former(user_class: type[User]) -> None:
    name, former = user_class.__name__, getattr(user_class, "task_set", None)
    if former is not None and is_task_set(former):
        raise ValueError(
            f"{name} has no tasks: task_set is of Locust before 1.0; write tasks = [{former.__name__}]"
        )
    if issubclass(user_class, PytestUser):
        raise ValueError(f"{name} is a test of pytest; write it as a method of a HttpUser class, with @task")


def is_task_set(task: object) -> bool:
    """Whether a task is a class of Locust's task sets, not a function."""
    return isclass(task) and issubclass(task, TaskSet)
