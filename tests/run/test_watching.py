"""Looks go on all through a run, on the log's clock, and nothing that they meet ends it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seatrial.checks.protocol import Need, When
from seatrial.lookups.recorder import Looker, RunFacts, Series, Watcher
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.run.needs import BoundNeed
from seatrial.run.watching import Watch

ROLE = Role("clockwork", "made-up", {}, (), ".")
NEED: Need[Any] = Need("counting", "clockwork", When.DURING)


class Counter:
    """Counts how often it was looked at; every third look comes to nothing."""

    def __init__(self, enough: threading.Event) -> None:
        self._numbers = itertools.count(1)
        self._enough = enough
        self.closed = False

    def seen(self) -> int:
        number = next(self._numbers)
        if number > 5:
            self._enough.set()
        if number % 3 == 0:
            raise OSError("no route")
        return number

    def close(self) -> None:
        self.closed = True


class Counting(Watcher[int]):
    name: ClassVar[str] = "counting"
    drivers: ClassVar[tuple[str, ...]] = ("made-up",)
    every_s: ClassVar[float] = 0.01

    def __init__(self, enough: threading.Event | None = None) -> None:
        self.counter = Counter(enough or threading.Event())

    def lookers(self, role: Role) -> Mapping[str, Looker[int]]:
        self.fit(role)
        return {"one": self.counter}

    def evidence(self, data: Series[int]) -> str:
        return repr(data)


def bound(recorder: Watcher[Any], role: Role = ROLE, lacking: str = "") -> BoundNeed:
    return BoundNeed(NEED, recorder, role, lacking)


def test_it_looks_until_it_is_stopped_and_tells_what_failed() -> None:
    enough = threading.Event()
    recorder = Counting(enough)
    zero_s = time.monotonic()
    with Watch([bound(recorder)], time.monotonic) as watch:
        assert enough.wait(10)
    looks = watch.told(zero_s)[NEED].data["one"]  # type: ignore[index]
    assert [look.seen for look in looks[:6]] == [1, 2, None, 4, 5, None]
    assert looks[2].error == "one: OSError: no route"
    assert all(0 <= look.asked_s <= look.answered_s <= time.monotonic() - zero_s for look in looks)
    assert all(later.asked_s >= earlier.answered_s for earlier, later in itertools.pairwise(looks))
    assert recorder.counter.closed


def test_who_cannot_be_asked_costs_the_answer_alone() -> None:
    elsewhere = Role("clockwork", "redis", {}, (), ".")
    with Watch([bound(Counting(), elsewhere)], time.monotonic) as watch:
        pass
    told = watch.told(0.0)[NEED]
    assert told.data is None
    assert "bound to driver 'redis'" in told.error
    with Watch([bound(Counting(), lacking="nobody watches it here")], time.monotonic) as watch:
        pass
    assert watch.told(0.0)[NEED].error == "nobody watches it here"


def test_what_is_needed_at_another_time_is_not_looked_at() -> None:
    later = BoundNeed(Need("counting", "clockwork"), Counting(), ROLE)
    with Watch([later], time.monotonic) as watch:
        pass
    assert watch.told(0.0) == {}


def test_one_look_is_a_recording_as_well() -> None:
    recorder = Counting()
    (look,) = recorder.record(ROLE, RunFacts([], Path()))["one"]
    assert look.seen == 1
    assert recorder.counter.closed


def test_a_role_of_another_driver_is_refused() -> None:
    with pytest.raises(BadInput, match="made-up"):
        Counting().lookers(Role("clockwork", "redis", {}, (), "."))
