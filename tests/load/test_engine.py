"""One worker's part of a test, driven in this process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import User, task
from locust.exception import StopTest, StopUser
from tests.support.driven import drive

from seatrial.load import failure
from seatrial.load.spool import CANNOT_WRITE
from seatrial.load.user import ProtocolUser


class Asking(ProtocolUser):
    abstract = True
    takes_s = 0.0

    @task
    def ask(self) -> None:
        with self.measure("ask"):
            gevent.sleep(self.takes_s)


def test_every_arrival_is_served_and_accounted_for(tmp_path: Path) -> None:
    class Quick(Asking):
        pass

    driven = drive(Quick, tmp_path, warmup="50ms")
    assert np.allclose(driven.log.intended, np.arange(-10, 20) / 200)
    assert (driven.audit.scheduled, driven.audit.sent, driven.audit.answered) == (20, 20, 20)
    assert driven.scenario.arrivals == 30
    assert not driven.ended_by_itself


def test_users_who_are_busy_are_not_disturbed_and_idle_ones_are_met_again(tmp_path: Path) -> None:
    made: list[User] = []

    class Slow(Asking):
        takes_s = 0.012

        def on_start(self) -> None:
            made.append(self)

        @task
        def ask(self) -> None:
            assert not vars(self).setdefault("busy", False)
            self.busy = True
            with self.measure(f"user {made.index(self)}"):
                gevent.sleep(self.takes_s)
            self.busy = False

    driven = drive(Slow, tmp_path)
    assert driven.scenario.errors == ()
    assert 2 <= len(made) < 20
    assert len(driven.log) == 20


def test_what_is_under_way_at_the_end_is_waited_for_as_long_as_a_deadline(tmp_path: Path) -> None:
    class Slow(Asking):
        takes_s = 0.1

    driven = drive(Slow, tmp_path, duration="20ms")
    assert driven.log.ok.all()
    assert len(driven.log) == 4


def test_arrivals_beyond_the_limit_are_dropped(tmp_path: Path) -> None:
    class Slow(Asking):
        takes_s = 0.1

    driven = drive(Slow, tmp_path, duration="50ms", max_in_flight="3")
    dropped = driven.log[np.isnan(driven.log.sent)]
    assert set(dropped.error.texts()) == {"dropped: 3 arrivals in flight"}
    assert len(dropped) == driven.audit.dropped == 7


def test_arrivals_that_are_late_beyond_the_deadline_cost_nobody_else_any_time(tmp_path: Path) -> None:
    """No user is asked to serve them: each one so served would make the next ones late."""
    served: list[float] = []

    class Holding(ProtocolUser):
        @task
        def ask(self) -> None:
            served.append(time.monotonic())
            with self.measure("ask"):
                if len(served) == 1:
                    time.sleep(0.1)  # the system's: the loop stands still

    driven = drive(Holding, tmp_path, duration="100ms", deadline="50ms")
    dropped = driven.log[np.isnan(driven.log.sent)]
    assert set(dropped.error.texts()) == {failure.TOO_LATE}
    assert len(dropped) >= 9  # those that were due while half of the hold was over
    assert len(served) + len(dropped) == len(driven.log) == 20
    assert driven.audit.dropped == len(dropped)


def test_a_task_that_raises_ends_its_user_and_is_told_with_its_place(tmp_path: Path) -> None:
    raised: list[Any] = []

    class Stumbling(User):
        @task
        def stumble(self) -> None:
            raise LookupError("no such thing")

    class Listening(Stumbling):
        def __init__(self, environment: Any) -> None:
            super().__init__(environment)
            environment.events.user_error.add_listener(lambda **told: raised.append(told["user_instance"]))

    driven = drive(Listening, tmp_path, duration="20ms")
    (error,) = driven.scenario.errors
    assert (error.error, error.during, error.count) == ("LookupError: no such thing", "stumble", 4)
    assert error.place.startswith("tests/load/test_engine.py:") or "test_engine.py:" in error.place
    assert driven.errors() == ["dropped: the scenario failed: LookupError"] * 4
    assert len(set(map(id, raised))) == 4


def test_a_user_who_stops_retires_and_another_comes(tmp_path: Path) -> None:
    said: list[str] = []

    class Once(Asking):
        def on_start(self) -> None:
            said.append("start")

        def on_stop(self) -> None:
            said.append("stop")

        @task
        def ask(self) -> None:
            with self.measure("ask"):
                pass
            raise StopUser

    driven = drive(Once, tmp_path, duration="20ms")
    assert said == ["start", "stop"] * 4
    assert driven.scenario.errors == ()


def test_what_on_stop_sends_is_not_on_record(tmp_path: Path) -> None:
    class Leaving(Asking):
        def on_stop(self) -> None:
            with self.measure("good-bye"):
                pass
            self.environment.events.request.fire(
                request_type="", name="reported", response_time=1, response_length=0, exception=None
            )

    driven = drive(Leaving, tmp_path, duration="20ms")
    assert set(driven.names()) == {"ask"}


def test_a_scenario_that_stops_the_test_stops_it(tmp_path: Path) -> None:
    class Giving(ProtocolUser):
        @task
        def give_up(self) -> None:
            raise StopTest("no table is free")

    assert drive(Giving, tmp_path, duration="20s").ended_by_itself


def test_a_disk_that_takes_no_rows_ends_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Quick(Asking):
        pass

    write = os.write

    def full(fd: int, data: bytes) -> int:
        if b"ask" in data:
            raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    driven = drive(Quick, tmp_path, duration="20s")
    assert driven.ended_by_itself
    assert driven.environment.process_exit_code == CANNOT_WRITE
