"""Runs a scenario in a Locust process of its own, and reads its rows as they come.

The conductor must go on whatever happens to the load: a scenario that crashes, a generator that hangs, a
terminal that sends Ctrl-C to everybody in the foreground. So the generator is another program, in a session
of its own (Ctrl-C reaches the conductor alone, which then decides), killed by the kernel if the conductor
dies, and everything it has to say it says in files: its spool, which the conductor tails, why it gives up,
and its log, which is for people.

What is secret goes to it by its environment, which Linux shows to the same user only; its command line, which
`ps` shows to everybody, has the target's address as its file says it. Nothing here imports Locust or gevent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import psutil

from seatrial import disk
from seatrial.home import private, private_directory
from seatrial.load.clocks import Told
from seatrial.load.dataset import DataFile
from seatrial.load.machine import PARENT
from seatrial.load.offer import Offer
from seatrial.load.options import OfferedShape, written
from seatrial.load.parquet import save
from seatrial.load.refusal import REFUSAL, told
from seatrial.load.secrecy import HOST, SECRETS
from seatrial.load.settling import Settling
from seatrial.load.spool import CANNOT_WRITE, SpoolHeader
from seatrial.load.spools import Spools
from seatrial.load.trust import SECRET
from seatrial.load.wall import ALLOW
from seatrial.load.workers import FETCHED_WITHIN_S, Elsewhere, LocalWorkers, of_master, settled
from seatrial.model.allow import LOOPBACK
from seatrial.model.arrivals import RateStep, Spacing
from seatrial.model.clients import Connections, Http, Select
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.offeredrate import Counted
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.requestlog import RequestLog
from seatrial.model.scenarioaccount import ScenarioAccount
from seatrial.model.secrets import exported, shown, without_userinfo
from seatrial.model.workers import ALONE, Workers

LOG, SPOOLS, REQUESTS, REFUSED = "locust.log", "spool", "requests.parquet", "refused.txt"
_STARTUP_S = 30.0  # the longest that a scenario may take to import and start
_GONE_WITHIN_S = 5.0
_WORKERS_LEAVE_WITHIN_S = 2.0  # when their master has ended
_ABORTED = "a worker was lost, and --on-lost abort was said"
_NONE_LEFT = "a worker was lost, and it ended for that"
_WINDING_UP_S = 10.0  # from the last deadline to the generator's exit


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A load to be generated. The shape counts from zero, the end of the warm-up."""

    scenario: Path
    host: str = field(repr=False)  # resolved, for the generator alone: there may be secrets in it
    shape: tuple[RateStep, ...]
    warmup_s: float
    duration_s: float
    spacing: Spacing
    seed: int
    deadline_s: float
    directory: Path  # gets the log, the spool and requests.parquet
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # for the scenario's environment
    address: str = ""  # `host` as it may be shown
    allow: tuple[str, ...] = LOOPBACK  # hosts and networks that the load process may touch
    further_scenarios: tuple[Path, ...] = ()  # whose users are driven as well
    users: tuple[str, ...] = ()  # the classes that get arrivals, if not all
    tags: tuple[str, ...] = ()  # only tasks with one of these, if there are any
    exclude_tags: tuple[str, ...] = ()
    http: Http = "1.1"
    connections: Connections = "shared"
    dns_select: Select = "first"
    dns_ttl_s: float = 1.0
    counts: Counted = "arrivals"  # what the rates of the shape are of
    data: DataFile | None = None  # whose rows are fed to arrivals
    recorded: Path | None = None  # instants of arrivals (.npy), in place of the shape's
    workers: Workers = ALONE  # who share the load
    elsewhere: Elsewhere | None = None  # starts those of other machines

    @property
    def shown_host(self) -> str:
        """What the command line and the request log say."""
        return self.address or shown(without_userinfo(self.host))

    def environment(self) -> dict[str, str]:
        """What the generator finds beside what this process has."""
        secret = {HOST: self.host, SECRETS: exported(), ALLOW: ",".join(self.allow)}
        refusal = {REFUSAL: str(self.directory / REFUSED)}
        refusal |= {SECRET: self.workers.key} if self.workers.count else {}
        return {**self.variables, **secret, **refusal, PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"}

    def for_workers(self) -> dict[str, str]:
        """What its workers find; whoever starts them adds whose death they die (`PARENT`)."""
        private = (REFUSAL, PARENT)
        return {name: value for name, value in self.environment().items() if name not in private}

    @property
    def scenarios(self) -> str:
        """As Locust is given them."""
        return ",".join(map(str, (self.scenario, *self.further_scenarios)))

    def command(self) -> list[str]:
        """The command line that generates it; by hand it needs no more, if `host` holds no secret.

        Locust also reads locust.conf and variables of the environment, as ever. What these might say about
        processes, the log or the end of the test is said here.
        """
        tags = ("--tags", *self.tags) if self.tags else ()
        data = self.data
        fed = ("--data", str(data.path), "--data-order", data.order) if data else ()
        known = ("--data-secret", written(data.secret), "--data-sha256", data.sha256) if data else ()
        recorded = ("--recorded", str(self.recorded)) if self.recorded else ()
        without = ("--exclude-tags", *self.exclude_tags) if self.exclude_tags else ()
        return [
            sys.executable, "-m", "seatrial.load", "-f", self.scenarios, "--host", self.shown_host,
            "--headless", "--only-summary", "--exit-code-on-error", "0",
            *of_master(self.workers, self.allow), "--loglevel", "INFO", "--logfile", "", *tags, *without,
            "--rate", str(OfferedShape(self.shape, self.counts)),
            *fed, *known, *recorded,
            "--arrivals", self.spacing,
            "--http", self.http,
            "--connections", self.connections,
            "--dns-select", self.dns_select,
            "--dns-ttl", str(Duration(self.dns_ttl_s)),
            "--seed", str(self.seed),
            "--deadline", str(Duration(self.deadline_s)),
            "--warmup", str(Duration(self.warmup_s)),
            "--duration", str(Duration(self.duration_s)),
            "--spool", str(self.directory / SPOOLS),
            *self.users,
        ]  # fmt: skip


def launch(plan: LoadPlan) -> LoadProcess:
    """Start the generator. Its time zero is known a moment later (`LoadProcess.zero_monotonic_s`).

    Call it from a thread that lives as long as the load: the kernel takes that thread's end for the
    conductor's death. Raises BadInput when there is no such scenario, CannotStore when there is no room for
    its log, Unavailable when the system starts no process.
    """
    if not plan.scenario.is_file():
        raise BadInput(f"{plan.scenario}: no such scenario")
    path = plan.directory / LOG
    with disk.storing("the load generator's log", path):
        private_directory(plan.directory)
        log = open(path, "wb", opener=private)  # noqa: SIM115  # closed below
    plan = replace(plan, workers=settled(plan.workers))
    with log:
        process = _start(plan, log)
        local = _start_workers(plan, process, log)
        if plan.elsewhere is not None:
            plan.elsewhere.start(plan, log)
        return LoadProcess(plan, process, local)


def _start_workers(plan: LoadPlan, master: subprocess.Popen[bytes], log: BinaryIO) -> LocalWorkers | None:
    if not plan.workers.local:
        return None
    told = plan.for_workers() | {PARENT: str(os.getpid())}
    try:
        return LocalWorkers(plan.workers, plan.scenarios, told, log)
    except BaseException:
        os.killpg(master.pid, signal.SIGKILL)
        master.wait()
        raise


def _start(plan: LoadPlan, log: BinaryIO) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            plan.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | plan.environment(),
        )
    except OSError as error:
        raise Unavailable(f"the load generator cannot be started: {error.strerror}") from error


