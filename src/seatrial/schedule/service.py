"""The daemon as a process: what wakes it, what runs beside it, and how it ends.

Beside the ticks run two threads: one delivers the outbox, one looks after neglected incidents. Neither can
hold up the other, nor a tick: a receiver that hangs must not keep a heartbeat from being sent.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from seatrial.incidents import Delivery, Escalation, IncidentSettings
from seatrial.incidents.escalation import Acknowledged, escalate_neglected
from seatrial.incidents.sink import Acknowledging, utc_now
from seatrial.model.problems import Unavailable
from seatrial.schedule.clock import Clock
from seatrial.schedule.daemon import Daemon
from seatrial.schedule.loading import LoadedSchedule
from seatrial.store import Store

_log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(
    logging.ERROR
)  # that a slow tick delays the next is as it should be

_LATE_TICKS = 4  # so many intervals without a tick: the waker sleeps and is woken itself
_KEEP_SENT = timedelta(days=90)
_UNDO_S = (
    300.0  # an aborted run gets so long to undo and be recorded; then the process no longer waits for it
)


@dataclass(slots=True)
class Service:
    """Wakes a daemon until it is told to stop.

    The first `stop` lets runs finish for `drain_s`, then aborts them, which undoes their faults; the second
    aborts at once.
    """

    daemon: Daemon
    tick_s: float = 5.0
    drain_s: float = 600.0
    clock: Clock = field(default_factory=Clock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _hurry: threading.Event = field(default_factory=threading.Event)
    _ticking: threading.Lock = field(default_factory=threading.Lock)
    _ticked_at: float = 0.0
    _by_hand: bool = False

    def stop(self, *, hurry: bool = True, by_hand: bool = False) -> None:
        """End gracefully; called again, abort, if that call is in a `hurry`. Safe in a signal handler.

        `by_hand`: a person at a terminal asks, who sees what is aborted; nobody else is told of it.
        """
        self._by_hand = by_hand
        if hurry and self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    @property
    def asked(self) -> str:
        """What it has been told so far: nothing, `stop` or `hurry`."""
        return "hurry" if self._hurry.is_set() else "stop" if self._stopping.is_set() else ""

    def run(self) -> None:
        """Tick until stopped, then until nothing runs any more."""
        self._ticked_at = self.clock.monotonic()
        scheduler = BackgroundScheduler(timezone=UTC)
        job = scheduler.add_job(
            self._tick,
            "interval",
            seconds=self.tick_s,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(UTC),
        )
        scheduler.start()
        try:
            while not self._stopping.wait(self.tick_s):
                self.rearm(job)
        finally:
            scheduler.shutdown(wait=True)
            self._drain()

    def run_once(self, patience_s: float = 900.0) -> None:
        """Do what is due now and end; what may only start later than in `patience_s` is left alone.

        Raises Unavailable when the database stays away that long.
        """
        started = self.clock.monotonic()
        while True:
            self._tick()
            impatient = self.clock.monotonic() - started > patience_s
            if self.daemon.idle or self._stopping.is_set() or (impatient and not self.daemon.running):
                break
            self._stopping.wait(self.tick_s)
        self._drain()
        if not self.daemon.idle and not self._stopping.is_set() and self.daemon.away:
            raise Unavailable("the run database did not answer, so nothing was started")

    def rearm(self, job: Any) -> None:
        """Wake the waker. It sleeps by the wall clock: set back by an hour, it would sleep for an hour."""
        silent_s = self.clock.monotonic() - self._ticked_at
        if silent_s > _LATE_TICKS * self.tick_s and not self._ticking.locked():
            _log.warning("no tick for %.0f s (did the clock jump?); continuing now", silent_s)
            self._ticked_at = self.clock.monotonic()
            job.modify(next_run_time=datetime.now(UTC))

    def _tick(self) -> None:
        with self._ticking:
            self._ticked_at = self.clock.monotonic()
            self.daemon.tick()

    def _drain(self) -> None:
        self.daemon.drain()
        if self.daemon.running:
            _log.warning("asked to stop; runs that are under way may finish for %g s", self.drain_s)
        started = self.clock.monotonic()
        while self.daemon.running:
            if self._hurry.is_set():
                self.daemon.abort_all("the daemon was told to stop, twice", by_hand=self._by_hand)
            elif self.clock.monotonic() - started > self.drain_s:
                why = f"the daemon was told to stop {self.drain_s:g} s ago"
                self.daemon.abort_all(why, by_hand=self._by_hand)
            if self.clock.monotonic() - started > self.drain_s + _UNDO_S:
                _log.error("a run could not be recorded; whoever looks next will find it interrupted")
                return
            self._tick()
            if self.daemon.running:
                self._hurry.wait(min(self.tick_s, 1.0))


@dataclass(slots=True)
class Companions:
    """The threads beside the daemon: delivery of the outbox, and care for neglected incidents."""

    store: Store
    settings: IncidentSettings
    schedules: Callable[[], Sequence[LoadedSchedule]]
    now: Callable[[], datetime] = utc_now
    look_every_s: float = 60.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Companions:
        for sink, how in self.settings.off().items():
            _log.warning("%s is off: %s; what it would be sent is kept in the outbox", sink, how)
        self._threads = [
            threading.Thread(target=self._deliver, name="delivery"),
            threading.Thread(target=self._look_after, name="escalation"),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both, after one last attempt to deliver what is due."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _deliver(self) -> None:
        with self.settings.sinks() as sinks:
            delivery = Delivery(self.store.outbox, sinks, now=self.now)
            delivery.run(self._stop)
            try:
                delivery.drain()
            except Unavailable as error:
                _log.warning("%s; undelivered incidents stay in the outbox", error)

    def _look_after(self) -> None:
        with self.settings.sinks() as sinks:
            knowing = (sink for sink in sinks.values() if isinstance(sink, Acknowledging))
            acknowledged = next((sink.acknowledged for sink in knowing), None)
            while not self._stop.wait(self.look_every_s):
                self.look(acknowledged)

    def look(self, acknowledged: Acknowledged | None) -> None:
        """Escalate what is neglected, and forget what was delivered long ago."""
        rules: dict[str, Escalation] = {}
        for loaded in sorted(self.schedules(), key=_patience_s, reverse=True):
            rules[loaded.target_name] = (
                loaded.escalation
            )  # of several schedules of a target, the least patient
        try:
            escalate_neglected(self.store, rules, self.settings.routes(), acknowledged, self.now())
            self.store.outbox.prune(self.now() - _KEEP_SENT)
        except Unavailable as error:
            _log.warning("%s; neglected incidents are looked at again later", error)


def _patience_s(loaded: LoadedSchedule) -> float:
    limit = loaded.escalation.unacknowledged
    return limit.seconds if limit is not None else math.inf
