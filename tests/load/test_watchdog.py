"""What stops the loop is seen from beside it, and named."""

from __future__ import annotations

import inspect
import pathlib
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gevent
import psycopg
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import task
from tests.support.driven import drive
from tests.support.listeners import listening

from seatrial.load import watchdog
from seatrial.load.scenario_errors import place_among
from seatrial.load.user import ProtocolUser
from seatrial.load.watchdog import Holds, Look, Spot, noticeable_s
from seatrial.model.scenarioaccount import BlockingCall

PAY, LOAN = Spot("shop.py:31", "pay", 30), Spot("shop.py:55", "lend", 50)
FURTHER_ON = Spot("shop.py:33", "pay", 30)


def seen(*looks: Look) -> list[BlockingCall]:
    holds = Holds(0.010)
    for look in looks:
        holds.see(look)
    return list(holds.found.values())


def asleep(turn: int, *ages_ms: float, spot: Spot | None = PAY) -> list[Look]:
    """Looks at a thread that waits in a system call."""
    return [Look(turn, age_ms / 1e3, spot) for age_ms in ages_ms]


@pytest.mark.parametrize(
    ("looks", "found"),
    [
        (asleep(1, 4, 9), []),  # not for long
        (asleep(1, 12), []),  # one look is none
        (asleep(1, 12, 17, 22), [("shop.py:31", 1, 22)]),
        (asleep(1, 12, 17) + asleep(2, 12, 17, 30), [("shop.py:31", 2, 30)]),
        (asleep(1, 12) + asleep(2, 12), []),  # each in a turn of its own
        (asleep(1, 400, 405, 410, spot=None), []),  # idle
        (asleep(1, 12) + asleep(1, 17, spot=None) + asleep(1, 22), []),
        (asleep(1, 12) + asleep(1, 17, 22, spot=FURTHER_ON), [("shop.py:33", 1, 22)]),
        (
            asleep(1, 12, 17) + asleep(1, 22, 27, 32, spot=LOAN),
            [("shop.py:31", 1, 17), ("shop.py:55", 1, 15)],
        ),
    ],
)
def test_two_looks_in_one_turn_at_one_place_are_a_hold(looks: list[Look], found: list[Any]) -> None:
    assert [(each.place, each.count, round(each.longest_ms)) for each in seen(*looks)] == found


def looks(ran_s: float, waited_s: float, runnable: bool) -> list[Look]:
    """Two, 10 ms apart, of a thread that has done this meanwhile."""
    return [
        Look(1, 0.012, PAY, 1.0, 5.0, runnable),
        Look(1, 0.022, PAY, 1.0 + ran_s, 5.0 + waited_s, runnable),
    ]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        (looks(0.009, 0.0, True), 1),  # it computes
        (looks(0.0, 0.0, True), 0),  # it would run, and may not
        (looks(0.001, 0.008, False), 0),  # it was not let run, and sleeps now
        (looks(0.001, 0.0, False), 1),  # it sleeps
    ],
)
def test_a_generator_that_the_machine_does_not_let_run_holds_nothing(what: list[Look], found: int) -> None:
    assert len(seen(*what)) == found


def test_an_arrival_interval_is_noticed_unless_it_is_very_short_or_long() -> None:
    assert [noticeable_s(rate) for rate in (0, 1, 20, 12_000)] == [0.1, 0.1, 0.05, 0.005]


_LET_RUN = 0.75  # of a hold: a thread that gets less of a processor is held by the machine, and is not told
_MOST_TRIES = 20
shares: list[float] = []  # of the holds that compute, how much of each the machine let it run


def compute(seconds: float) -> None:
    began_s, ran_s = time.monotonic(), time.thread_time()
    while time.monotonic() < began_s + seconds:
        sum(range(100))
    shares.append((time.thread_time() - ran_s) / (time.monotonic() - began_s))


def wait_in_c(seconds: float) -> None:
    time.sleep(seconds)  # the operating system's: this process is not patched


