"""Stop a process and all its descendants without killing them (SIGSTOP), as a hung node would.

    {at: 10s, fault: process.pause, on: worker, for: 5s}

A stopped process keeps its sockets open: peers see silence, not a reset. That is what a long GC pause or a
frozen disk looks like, and it is harsher than a crash for clients without deadlines.

The parents are stopped first, so that they have no more children; those that they had meanwhile are found,
recorded and stopped in their turn. What somebody else had stopped before stays stopped afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from seatrial.drivers.abilities import PROCESSES, none_stopped, processes_of
from seatrial.drivers.host import resume, stop, stopped
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import ProcessId, ProcessState
from seatrial.undo.protocol import ANY, Ability, Declared, Undo


class Stopped(BaseModel):
    """Who is stopped by us, parents before children, and who had been stopped before."""

    processes: tuple[ProcessId, ...]
    before: tuple[ProcessId, ...]


class ProcessPause(Declared):
    """Stops the processes of the role."""

    name: ClassVar[str] = "process.pause"
    drivers: ClassVar[frozenset[str]] = ANY
    ability: ClassVar[Ability | None] = PROCESSES

    def fit(self, role: Role) -> None:
        processes_of(role).require_declared()

    def prepare(self, role: Role) -> Undo:
        processes = processes_of(role)
        roots = processes.found()
        everyone = [*roots, *processes.host.descendants(roots)]
        return self._covering(role, everyone, Stopped(processes=(), before=()))

    def extended(self, undo: Undo) -> Undo | None:
        noted = undo.noted(Stopped)
        known = {*noted.processes, *noted.before}
        there = processes_of(undo.role).host.descendants(noted.processes)
        born = [process for process in there if process not in known]
        return replace(self._covering(undo.role, born, noted), token=undo.token) if born else None

    def _covering(self, role: Role, more: Sequence[ProcessId], noted: Stopped) -> Undo:
        processes = processes_of(role)
        before = (*noted.before, *stopped(processes.host, more))
        ours = (*noted.processes, *(process for process in more if process not in before))
        return self.noting(
            role,
            Stopped(processes=ours, before=before),
            touches=processes.naming(ours),
            by_hand=processes.resuming(ours),
        )

    def inject(self, undo: Undo) -> None:
        stop(processes_of(undo.role).host, undo.noted(Stopped).processes)

    def effective(self, undo: Undo) -> bool:
        states = set(processes_of(undo.role).host.states(undo.noted(Stopped).processes))
        return states - {ProcessState.GONE} == {ProcessState.STOPPED}

    def undo(self, undo: Undo) -> None:
        resume(processes_of(undo.role).host, undo.noted(Stopped).processes)

    def gone(self, undo: Undo) -> bool:
        """Whether none of those that we stopped is stopped; one that died meanwhile is not."""
        ours, processes = undo.noted(Stopped).processes, processes_of(undo.role)
        processes.require_own(ours)
        return none_of(stopped(processes.host, ours), ours, "still stopped")

    def healthy(self, role: Role) -> bool:
        return none_stopped(role)
