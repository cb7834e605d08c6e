"""The processes behind a role, and how to start them again.

Any role can say where its processes are, whatever its driver: `pidfile: run/worker.pid` (or a list of them),
and, when no supervisor brings them back, `start: [program, argument …]`. A role that is bound to Patroni is
the primary's postmaster: Patroni says which member leads, and that member's data directory holds its number.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from seatrial.faults.launch import detach_once
from seatrial.faults.patroni import primary
from seatrial.faults.processes import ProcessId, descendants, from_pidfile, is_stopped
from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, Unavailable


def _as_files(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _as_arguments(value: object) -> object:
    words = shlex.split(value) if isinstance(value, str) else value
    return tuple(words) if isinstance(words, list) else words


Files = Annotated[tuple[str, ...], BeforeValidator(_as_files)]
Arguments = Annotated[tuple[str, ...], BeforeValidator(_as_arguments)]


class Supervision(BaseModel):
    """The parameters of a role, of any driver, that concern its processes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    pidfile: Files = ()
    start: Arguments = ()
    stop: Arguments = ()  # for faults that must keep a supervisor from bringing them back
    log: str = os.devnull  # where the output of `start` goes


def processes_of(role: Role) -> list[ProcessId]:
    """The role's processes. Raises BadInput without a pidfile, Unavailable when one does not run."""
    if role.driver == "patroni":
        return [primary(role).postmaster]
    supervision = role.bound_to(Supervision)
    if not supervision.pidfile:
        raise BadInput(f"roles.{role.name}: say where its process is: pidfile: run/{role.name}.pid")
    return _running(role, supervision)


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
