"""Let a process run only part of the time, as on an overcommitted host.

    {at: 10s, fault: process.slow, on: worker, for: 20s, with: {to: 20%}}

A companion stops and continues it in turn (a duty cycle), which needs no privileges and moves nothing between
cgroups; an undo that had to put a service back into its old cgroup would race with the service's own manager.
Processes that are born meanwhile are not slowed, because what is stopped must be in the journal first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel

from seatrial.drivers.abilities import PROCESSES, none_stopped, processes_of
from seatrial.drivers.host import resume, stopped
from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.model.quantities import Duration, Ratio
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import ProcessId, tagged
from seatrial.undo.protocol import ANY, Ability, Declared, Undo

_READY_WITHIN_S = 10.0


def _proper(share: Ratio) -> Ratio:
    if not 0 < share.fraction < 1:
        raise ValueError("must lie between 0% and 100%; to stop a process use process.pause")
    return share


def _sensible(period: Duration) -> Duration:
    if not 0.005 <= period.seconds <= 10:
        raise ValueError("must lie between 5ms and 10s")
    return period


class Slowed(BaseModel):
    """Who is slowed, parents before children."""

    processes: tuple[ProcessId, ...]


class ProcessSlow(Declared):
    """Slows the processes of the role."""

    name: ClassVar[str] = "process.slow"
    drivers: ClassVar[frozenset[str]] = ANY
    ability: ClassVar[Ability | None] = PROCESSES

    to: Annotated[Ratio, AfterValidator(_proper)] = Ratio(0.2)
    """The share of time that is left to the process."""
    period: Annotated[Duration, AfterValidator(_sensible)] = Duration(0.05)
    """The length of one stop and go."""

    def fit(self, role: Role) -> None:
        processes_of(role).require_declared()

    def prepare(self, role: Role) -> Undo:
        processes = processes_of(role)
        roots = processes.found()
        everyone = [*roots, *processes.host.descendants(roots)]
        still = stopped(processes.host, everyone)
        ours = [process for process in everyone if process not in still]
        return self.noting(
            role,
            Slowed(processes=tuple(ours)),
            touches=processes.naming(ours),
            by_hand=(
                "end the process `python -m seatrial.faults.companions.throttle`, then:"
                f" {processes.resuming(ours)}"
            ),
        )

    def inject(self, undo: Undo) -> None:
        start_companion(
            "seatrial.faults.companions.throttle",
            [str(self.to.fraction), str(self.period.seconds), undo.to_json()],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=_READY_WITHIN_S,
        )

    def undo(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))
        resume(processes_of(undo.role).host, undo.noted(Slowed).processes)

    def gone(self, undo: Undo) -> bool:
        """Whether nobody throttles them any more, and none was left standing still."""
        ours, processes = undo.noted(Slowed).processes, processes_of(undo.role)
        processes.require_own(ours)
        return not tagged(undo.token) and none_of(stopped(processes.host, ours), ours, "stopped")

    def healthy(self, role: Role) -> bool:
        return none_stopped(role)
