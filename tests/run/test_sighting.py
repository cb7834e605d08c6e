"""Effects are seen from outside on real processes, through a real session, and never before the injection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.victims import Service, Tree, Victim

from seatrial.run import sighting
from seatrial.run.sighting import Sighting
from seatrial.undo import FaultSession, Life, Observable, registry
from seatrial.undo.clock import Instant
from seatrial.undo.journal import What


@pytest.fixture(params=[Tree, Service])
def victim(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Victim]:
    made: Victim = request.param(tmp_path / "victim")
    yield made
    made.close()


def test_what_a_session_injects_is_seen(tmp_path: Path, victim: Victim) -> None:
    fault = registry.build(victim.fault, victim.parameters)
    assert isinstance(fault, Observable)
    seen: list[Instant] = []
    with FaultSession(tmp_path, "t", experiment="x", run="r", faults=[victim.fault]) as session:
        prepared = session.prepare(fault, victim.role, ttl_s=30)
        assert not fault.effective(prepared.undo)
        injection = session.fire(prepared)
        onlooker = Sighting(fault, prepared.undo, seen.append)
        onlooker.start()
        onlooker.join(10)
        (instant,) = seen
        assert instant.monotonic_ns >= injection.after.monotonic_ns
        session.observed(prepared, instant)
        session.undo(prepared)
    (life,) = session.history()
    assert isinstance(life, Life)
    assert life.instants[What.OBSERVED] == instant


def test_a_pause_that_is_over_no_longer_shows(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    try:
        fault = registry.build("process.pause", {})
        assert isinstance(fault, Observable)
        undo = fault.prepare(tree.role)
        fault.inject(undo)
        assert fault.effective(undo)
        fault.undo(undo)
        assert not fault.effective(undo)
    finally:
        tree.close()


def test_once_it_is_told_to_end_nothing_counts_as_seen(tmp_path: Path) -> None:
    looked, ended = threading.Event(), threading.Event()
    seen: list[Instant] = []

    class Slow:
        def effective(self, undo: object) -> bool:
            looked.set()
            return ended.wait(10)

    onlooker = Sighting(Slow(), None, seen.append)  # type: ignore[arg-type]
    onlooker.start()
    assert looked.wait(10)
    onlooker.end()
    ended.set()
    onlooker.await_end()
    assert not onlooker.is_alive()
    assert seen == []


def test_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sighting, "_LOOK_FOR_S", 0.01)

    class Never:
        def effective(self, undo: object) -> bool:
            return False

    onlooker = Sighting(Never(), None, pytest.fail)  # type: ignore[arg-type]
    onlooker.start()
    onlooker.join(10)
    assert not onlooker.is_alive()
