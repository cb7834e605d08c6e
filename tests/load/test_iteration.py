"""Iterations, held against what Locust's own users do when they go round their loop."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import MarkovTaskSet, SequentialTaskSet, TaskSet, User, constant, task, transition
from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from seatrial.load import iteration
from seatrial.load.arrival import Arrival
from seatrial.load.under_way import UnderWay
from seatrial.load.user_pool import UserPool, VirtualUser, tasks_of

_ACTIONS = 20  # until the user has had enough

said: list[str] = []
"""What the users below did, in order."""

picking: dict[int, Any] = {}
"""For each list of tasks, where its turn is."""


def choice(tasks: Sequence[Any]) -> Any:
    """In place of a random one."""
    return next(picking.setdefault(id(tasks), itertools.cycle(tasks)))


def begin_anew() -> None:
    said.clear()
    picking.clear()


def act(owner: Any, what: str) -> None:
    """A step that sends a request. The user stops in the middle of the last one."""
    user = getattr(owner, "user", owner)
    said.append(f"{type(owner).__name__}.{what}")
    if user.arrival is not None:
        user.arrival.take_due()
    user.actions += 1
    if user.actions == _ACTIONS:
        raise StopUser


class Told:
    """Says when it starts and stops."""

    def on_start(self) -> None:
        said.append(f"{type(self).__name__}.on_start")

    def on_stop(self) -> None:
        said.append(f"{type(self).__name__}.on_stop")


class Person(Told, User):
    abstract = True
    arrival: Arrival | None = None
    actions = 0


class Buying(Told, SequentialTaskSet):
    @task
    def look(self) -> None:
        act(self, "look")

    @task(2)
    def pick(self) -> None:
        act(self, "pick")

    @task
    def pay(self) -> None:
        act(self, "pay")


class BuyingOnce(Buying):
    @task
    def leave(self) -> None:
        self.interrupt()


class LeavingEarly(Buying):
    def pick(self) -> None:
        raise InterruptTaskSet(reschedule=False)

    tasks: Any = {Buying.look: 1, pick: 1, Buying.pay: 1}  # noqa: RUF012


class Reading(Told, TaskSet):
    @task
    def read(self) -> None:
        act(self, "read")

    @task
    def write(self) -> None:
        act(self, "write")
        raise RescheduleTask  # in a task, a return


class ReadingForAWhile(Reading):
    @task
    def stop(self) -> None:
        self.interrupt()


class Forum(Told, TaskSet):
    tasks: Any = {ReadingForAWhile: 2, BuyingOnce: 1}  # noqa: RUF012

    @task
    def index(self) -> None:
        act(self, "index")


class ForumAndAway(Forum):
    @task
    def away(self) -> None:
        self.interrupt(reschedule=False)


class Following(Told, TaskSet):
    @task
    def first(self) -> None:
        act(self, "first")
        self.schedule_task(self.second)
        self.schedule_task(self.urgent, first=True)

    def second(self) -> None:
        act(self, "second")

    def urgent(self) -> None:
        act(self, "urgent")


class Wandering(Told, MarkovTaskSet):
    @transition("there")
    def here(self) -> None:
        act(self, "here")

    @transition("here")
    def there(self) -> None:
        act(self, "there")


class NotToday(Told, TaskSet):
    tasks = [Reading]  # noqa: RUF012

    def on_start(self) -> None:
        super().on_start()
        self.interrupt()


class Undecided(Told, TaskSet):
    tasks = [NotToday, Reading]  # noqa: RUF012


class Touring(Told, SequentialTaskSet):
    tasks = [Reading, BuyingOnce]  # noqa: RUF012


BOUGHT = [f"BuyingOnce.{each}" for each in ("look", "pick", "pick", "pay", "on_stop")]
ONE_LEVEL = (Buying, BuyingOnce, LeavingEarly, Reading, ReadingForAWhile, Following, Wandering)


@pytest.fixture(autouse=True)
def turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits, and whoever picks from a list goes through it in turn."""
    monkeypatch.setattr(random, "choice", choice)
    monkeypatch.setattr(gevent, "sleep", lambda _: None)


_class_of_users: Any = type(Person)


def person(kind: type[TaskSet] | Callable[[Any], None], **attributes: Any) -> Any:
    return _class_of_users("Somebody", (Person,), {"tasks": [kind], "host": "http://x", **attributes})


def in_a_loop(user_class: Any) -> list[str]:
    """What Locust has a user do."""
    begin_anew()
    user_class(Environment()).run()
    return list(said)


def joined(user_class: Any) -> VirtualUser:
    """A virtual user who has started."""
    begin_anew()
    user = user_class(Environment())
    user.arrival = Arrival(zero_s=0.0)
    iteration.begin(user)
    user.on_start()
    return VirtualUser(user, UnderWay(user.arrival, 2.0, said.append), has_started=True)


