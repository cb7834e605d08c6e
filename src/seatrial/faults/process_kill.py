"""Kill a process, as the kernel does when memory runs out: no goodbye, no flush, sockets reset at once.

    {at: 10s, fault: process.kill, on: worker, name: crash}

A supervisor brings it back, or else the role's `start` command does when the fault ends.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import BaseModel

from seatrial.drivers.binding import Supervision
from seatrial.drivers.supervised import all_running, back_again, processes_of, require_pidfile, start_again
from seatrial.model.role import Role
from seatrial.processes import ProcessId, all_gone, descendants, kill, survives
from seatrial.undo.protocol import ANY, Declared, Undo


class Killed(BaseModel):
    """Who is killed."""

    processes: tuple[ProcessId, ...]


class ProcessKill(Declared):
    """Kills the processes of the role."""

    name: ClassVar[str] = "process.kill"
    drivers: ClassVar[frozenset[str]] = ANY

    children: bool = False
    """Whether all descendants are killed too: those that would not notice the death of their parent."""

    def fit(self, role: Role) -> None:
        require_pidfile(role)

    def prepare(self, role: Role) -> Undo:
        roots = processes_of(role)
        doomed = (*roots, *(descendants(roots) if self.children else ()))
        start = shlex.join(role.as_written(Supervision).start)
        return self.noting(
            role,
            Killed(processes=doomed),
            touches=", ".join(map(str, doomed)),
            by_hand=start or f"see why the supervisor of {role.name} does not start it again",
        )

    def inject(self, undo: Undo) -> None:
        kill(undo.noted(Killed).processes)

    def effective(self, undo: Undo) -> bool:
        return all_gone(undo.noted(Killed).processes)

    def undo(self, undo: Undo) -> None:
        if not all(survives(process) for process in undo.noted(Killed).processes):
            start_again(undo.role, undo.token, undo.role.bound_to(Supervision))

    def gone(self, undo: Undo) -> bool:
        """Whether whoever was killed runs again as a new process, or was never killed."""
        return back_again(undo.role, undo.noted(Killed).processes)

    def healthy(self, role: Role) -> bool:
        return all_running(role)
