"""The tests of one Locust process, from Locust's start of each to its end.

    test_start ─► options, assignment, wall ─► Engine.start   (each process that sends)
    test_stopping ─► Engine.finish                            (all rows are in the spool)
    test_stop, quit ─► merge the spools, print the account    (local runner or master)

With workers Locust has a master that sends nothing. It picks the time zero, gives every worker its share of
the arrivals, and tells them with the options, which Locust sends along with the order to start. Workers write
spools of their own, and the master merges them: those of `--processes N` lie in one folder and count by one
clock, any others are brought to it first (`far`).
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser, HttpUser, LoadTestShape, User
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from seatrial.load import machine, shape, standby, wall
from seatrial.load.alarm import sleep_until
from seatrial.load.assignment import KEY, Assignment
from seatrial.load.audit import AuditTally, describe
from seatrial.load.call import locate
from seatrial.load.clocks import Told
from seatrial.load.dataset import DataSet, too_few
from seatrial.load.engine import Engine
from seatrial.load.far import FarSide
from seatrial.load.feed import Feed, refuse_other_rows
from seatrial.load.merging import brought_together, merged
from seatrial.load.notices import notices, refuse_proxies
from seatrial.load.options import LoadOptions, OfferedShape
from seatrial.load.parquet import save
from seatrial.load.refusal import OURS
from seatrial.load.scenario_errors import EarlyListener
from seatrial.load.secrecy import screen_output
from seatrial.load.spool import CANNOT_WRITE, SpoolHeader, SpoolReader
from seatrial.load.user import OpenLoopUser, ProtocolUser
from seatrial.load.user_pool import Task, tasks_of
from seatrial.model.allow import AllowList
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.problems import BadInput, CannotStore
from seatrial.model.requestlog import RequestLog
from seatrial.model.secrets import remember_rows, shown, without_userinfo
from seatrial.processes import boot_id

LEAD_S = 0.25  # from the start of a test to the first arrival
_LEAD_OF_MANY_S = 1.5  # until the order to start has reached every worker
_ALONE = "local"

logger = logging.getLogger(__name__)


class LocustTests:
    """The tests of one Locust process, one after the other."""

    def __init__(self, environment: Environment, address: str) -> None:
        """`address`: the host as the command line says it; what is connected to is the environment's."""
        self._environment = environment
        self._address = address
        self._tests = 0
        self._options: LoadOptions | None = None
        self._assignment: Assignment | None = None
        self._engine: Engine | None = None
        self._end: Any = None
        self._conclusion: Any = None
        self._let_go: Callable[[], None] = lambda: None
        self._notices: list[str] = []  # of the present test, told in its log and its spool
        self._rows: DataSet | None = None
        self._far = FarSide(environment, self._end_test, self._refuse)
        self._early = EarlyListener()
        self._early.begin()
        self._walled = wall.standing() is not None  # by a conductor, whose list nothing makes longer
        if rate := getattr(environment.parsed_options, "rate", ""):
            self._flatten(OfferedShape.parse(rate).peak_per_s, None)  # nothing spawns by it yet

    def start(self, **_: Any) -> None:
        """Locust starts a test: share out the arrivals, or take what the master assigns, and begin."""
        texts = vars(self._environment.parsed_options)
        if not isinstance(self._environment.runner, WorkerRunner):
            texts[KEY] = None  # not those of the last test, should this one be refused
        driven = self._driven(texts)
        self._let_go = standby.hold(
            driven, self._welcome
        )  # also if this test is refused: nobody expects a closed loop
        try:
            options = LoadOptions.parse(self._far.with_files_here(texts))
            if driven:
                self._start(driven, options, texts)
            elif options.spool is not None:
                raise ValueError("there is no user class to drive")
        except (ValueError, OSError) as error:
            self._refuse(error)

    def _refuse(self, error: ValueError | OSError) -> None:
        logger.error("%s", error, extra={OURS: True})
        ours = BadInput.exit_code if isinstance(error, ValueError) else CANNOT_WRITE
        self._environment.process_exit_code = ours
        gevent.spawn(self._end_test)

    def _start(self, driven: list[type[User]], options: LoadOptions, texts: dict[str, Any]) -> None:
        environment, runner = self._environment, self._environment.runner
        if options.spool is not None and isinstance(runner, MasterRunner) and not self._far.sealed:
            raise ValueError("locust.conf or the environment asks for a master or a worker: a run has none")
        host = _host(environment, driven)
        tasks = tasks_of(driven, filtered=bool(texts.get("tags") or texts.get("exclude_tags")))
        refuse_proxies(driven)
        self._say(driven, tasks, options)
        self._hold(options.allow)
        self._rows = _rows_for(driven, options)
        if options.http == "2":
            self._ask_for_http2(driven)
        if isinstance(runner, WorkerRunner):
            if texts.get(KEY) is None:
                return  # the master has refused
            assignment = self._far.read(texts[KEY], texts)
        else:
            assignment = self._assign(options, tasks)
            texts[KEY] = self._far.plain(assignment, texts)
        if not isinstance(runner, MasterRunner):
            self._engine = self._begin(options, assignment, tasks, host)
        self._options, self._assignment = options, assignment

    def _ask_for_http2(self, driven: list[type[User]]) -> None:
        if isinstance(self._environment.runner, WorkerRunner):
            return  # the master has asked
        from seatrial.load.http2_start import refuse_others  # noqa: PLC0415  # of an extra

        for line in refuse_others(_hosts(self._environment, driven)):
            logger.warning("%s", line)

    def _driven(self, texts: dict[str, Any]) -> list[type[User]]:
        """With a rate all users are driven by it; without one Locust's own go on in their closed loops."""
        every = self._environment.user_classes
        return [each for each in every if texts.get("rate") or issubclass(each, ProtocolUser)]

    def _say(self, driven: list[type[User]], tasks: list[Task], options: LoadOptions) -> None:
        environment = self._environment
        self._flatten(options.rate.peak_per_s, shape.Level())
        if not isinstance(environment.runner, WorkerRunner):
            for line in notices(driven, tasks, environment.host or ""):
                self._notices.append(line)
                logger.info("%s", line)

    def _flatten(self, peak: float, instead: LoadTestShape | None) -> None:
        """A scenario's own shape is of users, and does not count: as soon as it is known that a rate does.

        As long as there is one, a headless Locust does not hear SIGTERM: it would be killed with its rows.
        """
        found = self._environment.shape_class
        if found is not None and not isinstance(found, shape.Level):
            self._notices.append(shape.notice(found, peak))
            logger.warning("%s", self._notices[-1])
            self._environment.shape_class = instead

    def _welcome(self, user: User) -> None:
        if self._engine is not None:
            self._engine.welcome(user)

    def stop_sending(self, **_: Any) -> None:
        """Locust stops the test: wait for stragglers and put the rest on record."""
        if self._end is not None and self._end is not gevent.getcurrent():
            self._end.kill(block=False)
        self._end = None
        if self._options is not None:
            self._far.finish(self._options.deadline)
        if self._engine is not None:
            self._engine.finish()
            self._far.finished()
        standing = wall.standing()
        if standing is not None:
            standing.sum_up()

    def conclude(self, **_: Any) -> None:
        """The test has stopped: write the request log and print the account (not in a worker)."""
        self._let_go()
        self._notices.clear()
        self._early.begin()
        if self._assignment is None or isinstance(self._environment.runner, WorkerRunner):
            return
        assignment, self._assignment = self._assignment, None
        if isinstance(self._environment.runner, MasterRunner):
            self._conclusion = gevent.spawn(self._merge, assignment)  # workers are still at it
            if getattr(self._environment.parsed_options, "headless", False):
                gevent.spawn(self._environment.runner.quit)  # Locust stops when it misses the last, and stays
        else:
            self._merge(assignment)
        self._engine = None

    def wait(self, **_: Any) -> None:
        """Locust quits: not before the request log is written."""
        if self._conclusion is not None:
            self._conclusion.join()
        self._far.leave()

    def _hold(self, more: tuple[str, ...]) -> None:
        """From here on only the hosts that the test was given are touched, and `more`."""
        if not self._walled:
            given = self._environment.host
            urls = [given] if given else [kind.host for kind in self._environment.user_classes]
            hosts = [_host_name(url) for url in urls if url]
            wall.raise_wall(AllowList.of([*hosts, *more]))
        standing = wall.standing()
        if standing is not None:
            self._notices += standing.note_libraries()

    def _assign(self, options: LoadOptions, tasks: list[Task]) -> Assignment:
        runner = self._environment.runner
        if options.rate.counts == "requests" and isinstance(runner, MasterRunner) and not self._far.leads:
            raise ValueError(
                "--rate: the workers of --processes do not tell each other how many requests an arrival "
                "makes; leave it out, or start them by themselves, with --master and --worker"
            )
        self._tests += 1
        lead_s: float = LEAD_S
        workers: tuple[str, ...] = (_ALONE,)
        if isinstance(runner, MasterRunner):
            clients = runner.clients
            active = [*clients.ready, *clients.running, *clients.spawning]
            lead_s, workers = _LEAD_OF_MANY_S, tuple(client.id for client in active)
        folder, zero_in_s = self._spool_folder(options), lead_s + options.warmup
        if self._far.leads:
            assignment = self._far.assign(zero_in_s, workers, folder, options, tasks)
        else:
            assignment = Assignment.starting(zero_in_s, workers, folder)
        if math.isfinite(options.duration):
            end_s = assignment.zero_monotonic_s + options.duration
            self._end = gevent.spawn(self._end_at, end_s)
        return assignment

    def _spool_folder(self, options: LoadOptions) -> Path:
        if options.spool is not None:
            return options.spool
        if options.request_log is None:
            return Path(tempfile.mkdtemp(prefix="seatrial-"))
        return self._log_path(options.request_log).with_suffix(".spool")

    def _log_path(self, path: Path) -> Path:
        """A second test from the same start form does not overwrite the first one's log."""
        return path if self._tests == 1 else path.with_stem(f"{path.stem}-{self._tests}")

    def _begin(
        self, options: LoadOptions, assignment: Assignment, tasks: list[Task], host: str
    ) -> Engine | None:
        runner = self._environment.runner
        share = assignment.share_of(runner.client_id if isinstance(runner, WorkerRunner) else _ALONE)
        if share is None:
            logger.warning("This worker came after the start; it takes part in the next test")
            return None
        if not assignment.far and assignment.machine != boot_id():
            raise ValueError("load workers must run on one machine, whose clock they share; use --processes")
        machine.prepare(options.max_in_flight, options.rate.peak_per_s / share.count)
        header = SpoolHeader(
            worker=str(share.index),
            pid=os.getpid(),
            zero_monotonic_s=assignment.zero_of(share),
            zero_unix_s=assignment.zero_unix_s,
            offer=replace(options.offer(), recorded=self._recorded_as_told()),
            share=share,
            deadline_s=options.deadline,
            scenario=self._environment.locustfile or "",
            host=shown(without_userinfo(self._address or host)),
            notices=tuple(shown(line) for line in self._notices),
        )
        spool = self._far.spool(assignment, share.index)
        rows = self._rows
        feed = Feed(rows, options.data_order, options.seed, share) if rows is not None else None
        engine = Engine(self._environment, options, header, host, tasks, spool, self._end_test, feed)
        engine.start(raised_before=self._early.errors)
        self._far.began(engine, assignment, spool, options)
        self._early.end()
        return engine

    def _recorded_as_told(self) -> str:
        """Where whoever reads the spool has recorded instants, wherever a worker was brought them."""
        told = getattr(self._environment.parsed_options, "recorded", None)
        return str(Path(told).absolute()) if told else ""

    def _merge(self, assignment: Assignment) -> None:
        options, engine = self._options, self._engine
        assert options is not None
        kept = True
        if engine is not None and (options.request_log is None or options.spool is not None):
            _tell(engine.finish())
        elif options.spool is None:
            kept = self._merge_spools(options, assignment)
        if options.spool is None and kept:
            shutil.rmtree(assignment.folder)

    def _merge_spools(self, options: LoadOptions, assignment: Assignment) -> bool:
        """Whether the rows are where they were wanted; if not, the spools still have them."""
        readers = [SpoolReader(path) for path in assignment.spools()]
        clocks: tuple[Told, ...] = ()
        if assignment.far:
            readers, log, clocks, whole = brought_together(assignment.place)
        else:
            log, whole = merged(readers, options.deadline)
        if not whole:
            self._environment.process_exit_code = self._environment.process_exit_code or 70
        place = self._log_path(options.request_log) if options.request_log else None
        kept = place is None or self._saved(log, readers, place, clocks)
        if not kept:
            logger.error("The rows are still in %s", assignment.folder)
        tally = AuditTally()
        tally.add(log.intended, log.sent, log.ended)
        _tell(replace(tally.total(), arrivals=_arrivals_of(readers)))
        return kept

    def _saved(
        self, log: RequestLog, readers: list[SpoolReader], path: Path, clocks: tuple[Told, ...]
    ) -> bool:
        try:
            save(log, readers, path, clocks)
        except CannotStore as error:
            logger.error("%s", error)
            self._environment.process_exit_code = CANNOT_WRITE
            return False
        return True

    def _end_at(self, end_s: float) -> None:
        """End the test at an instant of the monotonic clock, whatever held the loop meanwhile."""
        sleep_until(end_s)
        self._end_test()

    def _end_test(self) -> None:
        options, runner = self._environment.parsed_options, self._environment.runner
        assert runner is not None
        if self._engine is not None:
            self._engine.finish()  # for Locust, as it stops, looks through all modules for who asked it
        if options is not None and options.headless:
            runner.quit()
        else:
            runner.stop()


