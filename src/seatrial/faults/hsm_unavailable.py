"""Take an HSM away: the server in front of it and the processes of its connections die, and it stays away.

    {at: 10s, fault: hsm.unavailable, on: hsm, for: 20s}

Open connections are reset and new ones refused. Where the role declares `stop`, that is run as well, because
a supervisor would bring the server back at once. The undo runs `start`, so the role
needs `pidfile` and `start`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from seatrial.drivers import pkcs11
from seatrial.drivers.abilities import processes_of
from seatrial.drivers.binding import Supervision
from seatrial.drivers.host import all_gone, all_survive, kill, resume, stop
from seatrial.drivers.launch import end_tagged, run_tagged
from seatrial.drivers.pkcs11 import Pkcs11Binding
from seatrial.faults.process_kill import Killed
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.processes import tagged
from seatrial.undo.protocol import Declared, Undo

_STOP_WITHIN_S = 30.0


class HsmUnavailable(Declared):
    """Kills the processes in front of the HSM."""

    name: ClassVar[str] = "hsm.unavailable"
    drivers: ClassVar[frozenset[str]] = pkcs11.DRIVERS

    def fit(self, role: Role) -> None:
        processes_of(role).require_declared()
        if not role.bound_to(Supervision).start:
            told = "say how its server is started again: start: [program, …]"
            raise BadInput(role.problem((), told))

    def prepare(self, role: Role) -> Undo:
        self.fit(role)
        role.bound_to(Pkcs11Binding)
        processes = processes_of(role)
        roots = processes.found()
        doomed = (*roots, *processes.host.descendants(roots))
        return self.noting(
            role,
            Killed(processes=doomed),
            touches=processes.naming(doomed),
            by_hand=processes.starting(),
        )

    def inject(self, undo: Undo) -> None:
        noted, host = undo.noted(Killed).processes, processes_of(undo.role).host
        stop(host, noted)  # from now on they have no more children, one for each new connection
        kill(host, (*noted, *host.descendants(noted)))
        if command := undo.role.bound_to(Supervision).stop:
            directory = Path(undo.role.directory)
            run_tagged(command, _stopping(undo), directory=directory, within_s=_STOP_WITHIN_S)

    def effective(self, undo: Undo) -> bool:
        return all_gone(processes_of(undo.role).host, undo.noted(Killed).processes)

    def undo(self, undo: Undo) -> None:
        noted, processes = undo.noted(Killed).processes, processes_of(undo.role)
        end_tagged(_stopping(undo), Path(undo.role.directory))  # it must not come after the start
        resume(processes.host, noted)
        if not all_survive(processes.host, noted):
            processes.start_again(undo.token)

    def gone(self, undo: Undo) -> bool:
        noted, processes = undo.noted(Killed).processes, processes_of(undo.role)
        return not tagged(_stopping(undo)) and processes.is_back(noted)

    def healthy(self, role: Role) -> bool:
        return pkcs11.signs(role)


def _stopping(undo: Undo) -> str:
    """The tag of the `stop` command; what `start` starts has the token itself."""
    return f"{undo.token}-stop"
