"""Stop a process and all its descendants without killing them (SIGSTOP), as a hung node would.

A stopped process keeps its sockets open: peers see silence, not a reset. That is what a long GC pause or a
frozen disk looks like, and it is harsher than a crash for clients without deadlines.

The parents are stopped first, so that they have no more children; those that they had meanwhile are found,
recorded and stopped in their turn. What somebody else had stopped before stays stopped afterwards.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from seatrial.faults.processes import ProcessId, descendants, is_running, is_stopped, resume, send
from seatrial.faults.protocol import ANY, Declared, Role, Undo
from seatrial.faults.supervised import none_stopped, processes_of
from seatrial.model.problems import Unavailable

_STOP_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.0005


class Stopped(BaseModel):
    """Who is stopped by us, parents before children, and who had been stopped before."""

    processes: tuple[ProcessId, ...]
    before: tuple[ProcessId, ...]


class ProcessPause(Declared):
    """Has no parameters."""

    name: ClassVar[str] = "process.pause"
    drivers: ClassVar[frozenset[str]] = ANY

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
        processes = undo.noted(Stopped).processes
        for process in processes:
            send(process, signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_WITHIN_S
        while moving := [each for each in processes if is_running(each) and not is_stopped(each)]:
            if time.monotonic() > deadline:
                raise Unavailable(f"{', '.join(map(str, moving))} did not stop; waiting for a disk, perhaps")
            time.sleep(_LOOK_EVERY_S)

    def undo(self, undo: Undo) -> None:
        resume(undo.noted(Stopped).processes)

    def healthy(self, role: Role) -> bool:
        return none_stopped(role)