def _rows_for(driven: list[type[User]], options: LoadOptions) -> DataSet | None:
    """The rows that are fed to arrivals, if any are. Raises ValueError when they will not do."""
    if options.data is None:
        return None
    refuse_other_rows(driven)
    try:
        rows = DataSet.read(options.data, secret=options.data_secret)
    except BadInput as error:
        raise ValueError(f"--data: {error}") from error
    if options.data_sha256 not in ("", rows.sha256):
        raise ValueError(f"--data: {rows.name} is not what it was when the run was planned; run it again")
    if wrong := too_few(options.offer(), len(rows), options.data_order):
        raise ValueError(f"--data-order: {wrong}")
    if rows.secrets is not None:
        remember_rows(str(options.data), rows.secrets)
        screen_output()
    return rows


def _arrivals_of(readers: list[SpoolReader]) -> int | None:
    """How many were due, if every worker lived to tell."""
    told = [reader.audit.arrivals if reader.audit else None for reader in readers]
    return None if None in told else sum(each or 0 for each in told)


def _host(environment: Environment, driven: list[type[User]]) -> str:
    """Where HTTP users send to: what the test was told, else what their classes say."""
    hosts = _hosts(environment, driven)
    for host in hosts:
        locate(host)
    return hosts[0] if hosts else environment.host or ""


def _hosts(environment: Environment, driven: list[type[User]]) -> list[str]:
    """All of them; none where no user asks by HTTP. Raises ValueError when there is none to be had."""
    asking = [each for each in driven if issubclass(each, OpenLoopUser | HttpUser | FastHttpUser)]
    if not asking:
        return []
    hosts = [environment.host] if environment.host else [each.host for each in asking]
    for host in hosts:
        if not host:
            raise ValueError("no host to send to: give one with --host http://…")
    return [host or "" for host in hosts]


def _host_name(url: str) -> str:
    """For the allow list. A plain User's host need not be an address of HTTP: `db.internal:5432`."""
    return urlsplit(url if "//" in url else f"//{url}").hostname or url


def _tell(audit: GeneratorAudit) -> None:
    sys.stderr.write(f"\n{describe(audit)}\n\n")
