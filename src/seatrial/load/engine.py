"""Runs one load test in one process: pacer, virtual users, client, recorder.

    Offer ─► Pacer ─► Engine._launch ─► a greenlet an arrival ─► iterate ─► Client ─► Reporter ─► the spool
                                                                                            └───► Locust

An arrival's greenlet is a bare one whose parent is gevent's hub, and the pacer, itself a callback of the
hub, switches into it directly. `gevent.spawn` would queue it for the next turn of the loop, and cost that
turn in lateness and twice the time.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]
from locust import User
from locust.env import Environment
from locust.exception import StopTest, StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from seatrial.load import failure, iteration, reported, sessions, wall
from seatrial.load import feed as feeding
from seatrial.load.alarm import Alarm, alarm
from seatrial.load.arrival import Arrival
from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.connection import Pools
from seatrial.load.course import Course
from seatrial.load.feed import Feed
from seatrial.load.greenlets import Greenlets
from seatrial.load.names import Names
from seatrial.load.offer import Offer
from seatrial.load.options import LoadOptions
from seatrial.load.recorder import Recorder
from seatrial.load.reporter import Reporter
from seatrial.load.retirement import Retirement
from seatrial.load.scenario_errors import LISTENER, ErrorTally, LogListener, hear_greenlets
from seatrial.load.spool import CANNOT_WRITE, SpoolHeader
from seatrial.load.telling import tell, tell_of_consequence
from seatrial.load.under_way import UnderWay
from seatrial.load.user_pool import Task, VirtualUser
from seatrial.load.watchdog import Watchdog, noticeable_s
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.ownfailure import STOPPED
from seatrial.model.problems import BadInput

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
        rows: Feed | None = None,
    ) -> None:
        self._environment = environment
        self._events: Any = environment.events
        self._options = options
        self._host = host  # resolved: the header's is for people
        self._tasks = tasks
        self._feed = rows
        self._end_test = end_test
        self._hub = gevent.get_hub()
        self._recorder = Recorder(spool, header, write=self._write_in_a_thread)
        header = self._header = replace(
            header, offer=options.offer()
        )  # with files where this process has them
        self._reporter = Reporter(self._recorder, environment, header.zero_unix_s, options.deadline)
        self.course = Course(header, tasks, rows, self._launch, self._corrected, self._give_up)
        self._names = Names(options.dns_select, options.dns_ttl, options.seed)
        self._pools = Pools(self._names, options.http)
        self._own_pools: dict[int, Pools] = {}  # unless connections are shared
        self._strangers = options.connections == "new"
        self._due = 0  # arrivals of the measured part
        self._serving: dict[greenlet, VirtualUser | None] = {}
        self._greenlets = Greenlets(self._serve, self._hub)
        self._closing, self._drained = Event(), Event()  # drained: closing, and nobody is under way
        self._concluding = BoundedSemaphore()
        self._flusher: Any = None
        self._audit: GeneratorAudit | None = None
        files = environment.parsed_locustfiles or [header.scenario]
        self._errors, self._consequences = ErrorTally(files[0]), ErrorTally(files[0])
        self._retirement = Retirement(self._errors, options.deadline)
        allowed_s = noticeable_s(options.rate.peak_per_s / header.share.count)
        self._watchdog = Watchdog(self._hub, allowed_s, files[0])
        self._log_listener = LogListener(self._errors)
        nothing: Callable[[], None] = lambda: None  # noqa: E731  # to stop, as long as none of it has begun
        self._stop_hearing = self._stop_providing = self._stop_feeding = self._stop_listening = nothing

    def start(self, raised_before: Iterable[BaseException] = ()) -> None:
        """Begin to offer load. `raised_before`: by the scenario's listeners, as they prepared for it."""
        for error in raised_before:
            self._errors.raised(error, LISTENER)
        logging.getLogger().addHandler(self._log_listener)
        self._stop_hearing = hear_greenlets(self._hub, self._errors)
        wall.tell_of_refusals(self._errors.refused)
        driven = tuple({task.pool.user_class for task in self._tasks})
        self._stop_providing = sessions.provide(self._new_client, driven)
        self._stop_feeding = feeding.provide(self._feed)
        self._stop_listening = reported.listen(self._events.request, self._recorder, self._header)
        self._watchdog.start()
        self.course.start(self._alarm)
        self._flusher = gevent.spawn(self._flush_regularly)

    @property
    def ends_s(self) -> float:
        """The instant of this machine's monotonic clock at which the measured part is over."""
        return self._header.zero_monotonic_s + self._options.duration

    def finish(self) -> GeneratorAudit:
        """No new arrivals; wait for stragglers at most one deadline; put all on record; retire the users.

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
                self._greenlets.leave()
                self._stop_listening()
                self._retirement.retire_all(self._tasks)
                self._stop_providing()
                self._stop_feeding()
                self._flusher.join()
                self._reporter.statistics.merge()
                self._watchdog.stop()
                self._watchdog.report(self._errors)
                self._stop_hearing()
                logging.getLogger().removeHandler(self._log_listener)
                self._audit = self._closed()
                for pools in (self._pools, *self._own_pools.values()):
                    pools.close()
        return self._audit

    def _closed(self) -> GeneratorAudit:
        try:
            return self._recorder.close(self._errors.account(), self._due)
        except OSError as error:
            self._cannot_write(error)
            return self._recorder.account

    # arrivals

    def _corrected(self, offer: Offer) -> None:
        self._recorder.note_offer(offer)
        rates = ", ".join(str(step) for step in offer.shape)
        logger.info("%s, as the warm-up has shown: arrivals come at %s", offer.per_arrival, rates)

    def _give_up(self, reason: str) -> None:
        logger.error("%s", reason)
        self._environment.process_exit_code = BadInput.exit_code
        gevent.spawn(self._end_test)

    def _launch(self, intended: float, choice: int, feed: Feed | None = None) -> None:
        task = self._tasks[choice]
        self._errors.arrivals += 1
        self._due += intended >= 0
        feed = feed or self._feed
        row = feed.next_row() if feed else None
        late_s = time.monotonic() - self._header.zero_monotonic_s - intended
        if late_s >= self._options.deadline:  # here, where it costs least: it would only make others late
            self._reporter.dropped(task.name, intended, failure.TOO_LATE)
        elif len(self._serving) >= self._options.max_in_flight:
            reason = f"dropped: {self._options.max_in_flight} arrivals in flight"
            self._reporter.dropped(task.name, intended, reason)
        elif feed and row is None:
            self._reporter.dropped(task.name, intended, feed.not_sent)
        else:
            self._greenlets.start(task, intended, row)

    def _serve(self, task: Task, intended: float, row: int | None) -> None:
        serving, me, idle = self._serving, getcurrent(), task.pool.idle
        serving[me] = virtual = idle.pop() if idle else None
        before = 0
        try:
            if virtual is None:
                virtual = serving[me] = self._virtual(task.pool.user_class(self._environment))
            self._retirement.count_silent(virtual.begin(task, intended, row))
            if not virtual.has_started:
                virtual.has_started = True
                virtual.user.on_start()
                before = virtual.arrival.requests  # which are no part of the iteration
            iteration.iterate(virtual, task)
            self._count(task, virtual, before)
        except StopUser:
            self._count(task, virtual, before)
            virtual = self._stopped(task, virtual)
        except GreenletExit:
            self._abandoned(task, virtual, intended)  # the test is over, and this arrival is not
        except StopTest as stop:
            logger.error("%s", stop)
            gevent.spawn(self._end_test)
        except (Exception, gevent.Timeout) as error:
            self._task_failed(task, virtual, intended, error)
            virtual = None  # in an unknown state: not to be met again
        finally:
            del serving[me]
            if virtual is not None:
                virtual.under_way.depart()
                if self._strangers:
                    self._hang_up(virtual.user)
                idle.append(virtual)
            if not serving and self._closing.is_set():
                self._drained.set()

    def _hang_up(self, user: User) -> None:
        """Close the connections that are its alone."""
        if (own := self._own_pools.get(id(user))) is not None:
            own.close()

    def _count(self, task: Task, virtual: VirtualUser | None, before: int) -> None:
        if virtual is not None and self._header.offer.counts == "requests":
            self.course.seen(task, virtual.arrival.requests - before)

    def welcome(self, user: User) -> None:
        """Locust has spawned a user: it is idle, and may be given an arrival."""
        pool = next((task.pool for task in self._tasks if task.pool.user_class is type(user)), None)
        if pool is not None and not self._closing.is_set():
            pool.idle.append(self._virtual(user))

    def _virtual(self, user: User) -> VirtualUser:
        iteration.begin(user)
        client = getattr(user, "client", None)
        return VirtualUser(user, client.under_way if isinstance(client, Client) else self._under_way(user))

    def _new_client(self, user: User, settings: ClientSettings, kind: type[Client]) -> Client:
        settings = settings if settings.host else replace(settings, host=self._host)
        pools = self._pools
        if self._options.connections != "shared":
            pools = self._own_pools[id(user)] = Pools(self._names, self._options.http)
        client = kind(settings, pools, self._under_way(user))
        client.user, client.request_event = user, self._events.request  # for who reaches for them
        return client

    def _under_way(self, user: User) -> UnderWay:
        arrival, report = Arrival(self._header.zero_monotonic_s), partial(self._reporter.decided, user)
        return UnderWay(arrival, self._options.deadline, report)

    def _stopped(self, task: Task, virtual: VirtualUser | None) -> VirtualUser | None:
        """It wants to stop: it retires now, or with all the others when the test is at its end."""
        if virtual is None:
            self._errors.silent(task.what)
        if virtual is None or self._closing.is_set():
            return virtual
        self._retirement.account_for(virtual)
        self._retirement.retire(virtual)
        return None

    def _abandoned(self, task: Task, virtual: VirtualUser | None, intended: float) -> None:
        """What our clients had under way is on record. A client of the scenario's own has told of nothing."""
        if virtual is None or not virtual.arrival.requests:
            self._reporter.dropped(task.name, intended, STOPPED)
        if virtual is not None:
            virtual.arrival.forget()

    def _task_failed(
        self, task: Task, virtual: VirtualUser | None, intended: float, error: BaseException
    ) -> None:
        if virtual is not None:
            virtual.under_way.depart()
        if virtual is None or not virtual.arrival.requests:
            self._reporter.dropped(task.name, intended, failure.of_the_scenario(error))
        if virtual is not None:
            virtual.arrival.forget()
            self._retirement.account_for(virtual)
        user = virtual.user if virtual is not None else None
        if user is not None:
            self._hang_up(user)
            self._own_pools.pop(id(user), None)
        self._reporter.raised(user, error, self._events.user_error)
        if virtual is not None and virtual.arrival.failed:
            tell_of_consequence(self._consequences, error, task.name)
        else:
            tell(self._errors, error, task.name)

    # the end

    def _close(self) -> None:
        # In the hub, because arrivals that are due by now are still started.
        if not self._closing.is_set():
            self.course.stop()
            self._closing.set()
            for serving, virtual in list(self._serving.items()):
                self._end_journey(serving, virtual)
            if not self._serving:
                self._drained.set()

    def _end_journey(self, serving: greenlet, virtual: VirtualUser | None) -> None:
        """What is under way comes to its end; the next step of a journey is not taken."""
        if virtual is not None:
            if iteration.is_waiting(virtual.user):
                self._hub.loop.run_callback(serving.throw, StopUser)
            virtual.user._state = LOCUST_STATE_STOPPING

    def _abandon_stragglers(self) -> None:
        # Each is made to leave its wait; its client then records the request as unanswered.
        for straggler in list(self._serving):
            if straggler is not getcurrent():
                self._hub.loop.run_callback(straggler.throw, GreenletExit)
        self._drained.wait(_LEAVING_S)

    # records

    def _flush_regularly(self) -> None:
        while not self._closing.wait(FLUSH_EVERY_S):
            self._watchdog.report(self._errors)
            self._reporter.statistics.merge()
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
        for virtual in list(self._serving.values()):
            for request in virtual.under_way.in_flight() if virtual is not None else ():
                yield request.intended, request.sent, request.name

    def _alarm(self, ring: Callable[[], None]) -> Alarm:
        return self._watchdog.minding(alarm(self._hub.loop, ring))

    def _write_in_a_thread(self, fd: int, data: bytes) -> int:
        return int(self._hub.threadpool.apply(os.write, (fd, data)))
