"""Kill a process, as the kernel does when memory runs out: no goodbye, no flush, sockets reset at once.

    {at: 10s, fault: process.kill, on: worker, name: crash}

A supervisor brings it back, or else the role's `start` command does when the fault ends.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from seatrial.drivers.abilities import PROCESSES, all_running, processes_of
from seatrial.drivers.host import all_gone, all_survive, kill
from seatrial.model.role import Role
from seatrial.processes import ProcessId
from seatrial.undo.protocol import ANY, Ability, Declared, Undo


class Killed(BaseModel):
    """Who is killed."""

    processes: tuple[ProcessId, ...]


class ProcessKill(Declared):
    """Kills the processes of the role."""

    name: ClassVar[str] = "process.kill"
    drivers: ClassVar[frozenset[str]] = ANY
    ability: ClassVar[Ability | None] = PROCESSES

    children: bool = False
    """Whether all descendants are killed too: those that would not notice the death of their parent."""

    def fit(self, role: Role) -> None:
        processes_of(role).require_declared()

    def prepare(self, role: Role) -> Undo:
        processes = processes_of(role)
        roots = processes.found()
        doomed = (*roots, *(processes.host.descendants(roots) if self.children else ()))
        return self.noting(
            role,
            Killed(processes=doomed),
            touches=processes.naming(doomed),
            by_hand=processes.starting() or f"see why the supervisor of {role.name} does not start it again",
        )

    def inject(self, undo: Undo) -> None:
        kill(processes_of(undo.role).host, undo.noted(Killed).processes)

    def effective(self, undo: Undo) -> bool:
        return all_gone(processes_of(undo.role).host, undo.noted(Killed).processes)

    def undo(self, undo: Undo) -> None:
        processes = processes_of(undo.role)
        if not all_survive(processes.host, undo.noted(Killed).processes):
            processes.start_again(undo.token)

    def gone(self, undo: Undo) -> bool:
        """Whether whoever was killed runs again as a new process, or was never killed."""
        return processes_of(undo.role).is_back(undo.noted(Killed).processes)

    def healthy(self, role: Role) -> bool:
        return all_running(role)
