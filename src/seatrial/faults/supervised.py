"""The processes behind a role, and how to start them again.

Any role can say where its processes are, whatever its driver: `pidfile: run/worker.pid` (or a list of them),
and, when no supervisor brings them back, `start: [program, argument …]`. A role that is bound to Patroni is
the primary's postmaster: Patroni says which member leads, and that member's data directory holds its number.
"""

from __future__ import annotations

from pathlib import Path

from seatrial.drivers.binding import Supervision
from seatrial.faults.launch import detach_once
from seatrial.faults.patroni import primary
from seatrial.faults.processes import ProcessId, descendants, from_pidfile, is_stopped
from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, Unavailable


def processes_of(role: Role) -> list[ProcessId]:
    """The role's processes. Raises BadInput without a pidfile, Unavailable when one does not run."""
    require_pidfile(role)
    if role.driver == "patroni":
        return [primary(role).postmaster]
    return _running(role, role.bound_to(Supervision))


def require_pidfile(role: Role) -> None:
    """Raise BadInput when the role says nowhere which its processes are. A Patroni cluster is asked."""
    if role.driver != "patroni" and not role.bound_to(Supervision).pidfile:
        raise BadInput(role.problem((), f"say where its process is: pidfile: run/{role.name}.pid"))


def _running(role: Role, supervision: Supervision) -> list[ProcessId]:
    found = []
    for file in supervision.pidfile:
        process = next(from_pidfile(role.path(file)), None)
        if process is None:
            raise Unavailable(f"{role.name}: no process runs with the number in {role.path(file)}")
        found.append(process)
    return found


def none_stopped(role: Role) -> bool:
    """Whether all of the role's processes run, and neither they nor their descendants are stopped."""
    try:
        roots = processes_of(role)
    except Unavailable:
        return False
    return not any(is_stopped(process) for process in (*roots, *descendants(roots)))


def all_running(role: Role) -> bool:
    """Whether all of the role's processes run."""
    try:
        return bool(processes_of(role))
    except Unavailable:
        return False


def start_again(role: Role, token: str, supervision: Supervision) -> None:
    """Run the `start` command, unless the processes run or that has been done under this `token`."""
    try:
        _running(role, supervision)
    except Unavailable:
        if supervision.start:
            with role.path(supervision.log).open("ab") as log:
                detach_once(supervision.start, token, directory=Path(role.directory), output=log.fileno())
