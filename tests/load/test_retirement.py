"""Users leave: each by its `on_stop`, all within a deadline, and what they raise is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import User, task
from locust.env import Environment

from seatrial.load.arrival import Arrival
from seatrial.load.retirement import Retirement
from seatrial.load.scenario_errors import ErrorTally
from seatrial.load.under_way import UnderWay
from seatrial.load.user_pool import Task, UserPool, VirtualUser

left: list[User] = []


@pytest.fixture(autouse=True)
def nobody_has_left() -> Iterator[None]:
    yield
    left.clear()


class Polite(User):
    takes_s = 0.0

    @task
    def stay(self) -> None:
        """Send nothing."""

    def on_stop(self) -> None:
        gevent.sleep(self.takes_s)
        left.append(self)


class Slow(Polite):
    takes_s = 60.0


class Stumbling(Polite):
    def on_stop(self) -> None:
        left.append(self)
        raise LookupError("no such thing")


def idle(user_class: type[User], count: int) -> Task:
    """A task of so many users who have started and are idle."""
    users = [user_class(Environment()) for _ in range(count)]
    virtual = [
        VirtualUser(user, UnderWay(Arrival(0.0), 2.0, lambda _: False), has_started=True) for user in users
    ]
    what: Any = user_class.tasks[0]
    return Task(what, 1.0, UserPool(user_class, virtual))


def test_all_leave_however_many_tasks_they_have() -> None:
    only = idle(Polite, 120)
    Retirement(ErrorTally(""), 30.0).retire_all([only, only])
    assert len(left) == len(set(map(id, left))) == 120


def test_who_takes_longer_than_the_deadline_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with gevent.Timeout(30):
        Retirement(ErrorTally(""), 0.02).retire_all([idle(Slow, 3)])
    assert left == []
    assert "on_stop of 3 users took longer than the deadline" in caplog.text


def test_what_one_raises_is_told_and_keeps_nobody() -> None:
    errors = ErrorTally("")
    Retirement(errors, 30.0).retire_all([idle(Stumbling, 3)])
    assert len(left) == 3
    (error,) = errors.account().errors
    assert (error.error, error.during, error.count) == ("LookupError: no such thing", "on_stop", 3)


def test_an_arrival_that_has_sent_nothing_is_counted_when_its_user_leaves() -> None:
    errors, only = ErrorTally(""), idle(Polite, 1)
    only.pool.idle[0].arrival.begin(1.0, Polite.stay)
    Retirement(errors, 30.0).retire_all([only])
    (error,) = errors.account().errors
    assert (error.error, error.during) == ("sent no request", "stay")
