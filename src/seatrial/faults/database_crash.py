"""Crash the primary of a PostgreSQL cluster: SIGKILL to the postmaster of the member that leads.

    {at: 10s, fault: database.crash, on: database.primary, name: crash}

Patroni starts it again, or lets another member lead; which of the two is what the drill is about. The role is
well when the cluster has a running leader, and the crash is over when the member that had it works again.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from seatrial.drivers.abilities import processes_of
from seatrial.drivers.host import all_gone, kill
from seatrial.drivers.patroni import leader, not_working, primary, require_member
from seatrial.model.role import Role
from seatrial.processes import ProcessId
from seatrial.undo.protocol import Declared, Undo


class Crashed(BaseModel):
    """Which postmaster, of which member."""

    member: str
    postmaster: ProcessId


class DatabaseCrash(Declared):
    """Kills the postmaster of whoever leads then."""

    name: ClassVar[str] = "database.crash"
    drivers: ClassVar[frozenset[str]] = frozenset({"patroni"})

    def fit(self, role: Role) -> None:
        require_member(role, "postmaster")

    def prepare(self, role: Role) -> Undo:
        found = primary(role)
        return self.noting(
            role,
            Crashed(member=found.name, postmaster=found.postmaster),
            touches=f"the postmaster of {found.name}, {found.postmaster}",
            by_hand=f"see `patronictl list`, then `patronictl restart <cluster> {found.name}`",
        )

    def inject(self, undo: Undo) -> None:
        kill(processes_of(undo.role).host, [undo.noted(Crashed).postmaster])

    def effective(self, undo: Undo) -> bool:
        return all_gone(processes_of(undo.role).host, [undo.noted(Crashed).postmaster])

    def undo(self, undo: Undo) -> None:
        """Nothing to do: bringing it back is Patroni's duty, and whether it does is what is measured."""

    def gone(self, undo: Undo) -> bool:
        """Whether the member that was crashed works again, whoever leads now."""
        return undo.noted(Crashed).member not in not_working(undo.role)

    def healthy(self, role: Role) -> bool:
        return leader(role).leads
