"""Processes that are known by their pidfiles, on whichever machine, and how they are started again.

pidfile: run/worker.pid                     or a list of them
start: [program, argument …]                when no supervisor brings them back
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from seatrial.drivers.binding import Supervision
from seatrial.drivers.host import Machine, ThisMachine, all_survive
from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import ProcessId


@dataclass(frozen=True, slots=True)
class Pidfiles:
    """The processes of a role. `supervision` is resolved; texts show what the target file says."""

    role: Role
    supervision: Supervision
    host: Machine

    @classmethod
    def here(cls, role: Role) -> Self:
        """On this machine: relative paths start where the target file stands."""
        supervision = role.bound_to(Supervision)
        absolute = tuple(str(role.path(file)) for file in supervision.pidfile)
        return cls(role, supervision.model_copy(update={"pidfile": absolute}), ThisMachine(role.directory))

    def require_declared(self) -> None:
        if not self.supervision.pidfile:
            told = f"say where its process is: pidfile: run/{self.role.name}.pid"
            raise BadInput(self.role.problem((), told))

    def found(self) -> list[ProcessId]:
        self.require_declared()
        running = []
        for file, process in self._named().items():
            if process is None:
                raise Unavailable(f"{self.role.name}: no process runs with the number in {file}")
            running.append(process)
        return running

    def start_again(self, token: str) -> None:
        if self.supervision.start and None in self._named().values():
            self.host.start_once(self.supervision.start, token, self.supervision.log)

    def is_back(self, noted: Sequence[ProcessId]) -> bool:
        named = self._named()
        self._require_same(noted, named)
        missing = [
            file
            for file, process in named.items()
            if process is None or not all_survive(self.host, [process])
        ]
        return bool(named) and none_of(missing, list(named), "name no process that runs")

    def require_own(self, noted: Sequence[ProcessId]) -> None:
        self._require_same(noted, self._named())

    def naming(self, processes: Sequence[ProcessId]) -> str:
        return ", ".join(map(str, processes)) + self.host.place

    def resuming(self, stopped: Sequence[ProcessId]) -> str:
        return self.host.typed(["kill", "-CONT", *(str(process.pid) for process in stopped)])

    def starting(self) -> str:
        start = self.role.as_written(Supervision).start
        return self.host.typed(start) if start else ""

    def _named(self) -> Mapping[str, ProcessId | None]:
        return {file: self.host.named(file) for file in self.supervision.pidfile}

    def _require_same(self, noted: Sequence[ProcessId], named: Mapping[str, ProcessId | None]) -> None:
        """A service that is back has a number of its own; one that is not leaves its number to strangers."""
        numbers = {process.pid for process in noted}
        running = [process for process in named.values() if process is not None]
        strangers = [process for process in running if process.pid in numbers and process not in noted]
        if strangers:
            told = ", ".join(map(str, strangers))
            raise Unreachable(f"{self.role.name}: {told} is another process now")
