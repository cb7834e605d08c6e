"""A worker's side of a test whose master shares neither its clock nor its disk (see `far_master`).

It answers each question at once with what its clock shows, keeps its spool on its own disk and brings it to
the master chunk by chunk. When it has heard no question for the lease, it stops sending by itself: nobody
knows of its load any more. Its rows stay on its disk until the master has them.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from locust.exception import RPCError
from locust.runners import WorkerRunner

from seatrial.load import agreement
from seatrial.load.clocks import MOST_DOUBT_S
from seatrial.load.shipping import Outbound
from seatrial.load.supplies import Pantry
from seatrial.load.trust import LEASE_S, MASTER, MESSAGE, opened, sealed
from seatrial.load.versions import ScenarioCode, versions
from seatrial.processes import monotonic_clock_id

if TYPE_CHECKING:
    from seatrial.load.engine import Engine

_LOOK_EVERY_S = 0.2
_AGAIN_AFTER_S = 2.0  # without an answer a chunk is sent once more
_NOT_HEARD_S = 1.5  # then the master is taken to be out of reach, and nothing is queued for it
_DELIVERS_FOR_S = 60.0  # after a lease that ran out, before it leaves its rows where they are

logger = logging.getLogger(__name__)


class FarWorker:
    """One worker process. `scenario`: what it has imported. `quit_` ends it."""

    def __init__(
        self, runner: WorkerRunner, key: bytes, scenario: ScenarioCode, quit_: Callable[[], None]
    ) -> None:
        self._runner: Any = runner
        self._key = key
        self._scenario = scenario
        self._quit = quit_
        self._name = f"{socket.gethostname()}, pid {os.getpid()}"
        self._heard_s = time.monotonic()
        self._test = ""
        self._engine: Engine | None = None
        self._outbound: Outbound | None = None
        self._folder: Path | None = None
        self._streams_up_to: int | None = None  # of the spool while the load goes on; None: all of it
        self._ended = ""  # why its load ended before its time
        self._over = False
        self.pantry = Pantry()
        self._is_taking = False  # a chunk of a file, which may mean to hash all of it
        self._progress = Event()
        self._delivered = Event()
        runner.register_message(MESSAGE, self._hear)

    def spool(self, index: int) -> Path:
        """Where this test's rows go on this machine's disk."""
        self._folder = Path(tempfile.mkdtemp(prefix="seatrial-worker-"))
        return self._folder / f"worker-{index}.spool"

    def begin(self, engine: Engine, test: str, spool: Path, keep: bool) -> None:
        """The load begins. `keep`: but for their header, rows are brought when it is over."""
        self._engine, self._test, self._outbound = engine, test, Outbound(spool)
        self._streams_up_to = spool.stat().st_size if keep else None
        self._heard_s, self._ended, self._over = time.monotonic(), "", False
        self._delivered.clear()
        gevent.spawn(self._bring)
        gevent.spawn(self._watch_the_lease)

    def finished(self) -> None:
        """The load has ended, all rows are in the spool: bring the rest."""
        if self._outbound is not None:
            self._over = self._outbound.complete = True
            self._progress.set()

    def tell_of_rows_left(self) -> None:
        """Say where rows are that the master does not have."""
        if self._outbound is not None and not self._delivered.is_set():
            logger.error("The master has not fetched all rows; they are in %s", self._folder)

    # what is heard and said

    def _hear(self, msg: Any, **_: Any) -> None:
        shown_s = time.monotonic()
        said = opened(self._key, MASTER, msg.data)
        if said is None or said["to"] != self._runner.client_id:
            return
        self._heard_s = shown_s
        engine = self._engine if said.get("test") == self._test else None
        if said["kind"] == "ask":
            self._say(
                kind="clock",
                asked=said["asked"],
                shown=shown_s,
                name=self._name,
                versions=versions(),
                scenario=self._scenario.hash,
                modules=self._scenario.modules,
                clock=monotonic_clock_id(),
                ended=self._ended,
                made=engine.course.shown if engine is not None else [],
            )
            if engine is not None:
                engine.course.follow(agreement.read(said["agreed"]))
                self._note(said["has"], said["whole"], said["finish"])
        elif said["kind"] == "file" and not self._is_taking:
            self._is_taking = True
            gevent.spawn(self._take_file, said)
        elif said["kind"] == "take" and engine is not None:
            engine.course.take(said["share"], said["part"], said["of"], said["from_s"])

    def _take_file(self, said: Mapping[str, Any]) -> None:
        try:
            self._say(kind="has", **gevent.get_hub().threadpool.apply(self.pantry.take, (said,)))
        finally:
            self._is_taking = False

    def _note(self, brought: int, whole: bool, finish: bool) -> None:
        assert self._outbound is not None
        if whole:
            self._delivered.set()
            self._progress.set()
        if brought > self._outbound.brought:
            self._outbound.brought = brought
            self._progress.set()
        if finish and not self._over:
            self._over = True
            gevent.spawn(self._finish)

    def _finish(self) -> None:
        if self._engine is not None:
            left_s = self._engine.ends_s - time.monotonic()
            if 0 < left_s <= MOST_DOUBT_S:  # for the master all are over, and its clock is known so well
                gevent.sleep(left_s)
            self._engine.finish()
        self.finished()

    def _say(self, **said: Any) -> None:
        try:
            self._runner.send_message(MESSAGE, sealed(self._key, self._runner.client_id, **said))
        except RPCError as error:  # the connection is made anew; what matters is said again
            logger.warning("The master cannot be told: %s", error)

    # rows

    def _bring(self) -> None:
        outbound, threads = self._outbound, gevent.get_hub().threadpool
        assert outbound is not None
        while not self._delivered.is_set():
            up_to = None if outbound.complete else self._streams_up_to
            away = time.monotonic() - self._heard_s > _NOT_HEARD_S
            chunk = None if away else threads.apply(outbound.next_chunk, (up_to,))
            self._progress.clear()
            if chunk is None:
                self._progress.wait(_LOOK_EVERY_S)
                continue
            place = {"test": self._test, "offset": chunk.offset, "last": chunk.last}
            self._say(kind="rows", **place, data=chunk.data)
            self._progress.wait(_AGAIN_AFTER_S)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # the lease

    def _watch_the_lease(self) -> None:
        while not self._delivered.wait(_LOOK_EVERY_S):
            silent_s = time.monotonic() - self._heard_s
            if silent_s > LEASE_S and not self._over:
                self._ended = f"it heard nothing of the master for {LEASE_S:g} s and stopped"
                logger.error("Nothing was heard of the master for %g s: no more load is sent", LEASE_S)
                self._over = True
                gevent.spawn(self._finish)
            if silent_s > LEASE_S + _DELIVERS_FOR_S:
                self._quit()
                return
