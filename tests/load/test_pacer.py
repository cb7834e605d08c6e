from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.pacer import BATCH, EARLY_S, Pacer


class Loop:
    """A loop and its alarm on a clock of its own."""

    def __init__(self, now_s: float = 100.0) -> None:
        self.now_s = now_s
        self.rings_at_s: float | None = None
        self.ring: Callable[[], None] = lambda: None

    def make_alarm(self, ring: Callable[[], None]) -> Loop:
        self.ring = ring
        return self

    def set(self, at_s: float) -> None:
        self.rings_at_s = at_s

    def close(self) -> None:
        self.rings_at_s = None

    def turn(self) -> bool:
        """One turn: sleep until the alarm rings, unless it is overdue."""
        if self.rings_at_s is None:
            return False
        self.now_s = max(self.now_s, self.rings_at_s)
        self.ring()
        return True

    def clock(self) -> float:
        self.now_s += 1e-6  # so that waiting awake comes to an end
        return self.now_s


def pacer(loop: Loop, due: Iterator[float], launch: Callable[[float, int], None]) -> Pacer:
    made = Pacer(((at_s, 7) for at_s in due), 100.0, launch, loop.clock)
    made.start(loop.make_alarm)
    return made


@given(st.lists(st.floats(-10, 1000), max_size=100), st.floats(0, 0.5))
def test_each_arrival_is_started_once_in_order_and_never_early(due: list[float], busy_s: float) -> None:
    loop, started = Loop(), []

    def launch(intended: float, choice: int) -> None:
        assert choice == 7
        assert loop.now_s >= 100.0 + intended
        started.append(intended)
        loop.now_s += busy_s

    pacer(loop, iter(sorted(due)), launch)
    while loop.turn():
        pass
    assert started == sorted(due)


def test_after_a_pause_it_is_awake_before_the_arrival_and_not_long() -> None:
    loop, started = Loop(), []
    pacer(loop, iter([5.0, 5.0005]), lambda *_: started.append(loop.now_s))
    assert loop.rings_at_s == pytest.approx(105.0 - EARLY_S)
    loop.turn()
    assert started == [pytest.approx(105.0, abs=1e-5)]
    assert loop.rings_at_s == 105.0005  # no pause, no early waking
    spurious = Loop()
    pacer(spurious, iter([5.0]), lambda *_: None)
    spurious.ring()
    assert spurious.now_s < 100.1


@pytest.mark.parametrize(("wakes_in_s", "early_s"), [(20e-6, 20e-6), (1e-3, EARLY_S)])
def test_it_learns_how_early_is_early_enough(wakes_in_s: float, early_s: float) -> None:
    """A processor that takes its time, always the same; what is longer than it may take is not waited for."""
    loop, late_s = Loop(), []
    due = [0.01 * number for number in range(1, 1000)]
    pacer(loop, iter(due), lambda intended, _: late_s.append(loop.now_s - 100.0 - intended))
    for number in range(len(due)):
        assert loop.rings_at_s is not None
        ahead_s = 100.0 + due[number] - loop.rings_at_s
        if number > 500:
            assert ahead_s == pytest.approx(early_s, abs=7e-6)
        loop.now_s = loop.rings_at_s + wakes_in_s
        loop.ring()
    assert min(late_s) >= 0
    if wakes_in_s < EARLY_S:
        assert sum(each > 3e-6 for each in late_s[500:]) <= 500 / 6


def test_one_that_is_behind_lets_the_loop_turn_between_batches() -> None:
    loop, started = Loop(now_s=200.0), []
    pacer(loop, iter([0.0] * (BATCH + 3)), lambda intended, _: started.append(intended))
    loop.turn()
    assert len(started) == BATCH
    assert loop.rings_at_s is not None  # still ringing
    loop.turn()
    assert len(started) == BATCH + 3
    assert loop.rings_at_s is None


def test_stop_starts_what_is_due_and_nothing_later() -> None:
    loop, started = Loop(now_s=102.5), []
    stopped = pacer(loop, iter([1.0, 2.0, 3.0]), lambda intended, _: started.append(intended))
    stopped.stop()
    assert started == [1.0, 2.0]
    assert not loop.turn()
    stopped.stop()
    assert started == [1.0, 2.0]


def test_an_endless_schedule_is_read_as_it_is_needed() -> None:
    read = []

    def endless() -> Iterator[float]:
        at_s = 0.0
        while True:
            read.append(at_s)
            yield at_s
            at_s += 1.0

    loop = Loop()
    pacer(loop, endless(), lambda *_: None)
    for _ in range(3):
        loop.turn()
    assert len(read) <= 5
