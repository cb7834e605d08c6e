"""process.slow: the process runs part of the time, and at full speed afterwards, whoever has died."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from tests.support.victims import LOOPBACK, Tree
from tests.support.waiting import wait_until

from seatrial.faults.companions import throttle
from seatrial.model.role import Role
from seatrial.processes import is_stopped, myself, send, tagged
from seatrial.undo import registry
from seatrial.undo.protocol import Fault

SLOW: Any = registry.build("process.slow", {"to": "20%", "period": "20ms"})


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Role]:
    """A process that takes all the time it is given."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    (tmp_path / "busy.pid").write_text(str(child.pid))
    yield Role("busy", "process", {"pidfile": "busy.pid"}, LOOPBACK, str(tmp_path))
    child.kill()
    child.wait()


def states_seen(role: Role, fault: Fault, looks: int = 200) -> list[bool]:
    (process,) = fault.prepare(role).state["processes"]
    seen = []
    for _ in range(looks):
        seen.append(psutil.Process(process["pid"]).status() == psutil.STATUS_STOPPED)
        time.sleep(0.001)
    return seen


def test_it_is_stopped_most_of_the_time(busy: Role) -> None:
    undo = SLOW.prepare(busy)
    SLOW.inject(undo)
    assert not SLOW.gone(undo)
    share = sum(states_seen(busy, registry.build("process.kill", {}))) / 200
    assert 0.4 < share < 1.0
    SLOW.undo(undo)
    assert not any(states_seen(busy, registry.build("process.kill", {}), 50))
    assert tagged(undo.token) == []
    assert SLOW.gone(undo)
    SLOW.undo(undo)


class Late:
    """A clock, and a host that stops and continues: who sleeps on this machine is woken 10 ms too late."""

    def __init__(self, cycles: int) -> None:
        self.now_s = self.since_s = 0.0
        self.ran_s = self.stopped_s = 0.0
        self.cycles = cycles

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, length_s: float) -> None:
        self.now_s += length_s + 0.010

    def lives(self) -> bool:
        self.cycles -= 1
        return self.cycles >= 0

    def states(self, _processes: object) -> None:
        """Nothing has changed."""

    def signal(self, _processes: object, _number: int) -> None:
        self.ran_s += self.now_s - self.since_s
        self.since_s = self.now_s

    def resume(self, _host: object, _processes: object) -> None:
        self.stopped_s += self.now_s - self.since_s
        self.since_s = self.now_s


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.9])
def test_its_share_of_time_is_kept_where_the_machine_is_late(
    busy: Role, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    late = Late(cycles=200)
    monkeypatch.setattr(throttle, "time", late)
    monkeypatch.setattr(throttle, "Starter", lambda _: late)
    monkeypatch.setattr(throttle, "resume", late.resume)
    monkeypatch.setattr(throttle, "processes_of", lambda _: SimpleNamespace(host=late))
    monkeypatch.setattr(throttle, "say_ready", lambda: None)
    throttle.main(["nobody", str(share), "0.1", SLOW.prepare(busy).to_json()])
    assert late.ran_s / (late.ran_s + late.stopped_s) == pytest.approx(share, abs=0.02)


def test_a_killed_companion_leaves_nothing_stopped_after_the_undo(tree: Tree) -> None:
    undo = SLOW.prepare(tree.role)
    SLOW.inject(undo)
    (companion,) = tagged(undo.token)
    wait_until(lambda: is_stopped(tree.born[0]))
    send(companion, signal.SIGKILL)
    SLOW.undo(undo)
    wait_until(tree.intact)


def test_the_companion_ends_with_its_conductor(tree: Tree) -> None:
    program = (
        "import sys, os, signal; from seatrial.model.role import Role; from seatrial.undo import Undo, registry;"
        "undo = Undo.from_json(sys.argv[1]);"
        "registry.build(undo.fault, undo.with_).inject(undo);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    undo = SLOW.prepare(tree.role)
    subprocess.run([sys.executable, "-c", program, undo.to_json()], check=False, timeout=30)
    wait_until(lambda: not tagged(undo.token), what="the companion has ended by itself")
    wait_until(tree.intact)
    assert myself() not in tree.born
