"""A worker's side of a test with far workers: when it ends. What it says and brings, `test_far` shows."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before gevent
from gevent.event import Event

from seatrial.load.far_worker import FarWorker
from seatrial.load.trust import MASTER, sealed
from seatrial.load.versions import ScenarioCode

KEY = b"our own"


class Ending:
    """An engine whose measured part is over at `ends_s`."""

    def __init__(self, ends_s: float) -> None:
        self.ends_s = ends_s
        self.course = SimpleNamespace(shown=[], follow=lambda _: None)
        self.ended = Event()
        self.ended_s = 0.0

    def finish(self) -> None:
        self.ended_s = time.monotonic()
        self.ended.set()


@pytest.mark.parametrize(("left_s", "waits"), [(0.2, True), (60.0, False)])
def test_the_last_arrivals_are_sent_though_the_masters_clock_is_a_little_ahead(
    left_s: float, waits: bool, tmp_path: Path
) -> None:
    """The master ends all loads when its own clock says so; nobody would put the missing ones on record."""
    runner: Any = SimpleNamespace(
        client_id="w1", register_message=lambda *_: None, send_message=lambda *_: None
    )
    worker = FarWorker(runner, KEY, ScenarioCode(), lambda: None)
    (spool := tmp_path / "worker-0.spool").touch()
    engine: Any = Ending(time.monotonic() + left_s)
    worker.begin(engine, "test", spool, keep=False)
    said = {"to": "w1", "kind": "ask", "test": "test", "has": 0, "whole": False, "finish": True, "agreed": []}
    worker._hear(SimpleNamespace(data=sealed(KEY, MASTER, asked=time.monotonic(), **said)))
    assert engine.ended.wait(30)
    assert (engine.ended_s >= engine.ends_s) is waits
    worker._note(0, whole=True, finish=True)  # all rows are there: nobody waits any more
    gevent.sleep(0)
