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

from seatrial.drivers.supervised import none_stopped, processes_of, require_own, require_pidfile
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import ProcessId, descendants, is_running, is_stopped, resume, stop
from seatrial.undo.protocol import ANY, Declared, Undo


class Stopped(BaseModel):
    """Who is stopped by us, parents before children, and who had been stopped before."""

    processes: tuple[ProcessId, ...]
    before: tuple[ProcessId, ...]


class ProcessPause(Declared):
    """Stops the processes of the role."""

    name: ClassVar[str] = "process.pause"
    drivers: ClassVar[frozenset[str]] = ANY

    def fit(self, role: Role) -> None:
        require_pidfile(role)

    def prepare(self, role: Role) -> Undo:
        roots = processes_of(role)
        return self._covering(role, [*roots, *descendants(roots)], Stopped(processes=(), before=()))

    def extended(self, undo: Undo) -> Undo | None:
        noted = undo.noted(Stopped)
        known = {*noted.processes, *noted.before}
        born = [process for process in descendants(noted.processes) if process not in known]
        return replace(self._covering(undo.role, born, noted), token=undo.token) if born else None

    def _covering(self, role: Role, more: Sequence[ProcessId], noted: Stopped) -> Undo:
        before = (*noted.before, *(process for process in more if is_stopped(process)))
        ours = (*noted.processes, *(process for process in more if process not in before))
        return self.noting(
            role,
            Stopped(processes=ours, before=before),
            touches=", ".join(map(str, ours)),
            by_hand=f"kill -CONT {' '.join(str(process.pid) for process in ours)}",
        )

    def inject(self, undo: Undo) -> None:
        stop(undo.noted(Stopped).processes)

    def effective(self, undo: Undo) -> bool:
        alive = [process for process in undo.noted(Stopped).processes if is_running(process)]
        return bool(alive) and all(is_stopped(process) for process in alive)

    def undo(self, undo: Undo) -> None:
        resume(undo.noted(Stopped).processes)

    def gone(self, undo: Undo) -> bool:
        """Whether none of those that we stopped is stopped; one that died meanwhile is not."""
        ours = undo.noted(Stopped).processes
        require_own(undo.role, ours)
        return none_of([each for each in ours if is_stopped(each)], ours, "still stopped")

    def healthy(self, role: Role) -> bool:
        return none_stopped(role)
