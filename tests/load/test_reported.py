"""Requests that a scenario's own client reports by Locust's events."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import User, task
from tests.support.driven import drive

from seatrial.load.reported import instants
from seatrial.load.user import OpenLoopUser


class Reporting(User):
    """Somebody with a client that tells Locust how long a request took, as Locust's manual has it."""

    abstract = True

    def report(self, name: str = "ask", took_ms: Any = 5.0, **more: Any) -> None:
        self.environment.events.request.fire(
            **{"request_type": "wire", "name": name, "response_time": took_ms, "response_length": 0, **more}
        )

    def ask(self, name: str = "ask", **more: Any) -> None:
        began_s = time.perf_counter()
        gevent.sleep(0.005)
        self.report(name, (time.perf_counter() - began_s) * 1e3, **more)


def test_the_first_request_of_an_arrival_was_due_at_its_instant_and_later_ones_when_they_were_sent(
    tmp_path: Path,
) -> None:
    class Asking(Reporting):
        @task
        def both(self) -> None:
            self.ask("first")
            self.ask("second")

    driven = drive(Asking, tmp_path)
    first, second = (driven.log[driven.log.name.equals(name)] for name in ("first", "second"))
    assert np.allclose(first.intended, np.arange(20) / 200)
    assert np.all(first.sent >= first.intended)
    assert np.array_equal(second.intended, second.sent)
    for log in (first, second):
        assert len(log) == 20
        assert log.ok.all()
        assert np.all(log.ended - log.sent >= 0.005)
    assert driven.scenario.errors == ()


def test_what_our_client_has_measured_is_not_put_down_again(tmp_path: Path) -> None:
    class Visitor(OpenLoopUser):
        @task
        def look(self) -> None:
            self.client.get("/", name="ours")

    driven = drive(Visitor, tmp_path)
    assert driven.names() == ["ours"] * 20
    assert len(driven.events) == 20


def test_beside_our_client_what_others_report_is_a_request_of_its_own(tmp_path: Path) -> None:
    class Visitor(Reporting, OpenLoopUser):
        @task
        def look(self) -> None:
            response = self.client.get("/", name="ours")
            self.report("theirs", response=response)

    driven = drive(Visitor, tmp_path)
    assert sorted(driven.names()) == ["ours"] * 20 + ["theirs"] * 20


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"exception": ConnectionResetError(104, "reset")}, "connection reset"),
        ({"exception": "HTTP 500 inside"}, "HTTP 500 inside"),
        ({"exception": OSError(24, "files")}, "own: too many open files"),
    ],
)
def test_a_report_with_an_exception_is_a_failure(told: dict[str, Any], error: str, tmp_path: Path) -> None:
    class Failing(Reporting):
        @task
        def fail(self) -> None:
            self.ask(**told)

    driven = drive(Failing, tmp_path, duration="20ms")
    assert driven.errors() == [error] * 4
    assert not driven.log.ok.any()
    assert driven.log.proven_bad(2.0).all() == (not error.startswith("own"))


def test_an_answer_after_the_deadline_is_bad_whatever_is_reported(tmp_path: Path) -> None:
    class Slow(Reporting):
        @task
        def wait(self) -> None:
            self.ask()

    driven = drive(Slow, tmp_path, duration="100ms", deadline="4ms")
    assert len(driven.in_time)
    assert driven.in_time.ok.all()
    assert np.all(driven.in_time.ended - driven.in_time.intended > 0.004)


def test_a_client_with_a_reader_of_its_own_tells_in_the_name_of_its_user(tmp_path: Path) -> None:
    class Publishing(Reporting):
        def on_start(self) -> None:
            self.outbox: Any = gevent.queue.Queue()
            gevent.spawn(self.acknowledge)

        def acknowledge(self) -> None:
            for began_s in self.outbox:
                gevent.sleep(0.001)
                self.report("publish", (time.time() - began_s) * 1e3)

        @task
        def publish(self) -> None:
            self.outbox.put(time.time())

    driven = drive(Publishing, tmp_path, rate="100/s", duration="200ms")
    # A busy machine begins several arrivals at once, one user serves them, and only the last can be told from a report.
    due = np.isclose(np.sort(driven.log.intended)[:, None], np.arange(20) / 100).any(axis=1)
    assert due.sum() >= 10
    assert np.all(due | np.isclose(np.sort(driven.log.intended), np.sort(driven.log.sent), atol=0.001))
    # One that was stopped between its two looks at the clock tells a wrong instant, which may fit no arrival, or
    # the one after its own, and what is told when all have been served is in nobody's name.
    assert {error.error for error in driven.scenario.errors} <= {"sent no request"}
    served = len(np.unique(np.round(np.sort(driven.log.intended)[due], 6)))
    assert sum(error.count for error in driven.scenario.errors) <= 20 - served


def test_who_serves_nobody_has_requests_of_its_own_and_an_arrival_without_any_is_told(tmp_path: Path) -> None:
    class Elsewhere(Reporting):
        @task
        def nothing(self) -> None:
            gevent.get_hub().loop.run_callback(self.report, "elsewhere", 0.0)

    driven = drive(Elsewhere, tmp_path, duration="20ms")
    assert np.array_equal(driven.log.intended, driven.log.sent)
    (error,) = driven.scenario.errors
    assert (error.error, error.count) == ("sent no request", 4)


def test_an_arrival_that_is_abandoned_before_its_client_tells_is_on_record(tmp_path: Path) -> None:
    class Hanging(Reporting):
        @task
        def hang(self) -> None:
            gevent.sleep(60)
            self.report()

    driven = drive(Hanging, tmp_path, duration="20ms", deadline="50ms")
    assert driven.errors() == ["unanswered at the end"] * 4
    assert not driven.log.proven_bad(0.05).any()
    assert driven.scenario.errors == ()


NOW, UNIX = 10.0, 1_700_000_000.0


@pytest.mark.parametrize(
    ("took_ms", "started", "sent", "ended"),
    [
        (250.0, None, 9.75, 10.0),
        (None, None, 10.0, 10.0),
        (-3, None, 10.0, 10.0),
        ("fast", None, 10.0, 10.0),
        (math.nan, None, 10.0, 10.0),
        (250.0, UNIX - 4, 6.0, 6.25),  # told of later than it ended
        (None, UNIX - 4, 6.0, 10.0),
        (5000.0, UNIX - 4, 6.0, 10.0),
        (250.0, 123.4, 9.75, 10.0),  # of perf_counter, not of the wall clock
        (250.0, UNIX + 60, 9.75, 10.0),
        (99_000.0, None, -1.0, 10.0),
    ],
)
def test_instants_of_a_report(took_ms: Any, started: Any, sent: float, ended: float) -> None:
    assert instants(NOW, UNIX, took_ms, started, -1.0) == pytest.approx((sent, ended))
