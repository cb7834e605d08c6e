"""What a driver can do for those that act on its roles, as protocols of at most three methods.

A driver's binding has the methods of what it can do; a fault asks for an ability and knows no driver:

    worker: {driver: process, pidfile: run/worker.pid}             ┐
    worker: {driver: ssh, host: web-1, pidfile: /run/worker.pid}   ├─► processes_of(role) ─► process.pause …
    worker: {driver: container, container: worker}                 ┘

Every role can say where its processes are by pidfiles of this machine, whatever its driver; a driver that
knows better has `processes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from seatrial.drivers.ability import Ability
from seatrial.drivers.host import Host, stopped
from seatrial.drivers.pidfiles import Pidfiles
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.processes import ProcessId


class Processes(Protocol):
    """The processes of one role."""

    @property
    def host(self) -> Host:
        """Where they run."""

    def require_declared(self) -> None:
        """Raise BadInput when the role says nowhere which its processes are. Asks nobody."""

    def found(self) -> list[ProcessId]:
        """They. Raises Unavailable when one of them does not run."""


@runtime_checkable
class Revival(Protocol):
    """Processes that can be brought back, by us or by whoever looks after them."""

    def start_again(self, token: str) -> None:
        """Start them, unless they run, or that was done under `token`, or it is somebody else's affair."""

    def is_back(self, noted: Sequence[ProcessId]) -> bool:
        """Whether each runs: the `noted` one, or a new one in its place.

        Raises PartlyUndone when some do, and Unreachable when a noted number is somebody else's now.
        """

    def require_own(self, noted: Sequence[ProcessId]) -> None:
        """Raise Unreachable when the role leads to another now, which has the number of a `noted` one."""


@runtime_checkable
class ForPeople(Protocol):
    """How they are told of, and what a person can do for them in our place."""

    def naming(self, processes: Sequence[ProcessId]) -> str:
        """Who they are."""

    def resuming(self, stopped: Sequence[ProcessId]) -> str:
        """The command that continues them."""

    def starting(self) -> str:
        """The command that starts them again; empty when there is none."""


class RoleProcesses(Processes, Revival, ForPeople, Protocol):
    """All three: what faults on processes need."""


@runtime_checkable
class HasProcesses(Protocol):
    """A driver that knows where its roles' processes are."""

    def processes(self, role: Role) -> RoleProcesses:
        """Those of `role`, whose binding this is. Asks nobody."""


PROCESSES: Ability[HasProcesses] = Ability(
    HasProcesses, "has no processes", otherwise="any role that says its pidfile"
)


def processes_of(role: Role) -> RoleProcesses:
    """The processes of a role, wherever they run. Raises BadInput for a binding that does not fit."""
    able = PROCESSES.find(role)
    return able.processes(role) if able else Pidfiles.here(role)


def all_running(role: Role) -> bool:
    """Whether all of the role's processes run."""
    try:
        return bool(processes_of(role).found())
    except Unavailable:
        return False


def none_stopped(role: Role) -> bool:
    """Whether all of the role's processes run, and neither they nor their descendants are stopped."""
    processes = processes_of(role)
    try:
        roots = processes.found()
        return not stopped(processes.host, [*roots, *processes.host.descendants(roots)])
    except Unavailable:
        return False
