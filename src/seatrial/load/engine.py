"""Runs one load test in one process: pacer, virtual users, client, recorder.

    Offer ─► Pacer ─► Engine._launch ─► a greenlet an arrival ─► task ─► Client ─► Reporter ─► the spool
                                                                                         └───► Locust

An arrival's greenlet is a bare one whose parent is gevent's hub, and the pacer, itself a callback of the
hub, switches into it directly. `gevent.spawn` would queue it for the next turn of the loop, and cost that
turn in lateness and twice the time.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]
from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, StopTest, StopUser

from seatrial.load import failure, wall
from seatrial.load.alarm import alarm
from seatrial.load.client import Client
from seatrial.load.connection import ConnectionPool
from seatrial.load.options import LoadOptions
from seatrial.load.pacer import Pacer
from seatrial.load.recorder import Recorder
from seatrial.load.reporter import Reporter
from seatrial.load.scenario_errors import ErrorTally, LogListener, hear_greenlets
from seatrial.load.spool import CANNOT_WRITE, SpoolHeader
from seatrial.load.user_pool import Task
from seatrial.model.result import GeneratorAudit

if TYPE_CHECKING:
    from seatrial.load.user import OpenLoopUser

FLUSH_EVERY_S = 0.2
_GRACE_S = 0.05  # the loop's timers are coarse: a straggler's own deadline comes first
_LEAVING_S = 1.0  # for stragglers to put down their rows when they are told to stop

logger = logging.getLogger(__name__)


class Engine:
    """One worker's part of one test: `start`, then `finish`.

    `end_test` stops Locust's test, for when the scenario or the disk leaves no other choice.
    """

    def __init__(
        self,
        environment: Environment,
        options: LoadOptions,
        header: SpoolHeader,
        host: str,
        tasks: list[Task],
        spool: Path,
        end_test: Callable[[], None],
    ) -> None:
        self._environment = environment
        self._events: Any = environment.events
        self._options = options
        self._header = header
        self._host = host  # resolved: the header's is for people
        self._tasks = tasks
        self._end_test = end_test
        self._hub = gevent.get_hub()
        self._recorder = Recorder(spool, header, write=self._write_in_a_thread)
        zero_s, deadline_s = header.zero_monotonic_s, options.deadline
        self._reporter = Reporter(self._recorder, self._events.request, header.zero_unix_s, deadline_s)
        arrivals = header.offer.arrivals([task.weight for task in tasks], header.share)
        self._pacer = Pacer(arrivals, zero_s, self._launch, time.monotonic)
        self._pools: dict[bool | str, ConnectionPool] = {}
        self._serving: dict[greenlet, OpenLoopUser | None] = {}
        self._closing = Event()
        self._drained = Event()  # closing, and nobody is under way
        self._concluding = BoundedSemaphore()
        self._flusher: Any = None
        self._audit: GeneratorAudit | None = None
        self._errors = ErrorTally(header.scenario)
        self._log_listener = LogListener(self._errors)
        self._stop_hearing: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to offer load."""
        logging.getLogger().addHandler(self._log_listener)
        self._stop_hearing = hear_greenlets(self._hub, self._errors)
        wall.tell_of_refusals(self._errors.refused)
        self._pacer.start(lambda ring: alarm(self._hub.loop, ring))
        self._flusher = gevent.spawn(self._flush_regularly)

    def finish(self) -> GeneratorAudit:
        """No new arrivals; wait for stragglers at most one deadline; put all on record.

        May be called again, also while the first call still waits: Locust stops a test from several sides.
        """
        self._hub.loop.run_callback(self._close)
        try:
            self._drained.wait(self._options.deadline + _GRACE_S)
        except KeyboardInterrupt:
            logger.warning("Interrupted again: not waiting for %d answers", len(self._serving))
        with self._concluding:
            if self._audit is None:
                self._abandon_stragglers()
                self._flusher.join()
                self._stop_hearing()
                logging.getLogger().removeHandler(self._log_listener)
                self._audit = self._closed()
                for pool in self._pools.values():
                    pool.close()
        return self._audit

    def _closed(self) -> GeneratorAudit:
        try:
            return self._recorder.close(self._errors.account())
        except OSError as error:
            self._cannot_write(error)
            return self._recorder.account

    # arrivals

    def _launch(self, intended: float, choice: int) -> None:
        task = self._tasks[choice]
        self._errors.arrivals += 1
        if len(self._serving) >= self._options.max_in_flight:
            reason = f"dropped: {self._options.max_in_flight} arrivals in flight"
            self._reporter.dropped(task.name, intended, reason)
        else:
            greenlet(self._serve, self._hub).switch(task, intended)

    def _serve(self, task: Task, intended: float) -> None:
        serving, me, idle = self._serving, getcurrent(), task.pool.idle
        serving[me] = user = idle.pop() if idle else None
        try:
            if user is None:
                user = serving[me] = self._new_user(task.pool.user_class)
                user.client.arrive(intended)
                user.on_start()
            else:
                user.client.arrive(intended)
            task.function(user)
            self._ended(task, user)
        except (StopUser, InterruptTaskSet, RescheduleTask):  # ways in which Locust's tasks end early
            self._ended(task, user)
        except GreenletExit:
            pass  # the test is over, and this arrival is not
        except StopTest as stop:
            logger.error("%s", stop)
            gevent.spawn(self._end_test)
        except (Exception, gevent.Timeout) as error:
            self._task_failed(task, user, intended, error)
            user = None  # in an unknown state: not to be met again
        finally:
            del serving[me]
            if user is not None:
                user.client.depart()
                idle.append(user)
            if not serving and self._closing.is_set():
                self._drained.set()

    def _new_user(self, user_class: type[OpenLoopUser]) -> OpenLoopUser:
        user = user_class(self._environment)
        pool = self._pools.setdefault(user.verify, ConnectionPool(user.verify))
        zero_s, deadline_s = self._header.zero_monotonic_s, self._options.deadline
        report = partial(self._reporter.settled, user)
        user.client = Client(user.host or self._host, pool, zero_s, deadline_s, report)
        return user

    def _ended(self, task: Task, user: OpenLoopUser | None) -> None:
        """An arrival that sent nothing is in no row of the log, so it is counted here."""
        if user is None or not user.client.requests:
            self._errors.silent(task.function)

    def _task_failed(
        self, task: Task, user: OpenLoopUser | None, intended: float, error: BaseException
    ) -> None:
        if user is not None:
            user.client.depart()
        if user is None or not user.client.requests:
            self._reporter.dropped(task.name, intended, failure.of_the_scenario(error))
        self._events.user_error.fire(user_instance=user, exception=error, tb=error.__traceback__)
        if self._errors.raised(error, task.name):
            said = f"{task.name}: {type(error).__name__}"
            logger.error("%s (told once, and counted)", said, exc_info=error, extra={failure.COUNTED: True})

    # the end

    def _close(self) -> None:
        # In the hub, because arrivals that are due by now are still started.
        if not self._closing.is_set():
            self._pacer.stop()
            self._closing.set()
            if not self._serving:
                self._drained.set()

    def _abandon_stragglers(self) -> None:
        # Each is made to leave its wait; its client then records the request as unanswered.
        for straggler in list(self._serving):
            if straggler is not getcurrent():
                self._hub.loop.run_callback(straggler.throw, GreenletExit)
        self._drained.wait(_LEAVING_S)

    # records

    def _flush_regularly(self) -> None:
        while not self._closing.wait(FLUSH_EVERY_S):
            try:
                account = self._errors.account() if self._errors.changed else None
                self._recorder.flush(self._in_flight(), account)
            except OSError as error:
                # Rows that cannot be kept make the run worthless; going on would hide it.
                self._cannot_write(error)
                gevent.spawn(self._end_test)
                return

    def _cannot_write(self, error: OSError) -> None:
        logger.critical("The request log cannot be written: %s", error)
        self._environment.process_exit_code = CANNOT_WRITE  # the log may be on the same full disk

    def _in_flight(self) -> Iterator[tuple[float, float, str]]:
        for user in list(self._serving.values()):
            for response in user.client.in_flight() if user is not None else ():
                yield response.intended, response.sent, response.name

    def _write_in_a_thread(self, fd: int, data: bytes) -> int:
        return int(self._hub.threadpool.apply(os.write, (fd, data)))
