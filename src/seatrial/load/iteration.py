"""One iteration of a virtual user: what an arrival runs.

    a @task method                    is one iteration
    SequentialTaskSet                 one pass, from its first step to its last, is one: a journey
    TaskSet, MarkovTaskSet            one of its tasks is one
    a task set within another         is a step of the outer one, by the same rules

A virtual user is in a task set for as long as it would be in Locust. It enters at its first arrival there
(`on_start`), stays when the arrival is over, and goes on at its next one; it leaves (`on_stop`) when a task
interrupts or when the user retires. Were every arrival to enter and to leave, a set whose `on_start` logs in
would be a test of logins. Were a TaskSet run until it interrupts, one without an interrupt, as most are,
would never end, and the number of arrivals would say nothing about the load.

Weights are shares of the arrivals, then, at every level. What is separated by a wait in Locust are iterations
here, and the rate says when the next one comes; so `wait_time` is waited between the steps of a journey and
nowhere else. An interrupt before anything was sent is no iteration: as in Locust, the outer level picks
another task at once.
"""

from __future__ import annotations

from typing import Any

from locust import SequentialTaskSet, TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING, DefaultTaskSet

from seatrial.load.arrival import Arrival
from seatrial.load.user_pool import Entered, Task, VirtualUser, is_task_set

_MOST_PICKS = 100  # in a row, by a user whose tasks do nothing but interrupt
_RETURNS = (RescheduleTask, RescheduleTaskImmediately)  # raised in a task, they are a return

Within = dict[type[TaskSet], Entered]


def begin(user: User) -> None:
    """Put a new user into the state that Locust's own are in while they run."""
    user._state = LOCUST_STATE_RUNNING
    user._taskset_instance = DefaultTaskSet(user)


def iterate(virtual: VirtualUser, task: Task) -> None:
    """Run one iteration of `task`. Raises what the scenario raises, StopUser among it."""
    what: Any = task.what
    if not task.is_set:
        try:
            what(virtual.user)
        except (InterruptTaskSet, *_RETURNS):
            pass
        return
    for _ in range(_MOST_PICKS):
        if _run(what, virtual.user, virtual.within, virtual.arrival):
            return
        what = virtual.user._taskset_instance.get_next_task()  # type: ignore[union-attr]


def retire(virtual: VirtualUser) -> None:
    """Leave the task sets, the innermost first, and then the test: `on_stop`, as in Locust."""
    _leave(virtual.within)
    virtual.user.on_stop()


def retires_silently(virtual: VirtualUser) -> bool:
    """Whether it never started, or nobody has written an `on_stop` that `retire` would run."""
    if not virtual.has_started:
        return True
    return type(virtual.user).on_stop is User.on_stop and _silent(virtual.within)


def is_waiting(user: User) -> bool:
    """Whether it is in a `wait` between two steps."""
    return user._state == LOCUST_STATE_WAITING


def _run(what: Any, owner: User | TaskSet, within: Within, arrival: Arrival) -> bool:
    """Run a task of `owner`; False when it interrupted before anything was sent."""
    try:
        if is_task_set(what):
            return _go_on_in(what, owner, within, arrival)
        if isinstance(owner, TaskSet):
            owner.execute_task(what)
        else:
            what(owner)
    except _RETURNS:
        pass
    return True


def _go_on_in(kind: type[TaskSet], owner: Any, within: Within, arrival: Arrival) -> bool:
    """One iteration in a task set, which is entered first if the user is not in it; see `_run`."""
    try:
        if kind not in within:
            entering = Entered(kind(owner))
            entering.task_set.on_start()
            within[kind] = entering
        _advance(within[kind], arrival)
    except InterruptTaskSet:
        left = within.pop(kind, None)
        if left is not None:
            _leave(left.within)
            left.task_set.on_stop()
        return arrival.requests > 0
    return True


def _advance(entered: Entered, arrival: Arrival) -> None:
    if isinstance(entered.task_set, SequentialTaskSet):
        _travel(entered, entered.task_set, arrival)
        return
    for _ in range(_MOST_PICKS):
        if _step(entered, arrival):
            return


def _travel(entered: Entered, journey: SequentialTaskSet, arrival: Arrival) -> None:
    """From the first step to the last, and what they have put into the queue between."""
    left = len(journey.tasks)
    while True:
        left -= not journey._task_queue
        _step(entered, arrival)
        if not left and not journey._task_queue:
            return
        journey.wait()


def _step(entered: Entered, arrival: Arrival) -> bool:
    """What `schedule_task` has put into the queue goes first, as in Locust."""
    task_set = entered.task_set
    if not task_set._task_queue:
        task_set.schedule_task(task_set.get_next_task())
    return _run(task_set._task_queue.popleft(), task_set, entered.within, arrival)


def _leave(within: Within) -> None:
    while within:
        _, entered = within.popitem()
        _leave(entered.within)
        entered.task_set.on_stop()


def _silent(within: Within) -> bool:
    return all(
        type(each.task_set).on_stop is TaskSet.on_stop and _silent(each.within) for each in within.values()
    )
