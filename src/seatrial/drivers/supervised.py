"""The processes behind a role, and how to start them again.

Any role can say where its processes are, whatever its driver: `pidfile: run/worker.pid` (or a list of them),
and, when no supervisor brings them back, `start: [program, argument …]`. A role that is bound to Patroni is
the primary's postmaster: Patroni says which member leads, and that member's data directory holds its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seatrial.drivers.binding import Supervision
from seatrial.drivers.launch import detach_once
from seatrial.drivers.patroni import not_working, primary
from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import ProcessId, descendants, from_pidfile, is_stopped, survives


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


def back_again(role: Role, noted: Sequence[ProcessId]) -> bool:
    """Whether each of the role's processes runs: the `noted` one, or a new one in its place.

    Raises PartlyUndone when some do, and Unreachable when a number from a pidfile is not who it was: a
    service that is back has a number of its own, and one that is not leaves its number to strangers.
    """
    if role.driver == "patroni":
        return all_running(role) and not not_working(role)
    files = role.bound_to(Supervision).pidfile
    named = {file: next(from_pidfile(role.path(file)), None) for file in files}
    _require_same(role, noted, [process for process in named.values() if process is not None])
    missing = [file for file, process in named.items() if process is None or not survives(process)]
    return bool(files) and none_of(missing, files, "name no process that runs")


def require_own(role: Role, noted: Sequence[ProcessId]) -> None:
    """Raise Unreachable when a pidfile leads to another process than the one of that number in `noted`."""
    if role.driver != "patroni":
        files = role.bound_to(Supervision).pidfile
        _require_same(role, noted, [each for file in files for each in from_pidfile(role.path(file))])


def _require_same(role: Role, noted: Sequence[ProcessId], running: Sequence[ProcessId]) -> None:
    numbers = {process.pid for process in noted}
    strangers = [process for process in running if process.pid in numbers and process not in noted]
    if strangers:
        raise Unreachable(f"{role.name}: {', '.join(map(str, strangers))} is another process now")


def start_again(role: Role, token: str, supervision: Supervision) -> None:
    """Run the `start` command, unless the processes run or that has been done under this `token`."""
    try:
        _running(role, supervision)
    except Unavailable:
        if supervision.start:
            with role.path(supervision.log).open("ab") as log:
                detach_once(supervision.start, token, directory=Path(role.directory), output=log.fileno())
