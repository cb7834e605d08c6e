from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from seatrial.load import alarm


class Watcher:
    """What the alarms use of a gevent watcher."""

    def __init__(self, loop: Loop, fd: int | None, after_s: float) -> None:
        self.loop, self.fd, self.after_s = loop, fd, after_s

    def start(self, callback: Callable[[], None], *, update: bool = False) -> None:
        self.loop.started[self] = callback

    def stop(self) -> None:
        self.loop.started.pop(self, None)

    def close(self) -> None:
        self.stop()


class Loop:
    """A tiny loop with the two kinds of watchers that alarms need."""

    MAXPRI = 2

    def __init__(self) -> None:
        self.started: dict[Watcher, Callable[[], None]] = {}

    def io(self, fd: int, events: int, priority: int) -> Watcher:
        assert (events, priority) == (1, self.MAXPRI)
        return Watcher(self, fd, 0.0)

    def timer(self, after_s: float) -> Watcher:
        return Watcher(self, None, after_s)

    def turn(self, at_most_s: float = 5.0) -> None:
        ((watcher, callback),) = self.started.items()
        if watcher.fd is None:
            time.sleep(watcher.after_s)
            self.started.pop(watcher)
            callback()
        elif select.select([watcher.fd], [], [], at_most_s)[0]:
            callback()


KINDS = [alarm.TimerfdAlarm, alarm.LoopAlarm]


@pytest.mark.parametrize("kind", KINDS)
def test_it_rings_at_the_instant_and_until_set_anew(kind: Any) -> None:
    loop, rung = Loop(), []
    bell = kind(loop, lambda: rung.append(time.monotonic()))
    at_s = time.monotonic() + 0.02
    bell.set(at_s)
    loop.turn()
    loop.turn()
    assert len(rung) == 2
    assert rung[0] >= at_s
    bell.set(time.monotonic() - 1.0)  # overdue: at once
    loop.turn()
    assert len(rung) == 3
    bell.close()
    assert not loop.started


def test_a_timerfd_set_to_later_does_not_ring_before() -> None:
    loop, rung = Loop(), []
    bell = alarm.TimerfdAlarm(loop, lambda: rung.append(1))
    bell.set(time.monotonic() - 1.0)
    bell.set(time.monotonic() + 60.0)
    loop.turn(at_most_s=0.05)
    assert rung == []
    bell.close()


def test_without_a_timerfd_the_loops_own_timer_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise AttributeError("timerfd_create")

    monkeypatch.delattr("os.timerfd_create", raising=False)
    monkeypatch.setattr(alarm, "_LibcTimer", missing)
    assert isinstance(alarm.alarm(Loop(), lambda: None), alarm.LoopAlarm)


def test_who_sleeps_until_an_instant_does_not_wake_before_it_though_the_loop_was_held() -> None:
    """gevent's `spawn_later` would: it counts from when its loop last looked at the clock."""
    woke: list[float] = []
    began = time.monotonic()

    def hold_and_sleep() -> None:
        while time.monotonic() < began + 0.2:
            pass
        gevent.spawn(alarm.sleep_until, began + 0.3).join()
        woke.append(time.monotonic())

    gevent.spawn(hold_and_sleep).join()
    assert woke[0] >= began + 0.299  # libev rounds to a millisecond


def test_a_respite_that_is_put_off_ends_then_and_one_that_is_over_does_not_begin() -> None:
    found = alarm.respite()
    found.wait()  # it has come when it is made
    ends_s = time.monotonic() + 0.05
    found.until(ends_s)
    found.wait()
    found.wait()
    assert time.monotonic() >= ends_s
    found.until(time.monotonic() + 3600)
    found.until(ends_s)
    found.wait()
    found.close()


def test_where_there_is_no_timerfd_every_respite_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def without() -> Any:
        raise AttributeError("timerfd_create")

    monkeypatch.setattr(alarm, "TimerfdRespite", without)
    found = alarm.respite()
    found.until(time.monotonic() + 3600)
    found.wait()
    found.close()
