"""Greenlets that are used again: as often as nobody can tell, and never otherwise."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import gevent
import gevent.local
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from gevent.event import Event
from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]
from locust import task
from tests.support.driven import drive

from seatrial.load import greenlets
from seatrial.load.greenlets import Greenlets
from seatrial.load.user import ProtocolUser

Do = Callable[[], Any]


class Served:
    """Arrivals that do what they are given."""

    def __init__(self) -> None:
        self.made = 0  # greenlets
        self.done = 0
        self.all = Greenlets(self._serve, gevent.get_hub())

    def __call__(self, *arrivals: Do) -> None:
        """Start them, one after the other in one turn of the loop, and let it turn."""
        for each in arrivals:
            gevent.get_hub().loop.run_callback(self.all.start, each)
        gevent.sleep(0.001)

    def new(self, *arguments: Any) -> Any:
        self.made += 1
        return greenlet(*arguments)

    def _serve(self, do: Do) -> None:
        assert not vars(getcurrent())  # what another arrival has set there is gone
        do()
        self.done += 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    served = Served()
    monkeypatch.setattr(greenlets, "greenlet", served.new)
    yield served
    served.all.leave()
    assert served.all.resting == 0


def nothing() -> None:
    """An arrival that leaves nothing behind."""


def wait() -> None:
    gevent.sleep(0.001)


def set_an_attribute() -> None:
    getcurrent().spawn_tree_locals = {"whose": "mine"}


@pytest.mark.parametrize("do", [nothing, wait, set_an_attribute])
def test_one_greenlet_serves_one_arrival_after_the_other(served: Served, do: Do) -> None:
    for _ in range(5):
        served(do)
        gevent.sleep(0.003)
    assert (served.made, served.done, served.all.resting) == (1, 5, 1)


def test_arrivals_that_overlap_have_one_each(served: Served) -> None:
    go = Event()
    served(go.wait, go.wait, nothing, go.wait)
    assert (served.made, served.done) == (3, 1)
    go.set()
    served(nothing)
    assert (served.made, served.done, served.all.resting) == (3, 5, 3)


_VARIABLE: ContextVar[str] = ContextVar("_VARIABLE")
_LOCAL = gevent.local.local()
_KEPT: list[Any] = []


def _leave_a_time_out() -> None:
    _KEPT.append(gevent.Timeout.start_new(0.02))


def _leave_a_child() -> None:
    _KEPT.append(gevent.spawn(gevent.sleep, 0.02))  # which knows by whom it was spawned


KEEPING: dict[str, Do] = {
    "the greenlet": lambda: _KEPT.append(getcurrent()),
    "a weak reference": lambda: _KEPT.append(weakref.ref(getcurrent())),
    "a way to end it": lambda: _KEPT.append(getcurrent().throw),
    "a variable of its context": lambda: _VARIABLE.set("mine"),
    "a greenlet's local": lambda: setattr(_LOCAL, "whose", "mine"),
    "a time-out": _leave_a_time_out,
    "a child": _leave_a_child,
}


@pytest.fixture
def keeping() -> Iterator[None]:
    yield
    for each in _KEPT:
        if isinstance(each, gevent.Timeout):
            each.close()
    gevent.joinall([each for each in _KEPT if isinstance(each, gevent.Greenlet)])
    _KEPT.clear()


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("do", KEEPING.values(), ids=KEEPING)
def test_one_of_which_something_was_kept_is_not_used_again(served: Served, do: Do) -> None:
    def look() -> None:
        assert _VARIABLE.get(None) is None
        assert not hasattr(_LOCAL, "whose")

    served(do)
    served(nothing)
    served(look)
    assert (served.made, served.done) == (2, 3)


def test_one_that_was_ended_while_it_rested_loses_no_arrival(served: Served) -> None:
    """As the end of the test does to an arrival that is over by itself at the same instant."""
    loop = gevent.get_hub().loop
    served(lambda: loop.run_callback(getcurrent().throw, GreenletExit))
    gevent.sleep(0.001)
    assert served.all.resting == 1
    served(nothing)
    assert (served.made, served.done, served.all.resting) == (2, 2, 1)


def test_one_whose_arrival_raised_is_not_used_again(served: Served) -> None:
    def leave() -> None:
        raise GreenletExit

    served(leave)
    served(nothing)
    assert (served.made, served.done) == (2, 1)


def test_no_more_rest_than_are_worth_their_memory(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greenlets, "MOST_RESTING", 3)
    few = Served()
    go = Event()
    few(*[go.wait] * 10)
    go.set()
    gevent.sleep(0.001)
    assert (few.done, few.all.resting) == (10, 3)
    few.all.leave()
    served(nothing)


def test_those_that_serve_as_the_load_ends_do_not_rest(served: Served) -> None:
    go = Event()
    served(go.wait)
    served.all.leave()
    go.set()
    gevent.sleep(0.001)
    assert (served.done, served.all.resting) == (1, 0)


def test_what_an_arrival_leaves_behind_meets_no_other(tmp_path: Path) -> None:
    """Time-outs left running, a local, a variable of the context: by the load as a whole."""
    met: list[str] = []
    local, variable = gevent.local.local(), ContextVar[str]("variable")

    class Untidy(ProtocolUser):
        @task
        def leave(self) -> None:
            met.extend(name for name in ("local", "timeout") if hasattr(local, name))
            if variable.get(""):
                met.append("variable")
            with self.measure("ask"):
                gevent.sleep(0.02)
            local.timeout = gevent.Timeout.start_new(0.003)  # rings when this is over, and others are not
            local.local = True
            variable.set("mine")

    driven = drive(Untidy, tmp_path, rate="100/s", duration="100ms", deadline="30s")
    assert not met
    assert driven.log.ok.all()
    assert len(driven.log) == 10


def test_an_arrival_that_is_killed_is_the_only_one(tmp_path: Path) -> None:
    """By the scenario itself: while it waits, and once more when it is over."""
    begun: list[int] = []

    class Killed(ProtocolUser):
        @task
        def wait(self) -> None:
            begun.append(len(begun))
            with self.measure("ask"):
                if begun[-1] % 2:
                    loop = gevent.get_hub().loop
                    for _ in range(2):
                        loop.run_callback(getcurrent().throw, GreenletExit)
                gevent.sleep(0.002)

    driven = drive(Killed, tmp_path, rate="100/s", duration="100ms", deadline="30s")
    assert len(begun) == len(driven.log) == 10
    assert driven.log.ok.sum() == 5