def end_left_over(directory: Path) -> None:
    """End a generator that writes into `directory` and has outlived its conductor, and wait until it is gone.

    The kernel does that, unless the conductor died before the generator had asked for it. Raises Unavailable.
    """
    spools = str(directory / SPOOLS)
    left = [process for process in psutil.process_iter(["cmdline"]) if _writes_to(process, spools)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()  # psutil compares the start time first
    _, alive = psutil.wait_procs(left, timeout=_GONE_WITHIN_S)
    if alive:
        raise Unavailable(f"{directory}: its load generator (pid {alive[0].pid}) cannot be ended")


def _writes_to(process: psutil.Process, spools: str) -> bool:
    given = process.info["cmdline"] or []
    return any(pair == ("--spool", spools) for pair in pairwise(given))


class LoadProcess:
    """A load generator under way. Made by `launch`."""

    def __init__(
        self, plan: LoadPlan, process: subprocess.Popen[bytes], workers: LocalWorkers | None = None
    ) -> None:
        self.plan = plan
        self._process = process
        self._workers = workers
        self._reader = Spools(plan.directory / SPOOLS)
        self._settling = Settling(plan.directory / SPOOLS, plan.directory / LOG)
        self._clocks: tuple[Told, ...] = ()
        self._fresh: list[RequestLog] = []  # rows that `new_rows` has not given yet
        self._started_s = time.monotonic()

    @property
    def pid(self) -> int:
        """The generator's process, and its process group."""
        return self._process.pid

    @property
    def zero_monotonic_s(self) -> float | None:
        """Time zero of the rows on CLOCK_MONOTONIC; None until the generator has announced it."""
        header = self._header()
        return header.zero_monotonic_s if header else None

    @property
    def zero_wall(self) -> float | None:
        """The same instant as seconds of the Unix epoch."""
        header = self._header()
        return header.zero_unix_s if header else None

    @property
    def offer(self) -> Offer | None:
        """The arrivals that are offered; None until the generator has announced them."""
        self._header()
        return self._reader.offer

    @property
    def notices(self) -> tuple[str, ...]:
        """What of the scenario means something else here, or nothing, a line each; () until it is known."""
        header = self._header()
        return header.notices if header else ()

    @property
    def audit(self) -> GeneratorAudit | None:
        """The generator's own account; None unless it has ended in good order."""
        if self._reader.audit is None:
            self._read()
        return self._reader.audit

    @property
    def scenario(self) -> ScenarioAccount:
        """What the scenario has failed at, as far as it has been read."""
        return self._reader.scenario

    @property
    def losses(self) -> tuple[str, ...]:
        """Workers that were lost, a sentence each."""
        return self._reader.losses

    @property
    def clocks(self) -> tuple[Told, ...]:
        """What is known of the clocks by which rows were moved; known once they are collected."""
        return self._clocks

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def incomplete(self) -> str:
        """Why it will never start: of workers of other machines that are waited for, some are gone."""
        elsewhere = self.plan.elsewhere
        return elsewhere.gone() if elsewhere is not None and self.zero_monotonic_s is None else ""

    def new_rows(self) -> RequestLog:
        """The rows that were flushed since the last call. Raises BadInput for a damaged spool."""
        self._read()
        fresh, self._fresh = self._fresh, []
        return RequestLog.concat(fresh)

    def stop(self, grace_s: float) -> None:
        """End the load now: no new arrivals, up to `grace_s` seconds for the answers that are still due.

        What is unanswered then is on record as such. Returns when the process is gone.
        """
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
            self._process.wait()
        self._end_workers()

    def finish(self) -> RequestLog:
        """`collect` and `keep` in one. Raises BadInput for a damaged spool, CannotStore for lack of room."""
        log, spoiled = self.collect()
        if spoiled:
            raise BadInput(spoiled)
        self.keep(log)
        return log

    def collect(self) -> tuple[RequestLog, str]:
        """Wait for the end of the plan: all rows, and why there are no more if the spool is damaged.

        A generator that does not end in time is stopped. Requests of which one that died has left no
        account are included, as never answered.
        """
        try:
            self._process.wait(max(0.0, self._latest_end_s() - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.stop(grace_s=0.0)
        self._end_workers()
        self._settling.end()
        self._fresh = []
        found = self._reader.whole()
        self._clocks = found.clocks
        return found.log, found.spoiled

    def _end_workers(self) -> None:
        if self._workers is not None:
            self._workers.end(_WORKERS_LEAVE_WITHIN_S)
        if self.plan.elsewhere is not None:
            self.plan.elsewhere.end(_WORKERS_LEAVE_WITHIN_S)

    def keep(self, log: RequestLog) -> None:
        """Write `requests.parquet`. Raises CannotStore when the disk does not take it."""
        save(log, self._reader.readers, self.plan.directory / REQUESTS, self._clocks)
        with disk.storing("the load generator's log", self.plan.directory / LOG):
            _clean(self.plan.directory / LOG)

    def failure_reason(self) -> str | None:
        """Why the generator failed, as it says itself; None while it runs and after a good end."""
        code = self._process.poll()
        if code is None or (code == 0 and self._reader.header is not None and not self.losses):
            return None
        if self.losses:
            return _NONE_LEFT if self.plan.workers.on_lost != "abort" else _ABORTED
        if code == CANNOT_WRITE:
            return (
                f"it could not write the request log: {self._reader.path}{disk.room_told(self._reader.path)}"
            )
        if reason := told(self.plan.directory / REFUSED):
            return reason
        ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the load generator ended without a word ({ended}); see {self.plan.directory / LOG}"

    def _header(self) -> SpoolHeader | None:
        if self._reader.header is None:
            rows = next(self._reader.parts(), None)  # not a whole night's, if nobody has asked before
            if rows is not None:
                self._fresh.append(rows)
        return self._reader.header

    def _read(self) -> None:
        rows = self._reader.poll()
        if len(rows):
            self._fresh.append(rows)
        self._settling.look(self._reader.readers)

    def _latest_end_s(self) -> float:
        zero_s = self.zero_monotonic_s
        if zero_s is None:
            zero_s = self._started_s + _STARTUP_S + self.plan.warmup_s
        fetching_s = FETCHED_WITHIN_S if self.plan.workers.count else 0.0
        return zero_s + self.plan.duration_s + self.plan.deadline_s + _WINDING_UP_S + fetching_s


def _clean(log: Path) -> None:
    """The generator screens what it writes itself; programs that a scenario runs write to the same file."""
    with log.open("rb") as lines:
        if all(_shown_line(line) == line for line in lines):
            return
    cleaned = log.with_name(f".{log.name}.partial")
    with log.open("rb") as lines, open(cleaned, "wb", opener=private) as out:
        out.writelines(map(_shown_line, lines))
    cleaned.replace(log)


def _shown_line(line: bytes) -> bytes:
    return shown(line.decode(errors="surrogateescape")).encode(errors="surrogateescape")
