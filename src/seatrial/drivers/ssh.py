"""Processes of another machine, by SSH.

    driver: ssh
    host: web-1.staging.example
    user: deploy
    identity: keys/staging
    known_hosts: keys/known_hosts
    pidfile: /run/worker.pid            # there, as `start` and `log` are
    start: [systemctl, start, worker]

There, relative paths begin at the home of whoever logs in; it takes an `sh` and Linux's /proc, and nothing is
installed. The allow list is held on the address that is connected to: so SSH's own configuration files, which
may lead elsewhere, are not read, and there is no way through a jump host.
"""

from __future__ import annotations

import shlex
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers import reach
from seatrial.drivers.binding import Binding, Supervision
from seatrial.drivers.pidfiles import Pidfiles
from seatrial.drivers.sshclient import Login
from seatrial.drivers.sshconnection import Connection, connection_to
from seatrial.model.problems import Path
from seatrial.model.role import Role
from seatrial.model.strict import counted_in
from seatrial.processes import ProcessId, ProcessState


class SshBinding(Binding):
    """Processes of another machine, by SSH: they are paused, killed and slowed there as they are here."""

    driver: ClassVar[str] = "ssh"

    host: str = Field(examples=["web-1.staging.example"])
    """The machine, which must be allowed as every host that is touched."""
    port: Annotated[int, counted_in("TCP port")] = 22
    """Where its SSH server listens."""
    user: str = Field(default="", examples=["deploy"])
    """Who logs in; by default whoever runs us."""
    identity: str = Field(default="", examples=["keys/staging"])
    """The file of the private key; by default those of whoever runs us, and of the agent."""
    known_hosts: str = Field(default="", examples=["keys/known_hosts"])
    """The file of hosts and their keys, by default that of whoever runs us; no other host is trusted."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("host",), f"ssh://{self.host}"

    def processes(self, role: Role) -> Pidfiles:
        """Those of its pidfiles, at that machine."""
        return Pidfiles(role, role.bound_to(Supervision), SshMachine(role, self))

    @property
    def destination(self) -> str:
        """As a person would type it."""
        return f"{self.user}@{self.host}" if self.user else self.host


class SshMachine:
    """The machine of an SSH binding."""

    def __init__(self, role: Role, binding: SshBinding) -> None:
        self.place = f" at {binding.host}"
        self._role = role
        self._binding = binding

    def states(self, wanted: Sequence[ProcessId]) -> list[ProcessState]:
        if not wanted:
            return []
        return [ProcessState(line) for line in self._ask("states", *map(_written, wanted))]

    def signal(self, wanted: Sequence[ProcessId], number: signal.Signals) -> None:
        if wanted:
            self._ask("signal", number.name.removeprefix("SIG"), *map(_written, wanted))

    def descendants(self, roots: Sequence[ProcessId]) -> list[ProcessId]:
        children: defaultdict[int, list[ProcessId]] = defaultdict(list)
        there: set[ProcessId] = set()
        for line in self._ask("everyone"):
            written, _, parent = line.partition(" ")
            process = _read(written)
            children[int(parent)].append(process)
            there.add(process)
        pending = [root for root in roots if root in there]
        found: dict[ProcessId, None] = {}
        while pending:
            born = [each for each in children[pending.pop(0).pid] if each not in found and each not in roots]
            found |= dict.fromkeys(born)
            pending += born
        return list(found)

    def named(self, pidfile: str) -> ProcessId | None:
        return next(map(_read, self._ask("named", pidfile)), None)

    def start_once(self, arguments: Sequence[str], token: str, log: str) -> None:
        self._ask("start", token, log, *arguments)

    def typed(self, arguments: Sequence[str]) -> str:
        port = ["-p", str(self._binding.port)] if self._binding.port != 22 else []
        return shlex.join(["ssh", *port, self._binding.destination, shlex.join(arguments)])

    def _ask(self, *words: str) -> list[str]:
        return self._connection().ask(shlex.join(words))

    def _connection(self) -> Connection:
        who = f"{self._role.name} at {self._binding.host}"
        return connection_to((self._binding, self._role.allow, self._role.directory), who, self._commands)

    def _commands(self) -> list[list[str]]:
        """What to run for each address that the host has now and that is allowed."""
        login = Login.to(self._binding, self._role.path)
        return [
            login.command(address, "exec sh", ClearAllForwardings="yes")
            for address in reach.admitted(self._role.allow_list, login.host, self._role.name)
        ]


def _written(process: ProcessId) -> str:
    return f"{process.pid}:{process.started}:{process.boot}"


def _read(written: str) -> ProcessId:
    pid, started, boot = written.split(":")
    return ProcessId(int(pid), int(started), boot)
