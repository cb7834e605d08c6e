"""Hold a lock on a table, as a careless migration does: whoever wants the table waits behind it.

    {at: 5s, fault: database.lock, on: database, for: 10s, with: {table: shop.orders}}

A companion process holds the transaction open; when it ends, the server rolls it back.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from psycopg import errors, sql
from pydantic import BaseModel, Field

from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.drivers.libpq import answers, connect, held_by, holding_place
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.processes import tagged
from seatrial.undo.protocol import Declared, Undo


class Locked(BaseModel):
    """Needs no note: the companion carries the fault's token."""


class DatabaseLock(Declared):
    """Holds a lock on one table."""

    name: ClassVar[str] = "database.lock"
    drivers: ClassVar[frozenset[str]] = frozenset({"postgres"})

    table: str = Field(examples=["shop.orders"])
    """The table, with its schema where it has one."""
    mode: Literal["ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"] = "ACCESS EXCLUSIVE"
    """Which lock, as PostgreSQL calls it: the first keeps readers out as well."""
    within: Duration = Duration(10.0)
    """How long is waited until the lock is ours."""

    def prepare(self, role: Role) -> Undo:
        name = sql.Identifier(*self.table.split("."))
        with connect(role, "look") as connection:
            try:
                connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 0").format(name))
            except errors.UndefinedTable as error:
                raise BadInput(f"with.table: {role.name} has no table {self.table}") from error
        return self.noting(
            role,
            Locked(),
            touches=f"{self.mode} lock on {self.table} of {role.name}",
            by_hand="end the process `python -m seatrial.faults.companions.holding`",
        )

    def inject(self, undo: Undo) -> None:
        wait_s = self.within.seconds
        start_companion(
            "seatrial.faults.companions.holding",
            [*holding_place(undo.role), "lock", self.table, self.mode, str(wait_s)],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=wait_s + 5.0,
        )

    def undo(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))

    def gone(self, undo: Undo) -> bool:
        return not tagged(undo.token) and not held_by(undo.role, undo.token)

    def healthy(self, role: Role) -> bool:
        return answers(role)