def by_arrivals(user_class: Any) -> list[list[str]]:
    """The same by arrivals, all served by one virtual user."""
    (only,) = tasks_of([user_class])
    begin_anew()
    virtual = joined(user_class)
    arrivals: list[list[str]] = []
    try:
        while True:
            arrivals.append(list(said))
            said.clear()
            virtual.arrival.begin(0.0)
            iteration.iterate(virtual, only)
    except StopUser:
        iteration.retire(virtual)
    return [*arrivals, list(said)]


@pytest.mark.parametrize("kind", ONE_LEVEL)
def test_a_virtual_user_does_what_a_user_of_locust_does(kind: type[TaskSet]) -> None:
    arrivals = by_arrivals(person(kind))
    assert [each for arrival in arrivals for each in arrival] == in_a_loop(person(kind))


@pytest.mark.parametrize(
    ("kind", "arrivals"),
    [
        (
            Buying,
            [
                ["Somebody.on_start"],
                ["Buying.on_start", "Buying.look", "Buying.pick", "Buying.pick", "Buying.pay"],
                ["Buying.look", "Buying.pick", "Buying.pick", "Buying.pay"],
            ],
        ),
        (
            BuyingOnce,
            2
            * [["BuyingOnce.on_start", *BOUGHT]],
        ),
        (Reading, [["Reading.on_start", "Reading.read"], ["Reading.write"], ["Reading.read"]]),
        (
            ReadingForAWhile,  # an interrupt alone is no iteration: the user goes on at once
            [
                ["ReadingForAWhile.on_start", "ReadingForAWhile.read"],
                ["ReadingForAWhile.write"],
                ["ReadingForAWhile.on_stop", "ReadingForAWhile.on_start", "ReadingForAWhile.read"],
            ],
        ),
        (
            Forum,  # weights are shares of the arrivals, at every level
            [
                ["Forum.on_start", "ReadingForAWhile.on_start", "ReadingForAWhile.read"],
                ["ReadingForAWhile.write"],
                ["BuyingOnce.on_start", *BOUGHT],
                ["Forum.index"],
            ],
        ),
        (
            Touring,  # a set within a journey is a step of it
            [
                [
                    "Touring.on_start", "Reading.on_start", "Reading.read", "BuyingOnce.on_start",
                    *BOUGHT,
                ],
                ["Reading.write", "BuyingOnce.on_start", *BOUGHT],
            ],
        ),
        (Following, [["Following.on_start", "Following.first"], ["Following.urgent"], ["Following.second"]]),
        (
            Undecided,
            [["Undecided.on_start", "NotToday.on_start", "Reading.on_start", "Reading.read"], ["NotToday.on_start", "Reading.write"]],
        ),
    ],
)  # fmt: skip
def test_what_one_iteration_is(kind: type[TaskSet], arrivals: list[list[str]]) -> None:
    found = by_arrivals(person(kind))
    start = found.index(arrivals[0])
    assert found[start : start + len(arrivals)] == arrivals


def test_a_method_is_an_iteration() -> None:
    assert by_arrivals(person(lambda user: act(user, "home")))[:3] == [
        ["Somebody.on_start"],
        ["Somebody.home"],
        ["Somebody.home"],
    ]


@pytest.mark.parametrize(("kind", "waits"), [(Buying, 3), (Reading, 0)])
def test_a_wait_is_between_the_steps_of_a_journey_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, kind: type[TaskSet], waits: int
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(gevent, "sleep", waited.append)
    user_class = person(kind, wait_time=constant(7))
    (only,) = tasks_of([user_class])
    virtual = joined(user_class)
    for _ in range(3):
        iteration.iterate(virtual, only)
    assert waited == [7] * waits * 3


def test_no_further_step_is_taken_when_the_test_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    user_class = person(Buying)
    (only,) = tasks_of([user_class])
    virtual = joined(user_class)
    monkeypatch.setattr(gevent, "sleep", lambda _: setattr(virtual.user, "_state", LOCUST_STATE_STOPPING))
    with pytest.raises(StopUser):
        iteration.iterate(virtual, only)
    assert said == ["Somebody.on_start", "Buying.on_start", "Buying.look"]


def test_a_user_whose_tasks_only_interrupt_comes_to_an_end() -> None:
    class Never(TaskSet):
        @task
        def never(self) -> None:
            self.interrupt()

    user_class = person(Never)
    (only,) = tasks_of([user_class])
    iteration.iterate(joined(user_class), only)


def test_a_user_without_on_stop_retires_without_a_word() -> None:
    class Silent(User):
        tasks = [SequentialTaskSet]  # noqa: RUF012

    user = Silent(Environment())
    virtual = VirtualUser(user, UnderWay(Arrival(0.0), 2.0, said.append))
    assert iteration.retires_silently(virtual)
    assert not iteration.retires_silently(joined(person(Reading)))
    assert UserPool(Silent).idle == []
