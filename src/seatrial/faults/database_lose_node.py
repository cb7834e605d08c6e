"""Lose the node of a PostgreSQL cluster's primary: Patroni and the server with all its processes, at once.

    {at: 10s, fault: database.lose_node, on: database.primary, for: 40s, name: loss}

Unlike a crash of the server alone, nobody is left on the node to start it again or to give the lead away: the
others have to wait until the lead expires. The undo starts the member's Patroni again, so
the binding of each member needs `pidfile` and `start` beside its `postmaster`.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import BaseModel

from seatrial.drivers.binding import Supervision
from seatrial.drivers.host import ThisMachine, all_gone, all_survive, kill
from seatrial.drivers.patroni import leader, not_working, primary, require_member
from seatrial.drivers.pidfiles import Pidfiles
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.processes import ProcessId
from seatrial.undo.protocol import Declared, Undo


class Lost(BaseModel):
    """Patroni first, so that it sees nothing of the rest; and how to start it."""

    patroni: ProcessId
    processes: tuple[ProcessId, ...]
    pidfile: str
    start: tuple[str, ...]


class DatabaseLoseNode(Declared):
    """Kills the Patroni and the PostgreSQL of whoever leads then."""

    name: ClassVar[str] = "database.lose_node"
    drivers: ClassVar[frozenset[str]] = frozenset({"patroni"})

    def fit(self, role: Role) -> None:
        require_member(role, "postmaster", "pidfile", "start")

    def prepare(self, role: Role) -> Undo:
        found = primary(role)
        if not found.binding.pidfile or not found.binding.start:
            raise BadInput(f"roles.{role.name}.members.{found.name}: pidfile and start are needed to lose it")
        host = ThisMachine(role.directory)
        patroni = host.named(found.binding.pidfile)
        if patroni is None:
            raise Unavailable(f"{role.name}: no Patroni runs with the number in {found.binding.pidfile}")
        processes = dict.fromkeys([patroni, found.postmaster, *host.descendants([patroni, found.postmaster])])
        return self.noting(
            role,
            Lost(
                patroni=patroni,
                processes=tuple(processes),
                pidfile=found.binding.pidfile,
                start=found.binding.start,
            ),
            touches=f"{found.name}: Patroni, {patroni}, and PostgreSQL, {found.postmaster}",
            by_hand=shlex.join(found.binding.start),
        )

    def inject(self, undo: Undo) -> None:
        kill(ThisMachine(undo.role.directory), undo.noted(Lost).processes)

    def effective(self, undo: Undo) -> bool:
        return all_gone(ThisMachine(undo.role.directory), undo.noted(Lost).processes)

    def undo(self, undo: Undo) -> None:
        noted, host = undo.noted(Lost), ThisMachine(undo.role.directory)
        if not all_survive(host, [noted.patroni]):
            member = Supervision(pidfile=(noted.pidfile,), start=noted.start)
            Pidfiles(undo.role, member, host).start_again(undo.token)

    def gone(self, undo: Undo) -> bool:
        """Whether its Patroni runs, and every member works again, the lost one among them."""
        host = ThisMachine(undo.role.directory)
        patroni = host.named(undo.noted(Lost).pidfile)
        return patroni is not None and all_survive(host, [patroni]) and not not_working(undo.role)

    def healthy(self, role: Role) -> bool:
        return leader(role).leads