def ask_a_database(seconds: float) -> None:
    """It takes its time to hang up; libpq waits for it in C, since this process is not patched."""

    def hang_up(_: bytes) -> Iterator[bytes]:
        time.sleep(seconds)
        yield from ()

    with listening(hang_up) as listener, pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=listener.host, port=listener.port, sslmode="disable")


@pytest.mark.parametrize("block", [compute, wait_in_c, ask_a_database])
def test_a_call_that_blocks_is_named_with_its_line(block: Callable[[float], None], tmp_path: Path) -> None:
    class Blocking(ProtocolUser):
        @task
        def pay(self) -> None:
            with self.measure("pay"):
                block(0.3)

    shares.clear()
    for attempt in range(_MOST_TRIES):
        driven = drive(Blocking, tmp_path / str(attempt), rate="100/s", duration="10ms")
        if not shares or shares[-1] >= _LET_RUN:
            break
    else:
        pytest.skip(f"the machine let nobody run: {max(shares):.0%} of a processor at the most")
    # A busy machine may hold up anybody else for an instant.
    (found,) = [each for each in driven.scenario.blocking if Path(__file__).name in each.place]
    lines, line = inspect.getsourcelines(block)
    number = found.place.rpartition(":")[2]
    assert line < int(number) < line + len(lines)
    assert found.during == block.__name__
    assert found.longest_ms >= 10
    assert found.count == 1


class Never:
    """An alarm that does not ring."""

    def set(self, at_s: float) -> None:
        pass

    def close(self) -> None:
        pass


def test_it_sleeps_while_alarms_are_set_in_time_and_looks_often_when_one_is_not() -> None:
    looked: list[float] = []

    class Counted(Holds):
        def see(self, look: Look) -> None:
            looked.append(time.monotonic())

    dog = watchdog.Watchdog(gevent.get_hub(), 0.005, "")
    dog.holds = Counted(0.005)
    alarm = dog.minding(Never())
    dog.start()
    try:
        in_time, limit_s = 0, time.monotonic() + 60
        while in_time < 20:
            assert time.monotonic() < limit_s
            alarm.set(time.monotonic() + 0.5)  # which is more than it may be put off
            set_s, before = time.monotonic(), len(looked)
            gevent.sleep(0.01)
            if time.monotonic() < set_s + 0.025:
                in_time += 1
                assert len(looked) <= before + 1  # one that had begun
        before = len(looked)
        while len(looked) < before + 20:
            assert time.monotonic() < limit_s
            gevent.sleep(0.005)
        assert any(later - each < 0.02 for each, later in pairwise(looked[before:]))
    finally:
        dog.stop()
    alarm.set(time.monotonic())  # whose watchdog is gone


SCENARIO = Path("/srv/load/shop.py")
FROZEN = ("<frozen posixpath>", 451)
LIBRARY = (pathlib.__file__, 993)


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        ([LIBRARY, (str(SCENARIO), 31), LIBRARY, FROZEN], "shop.py:31"),
        ([(str(SCENARIO), 31), ("/srv/load/pages/basket.py", 8), FROZEN], "shop.py:31"),
        ([LIBRARY, ("/srv/load/pages/basket.py", 8), LIBRARY, FROZEN], "pages/basket.py:8"),
        ([LIBRARY, FROZEN], "pathlib.py:993"),
        ([FROZEN], "<frozen posixpath>:451"),
    ],
)
def test_what_python_keeps_in_no_file_is_named_only_where_there_is_nothing_else(
    frames: list[tuple[str, int]], place: str
) -> None:
    assert place_among(frames, SCENARIO)[1] == place


def test_who_waits_in_gevents_way_stops_nobody(tmp_path: Path) -> None:
    class Patient(ProtocolUser):
        @task
        def wait(self) -> None:
            with self.measure("wait"):
                gevent.sleep(0.06)

    driven = drive(Patient, tmp_path, duration="300ms")
    assert driven.scenario.blocking == ()
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    drive(Patient, tmp_path, duration="20ms")
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files
