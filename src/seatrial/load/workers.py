"""The processes of a load that is shared: their master, the workers of this machine, those that are to come.

Locust's own master and workers do it. What is ours is said to them here: where they meet, the secret that
seals what they say, and that whoever comes late, leaves or lies is told.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Protocol

from seatrial.load.trust import SECRET
from seatrial.model.allow import LOOPBACK
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.workers import Workers

if TYPE_CHECKING:
    from seatrial.load.launch import LoadPlan

STARTS_WITHIN_S = 30.0  # workers of this machine
COME_WITHIN_S = 600.0  # those of other machines
FETCHED_WITHIN_S = 45.0  # after the last deadline, the last row of the last worker
_PORTS = range(1, 65536)


def settled(workers: Workers) -> Workers:
    """With a port and a secret, where none were given. Raises BadInput for what cannot be listened on."""
    if not workers.count:
        return workers
    family = socket.AF_INET6 if ":" in workers.listen else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a master that has ended
        try:
            probe.bind(("" if workers.listen == "*" else workers.listen, workers.port))
        except OSError as error:
            place = f"{workers.listen}:{workers.port}"
            raise BadInput(f"--workers-listen: {place} cannot be listened on: {error.strerror}") from error
        port = probe.getsockname()[1]
    return replace(workers, port=port, key=workers.key or os.environ.get(SECRET) or secrets.token_hex(16))


def of_master(workers: Workers, allow: Sequence[str]) -> list[str]:
    """Options of the generator's command line: alone, or as the master of `workers`."""
    if not workers.count:
        return ["--processes", "0"]
    longest_s = COME_WITHIN_S if workers.elsewhere else STARTS_WITHIN_S
    allowed = [] if tuple(allow) == LOOPBACK else ["--allow", ",".join(allow)]
    return [
        "--master", "--expect-workers", str(workers.count),
        "--expect-workers-max-wait", f"{longest_s:.0f}",
        "--master-bind-host", workers.listen, "--master-bind-port", str(workers.port),
        "--on-lost", workers.on_lost, "--rows", workers.rows, *allowed,
    ]  # fmt: skip


def of_worker(host: str, port: int, scenario: str = "-") -> list[str]:
    """The command of a worker; without a scenario it gets the master's."""
    given = ["-f", scenario, "--worker", "--master-host", host, "--master-port", str(port)]
    return [sys.executable, "-m", "seatrial.load", *given]


def to_type(workers: Workers, *, again: bool = False) -> list[str]:
    """The two commands that start a worker by hand, on another machine.

    `again`: one for each master that comes there, for it ends with its master.
    """
    host = socket.gethostname() if workers.everywhere else workers.listen
    command = shlex.join(["python", *of_worker(host, workers.port)[1:]])
    command = f"while sleep 1; do {command}; done" if again else command
    return [f"export {SECRET}={shlex.quote(workers.key)}", command]


class Elsewhere(Protocol):
    """Workers of other machines, which somebody can start."""

    def start(self, plan: LoadPlan, log: BinaryIO) -> None:
        """Start them for a load whose master is there; what they say goes to `log`."""

    def gone(self) -> str:
        """Why one of those that were started does not run any more; "" while all do."""

    def end(self, grace_s: float) -> None:
        """See to it that none is left; they have `grace_s` seconds to leave by themselves."""


class LocalWorkers:
    """The workers of this machine. They end with whoever started them, and with their master."""

    def __init__(
        self, workers: Workers, scenarios: str, environment: Mapping[str, str], log: BinaryIO
    ) -> None:
        """Start them. Raises Unavailable when the system starts no process."""
        command = [*of_worker(workers.met_at, workers.port, scenarios), "--loglevel", "INFO", "--logfile", ""]
        self.processes: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(workers.local):
                started = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, **environment},
                )
                self.processes.append(started)
        except OSError as error:
            self.end(0.0)
            raise Unavailable(f"the load workers cannot be started: {error.strerror}") from error

    def end(self, grace_s: float) -> None:
        """See to it that none is left: those that have not ended within `grace_s` are killed."""
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_s)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
                process.wait()
