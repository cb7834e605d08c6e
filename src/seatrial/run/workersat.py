"""Load workers of other machines, started by SSH: looked at before a run, ordered when its load is there.

    open ──► ssh … python ──► which versions?     refused unless they are ours, and nothing was sent
    start ─► scenario, secret, where the master is     (see `load.attendant`, which goes on there)
    end ───► the connection's input ends, and with it whatever was started

A machine reaches its master through a port that SSH opens there, on its loopback alone, and leads back here;
so rows and options are encrypted on their way, and nobody has to open a port. Where `master` is an address,
workers connect to that instead.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shlex
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from seatrial.drivers.sshclient import Login
from seatrial.files import Source, find, missing, read
from seatrial.load.attendant import LEAVE_WITHIN_S
from seatrial.load.carried import Carried, carried
from seatrial.load.launch import LoadPlan
from seatrial.load.versions import versions
from seatrial.model.document import build
from seatrial.model.problems import BadInput, Problems, Unavailable
from seatrial.model.workerhosts import Machines, WorkerHost
from seatrial.model.workers import Workers
from seatrial.waiting import wait_until

_OPENS_WITHIN_S = 30.0  # a handshake, and Python's start on a busy machine
_HANGS_UP_WITHIN_S = 3.0
_LINES_KEPT = 20
_PATIENT = {"ServerAliveInterval": "5", "ServerAliveCountMax": "12"}  # workers bring their rows as long
_VERSIONS = "seatrial-versions "  # before them, for whoever logs in may be greeted
_BEGIN = (
    "import runpy; from seatrial.load.versions import versions; "
    f"print('{_VERSIONS}' + versions(), flush=True); "
    "runpy.run_module('seatrial.load.attendant', run_name='__main__')"
)
_NO_PROGRAM = (126, 127)  # as shells tell that they cannot run one
_ALLOCATED = re.compile(r"Allocated port (\d+) for remote forward")


def hosts_in(named: str) -> tuple[WorkerHost, ...]:
    """The machines that a file names, keys by their whole paths. Raises BadInput, with places in the file."""
    source, problems = read(named, "machines"), Problems()
    hosts = build(Machines, source.document).hosts
    found = tuple(_with_keys(host, number, source, problems) for number, host in enumerate(hosts))
    problems.tell()
    return found


def _with_keys(host: WorkerHost, number: int, source: Source, problems: Problems) -> WorkerHost:
    paths = {}
    for key in ("identity", "known_hosts"):
        if named := getattr(host, key):
            path = find(named, source.path)
            paths[key] = str(path or named)
            if path is None:
                problems.add(source.document.problem(("hosts", number, key), missing(named, source.path)))
    return host.model_copy(update=paths)


class WorkersAt:
    """The workers of these machines. In a with-block they are there to be started; after it, none is left."""

    def __init__(self, workers: Workers, scenarios: Sequence[Path]) -> None:
        """`workers` are settled. Raises BadInput for scenarios that cannot be brought to them."""
        self._workers = workers
        self._carried = carried(scenarios, Path.cwd())
        self._machines: list[_Machine] = []

    def __enter__(self) -> Self:
        """Connect to all. Raises Unavailable for one that cannot be used, BadInput for other versions."""
        try:
            self._machines += [_Machine(host, self._workers) for host in self._workers.hosts]
            for machine in self._machines:
                machine.require_ours()
        except BaseException:
            self.end(0.0)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end(0.0)

    def start(self, plan: LoadPlan, log: BinaryIO) -> None:
        """Start them for a load whose master is there; what they say goes to `log`."""
        for machine in self._machines:
            machine.order(plan, self._carried, os.dup(log.fileno()))

    def gone(self) -> str:
        """Why one of those that were started does not run any more; "" while all do."""
        return "; ".join(filter(None, (machine.gone for machine in self._machines)))

    def end(self, grace_s: float) -> None:
        """See to it that none is left; they have `grace_s` seconds to leave by themselves."""
        for machine in self._machines:
            machine.let_go()
        for machine in self._machines:
            machine.close(grace_s)


class _Machine:
    """One machine, and the connection to it."""

    def __init__(self, host: WorkerHost, workers: Workers) -> None:
        self._host = host
        self._workers = workers
        self._complaints: deque[str] = deque(maxlen=_LINES_KEPT)
        self._port = 0 if not host.master else workers.port  # by which the master is reached there
        self._versions = ""
        self._log: BinaryIO | None = None
        self._last_said = ""
        self.gone = ""
        self._leaving = False
        self._ssh = self._connected()
        self._reading = [
            threading.Thread(target=read, daemon=True, name=f"seatrial-workers-at-{host.host}")
            for read in (self._read_answers, self._read_complaints)
        ]
        for thread in self._reading:
            thread.start()

    def _connected(self) -> subprocess.Popen[bytes]:
        host = self._host
        enter = f"cd {shlex.quote(host.directory)} && " if host.directory else ""
        there = f"{enter}exec {shlex.join([host.python, '-c', _BEGIN])}"
        forward: tuple[str, ...] = ()
        options = dict(_PATIENT)
        if not host.master:
            forward = ("-R", f"127.0.0.1:0:{_bracketed(self._workers.met_at)}:{self._workers.port}")
            options |= {"ExitOnForwardFailure": "yes", "LogLevel": "INFO"}  # which port it is, it tells so
        try:
            return subprocess.Popen(
                Login.to(host).command(host.host, there, *forward, **options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches the conductor alone
            )
        except OSError as error:
            raise Unavailable(f"OpenSSH's client cannot be started: {error.strerror}") from error

    def require_ours(self) -> None:
        """Raise unless it is there, and would run what runs here."""
        wait_until(self._is_known, _OPENS_WITHIN_S, 0.02)
        where = self._host.destination
        if self._versions and self._versions != versions():
            raise BadInput(
                f"--workers-at: {where} runs {self._versions}, and we run {versions()}: install the same"
            )
        if not (self._versions and self._port):
            raise Unavailable(f"--workers-at: {where}: {self._why_unusable()}")

    def _is_known(self) -> bool:
        return bool(self._versions and self._port) or self._ssh.poll() is not None

    def _why_unusable(self) -> str:
        if self._ssh.poll() is None:
            return f"no answer within {_OPENS_WITHIN_S:g} s"
        for thread in self._reading:
            thread.join(1.0)  # of a process that has ended: its last words
        told = self._complaints[-1] if self._complaints else "the connection ended without a word"
        if "No module named" in told:
            return f"{self._host.python} has no seatrial there ({told}): install {versions()}"
        if self._ssh.returncode in _NO_PROGRAM:
            return f"{told}; `python` in the file of the machines names the one there that has seatrial"
        return told

    def order(self, plan: LoadPlan, files: Carried, log: int) -> None:
        """Start its workers."""
        self._log = os.fdopen(log, "wb", buffering=0)
        order = {
            "host": self._host.master or "127.0.0.1",
            "port": self._port,
            "count": self._host.processes,
            "scenarios": files.scenarios,
            "files": {name: base64.b64encode(content).decode() for name, content in files.files.items()},
            "environment": plan.for_workers(),
        }
        assert self._ssh.stdin is not None
        with contextlib.suppress(OSError):  # it is gone, and whoever reads its answers tells why
            self._ssh.stdin.write(json.dumps(order).encode() + b"\n")
            self._ssh.stdin.flush()

    # what is heard

    def _read_answers(self) -> None:
        assert self._ssh.stdout is not None
        for line in self._ssh.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            if text.startswith(_VERSIONS):
                self._versions = text.removeprefix(_VERSIONS)
            elif self._versions and text.startswith("{"):
                self._hear(json.loads(text))
        if not self._leaving:
            self.gone = self.gone or f"the connection to {self._host.destination} has ended"

    def _hear(self, said: dict[str, Any]) -> None:
        if "log" in said:
            self._note(said["log"])
        elif "wrong" in said:
            self.gone = f"{self._host.destination}: {said['wrong']}"
        elif "ended" in said and not self._leaving:
            told = f": {self._last_said}" if self._last_said else ""
            self.gone = f"the workers at {self._host.destination} have ended{told}"

    def _note(self, line: str) -> None:
        self._last_said = line.strip() or self._last_said
        if self._log is not None:
            with contextlib.suppress(OSError):  # a full disk is told by whoever writes rows
                self._log.write(f"{self._host.host}: {line}\n".encode())

    def _read_complaints(self) -> None:
        assert self._ssh.stderr is not None
        for line in self._ssh.stderr:
            text = line.decode(errors="replace").strip()
            if allocated := _ALLOCATED.search(text):
                self._port = int(allocated[1])
            elif text:
                self._complaints.append(text)

    # the end

    def let_go(self) -> None:
        """Tell it that it is over: whoever attends to its workers there sees them leave."""
        self._leaving = True
        with contextlib.suppress(OSError):
            if self._ssh.stdin is not None:
                self._ssh.stdin.close()

    def close(self, grace_s: float) -> None:
        """Hang up, when it has had the time to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._ssh.wait(grace_s + LEAVE_WITHIN_S + _HANGS_UP_WITHIN_S)
        self._ssh.kill()
        self._ssh.wait()
        for thread in self._reading:
            thread.join(1.0)
        for stream in (self._ssh.stdout, self._ssh.stderr, self._log):
            if stream is not None:
                stream.close()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
