"""Anything that a scenario measures, held against what became of its block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import TaskSet, User, task
from locust.exception import LocustError, ResponseError
from tests.support.driven import Driven, drive

from seatrial.load import failure
from seatrial.load.measured import measure
from seatrial.load.user import ProtocolUser


class RefusedError(Exception):
    """A library's."""


class Asking(ProtocolUser):
    abstract = True

    @task
    def ask(self) -> None:
        with self.measure("ask") as m:
            self.within(m)
        self.afterwards()

    def within(self, m: Any) -> None:
        """What the block does."""

    def afterwards(self) -> None:
        """What comes behind it."""


def driven(folder: Path, within: Any, deadline: str = "2s") -> tuple[Driven, int]:
    """What came of four arrivals whose block does this, and how many went on behind it."""
    went_on: list[Any] = []

    def afterwards(user: Any) -> None:
        went_on.append(user)

    kind: Any = type("Doing", (Asking,), {"within": within, "afterwards": afterwards})
    return drive(kind, folder, duration="20ms", deadline=deadline), len(went_on)


def test_a_block_is_a_request_from_when_it_was_due_until_it_is_left(tmp_path: Path) -> None:
    def answered(_: Any, m: Any) -> None:
        gevent.sleep(0.003)
        m.key, m.status_code, m.served_by, m.size, m.context = "order-7", 201, "green/east", 12, {"shard": 3}

    found, went_on = driven(tmp_path, answered)
    log = found.log
    assert np.allclose(log.intended, np.arange(4) / 200)
    assert np.all(log.ended - log.sent >= 0.003)
    assert log.ok.all()
    assert (set(log.status), set(log.served_by.texts())) == ({201}, {"green/east"})
    assert log.keys is not None
    assert set(log.keys) == {"order-7"}
    assert found.events[0]["response_length"] == 12
    assert found.events[0]["context"]["shard"] == 3
    assert went_on == 4


def rejected(_: Any, m: Any) -> None:
    m.failure("wrong total")


def refused(_: Any, __: Any) -> None:
    raise RefusedError("no more seats at 10.0.0.7:5432")


def refused_by_locusts_word(_: Any, __: Any) -> None:
    raise ResponseError("too few")


def accepted(_: Any, m: Any) -> None:
    try:
        raise RefusedError
    except RefusedError:
        m.success()


def mistaken(_: Any, __: Any) -> None:
    dict[str, str]()["id"]


def out_of_files(_: Any, __: Any) -> None:
    raise OSError(24, "files")


def hang(_: Any, __: Any) -> None:
    gevent.sleep(60)


def hang_and_accept(_: Any, m: Any) -> None:
    m.success()
    gevent.sleep(60)


@pytest.mark.parametrize(
    ("within", "error", "proven", "goes_on"),
    [
        (rejected, "wrong total", True, True),
        (refused, "RefusedError: no more seats at …", True, False),
        (refused_by_locusts_word, "too few", True, True),
        (accepted, "", False, True),
        (mistaken, "scenario: KeyError: 'id'", False, False),
        (out_of_files, "own: too many open files", False, False),
        (hang, "deadline", True, False),
        (hang_and_accept, "deadline", True, False),
    ],
)
def test_what_leaves_a_block_decides(
    within: Any, error: str, proven: bool, goes_on: bool, tmp_path: Path
) -> None:
    found, went_on = driven(tmp_path, within, deadline="100ms")
    assert found.errors() == [error] * 4
    assert set(found.log.ok) == {not error}
    assert set(found.log.proven_bad(0.1)) == {proven}
    assert went_on == (4 if goes_on else 0)
    mistakes = [each.error for each in found.scenario.errors]
    assert mistakes == (["KeyError: 'id'"] if within is mistaken else [])


def test_a_failure_that_the_scenario_catches_is_no_end(tmp_path: Path) -> None:
    class Careful(ProtocolUser):
        @task
        def ask(self) -> None:
            try:
                with self.measure("first"):
                    raise RefusedError
            except RefusedError:
                with self.measure("second"):
                    pass

    found = drive(Careful, tmp_path, duration="20ms")
    assert sorted(found.names()) == ["first"] * 4 + ["second"] * 4
    assert found.scenario.errors == ()


def test_a_user_whose_block_failed_is_not_met_again(tmp_path: Path) -> None:
    class Connecting(ProtocolUser):
        def on_start(self) -> None:
            with self.measure("connect"):
                pass

        @task
        def ask(self) -> None:
            with self.measure("ask"):
                raise RefusedError

    found = drive(Connecting, tmp_path, duration="20ms")
    assert found.names().count("connect") == 4


def test_any_user_may_measure_and_so_may_code_without_self(tmp_path: Path) -> None:
    def library() -> None:
        with measure("library", timeout=0.05):
            gevent.sleep(60)

    class Plain(User):
        @task
        class Asking(TaskSet):
            @task
            def ask(self) -> None:
                gevent.spawn(library).join()

    hub, found = gevent.get_hub(), None
    hub.exception_stream, stream = None, hub.exception_stream
    try:
        found = drive(Plain, tmp_path, duration="20ms")
    finally:
        hub.exception_stream = stream
    assert found.in_time.error.texts() == ["deadline"] * len(found.in_time)
    assert len(found.in_time)
    assert np.allclose(np.sort(found.log.intended), np.arange(4) / 200)
    assert found.scenario.errors == ()


def test_where_nobody_is_served_nothing_can_be_measured() -> None:
    with pytest.raises(LocustError, match=r"measure\('ask'\): no arrival is served here"):
        measure("ask")


def test_a_block_that_is_entered_too_late_is_not_sent(tmp_path: Path) -> None:
    class Late(ProtocolUser):
        @task
        def ask(self) -> None:
            gevent.sleep(0.02)
            with self.measure("ask"):
                raise AssertionError("it was sent")

    found = drive(Late, tmp_path, duration="20ms", deadline="10ms")
    assert found.errors() == [failure.TOO_LATE] * 4
    assert np.isnan(found.log.sent).all()
    assert found.scenario.errors == ()
