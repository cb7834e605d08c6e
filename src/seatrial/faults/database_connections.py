"""Use up a database's connections, as a client that leaks them or a pool that was sized in hope would.

    {at: 5s, fault: database.connections, on: database, for: 10s, with: {count: 80}}

A companion process holds them: when it ends, the server takes them back, so the undo needs no connection of
its own, of which there would be none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.drivers.libpq import answers, connect, held_by, holding_place
from seatrial.model.role import Role
from seatrial.model.strict import counted_in
from seatrial.processes import tagged
from seatrial.undo.protocol import Declared, Undo

_READY_WITHIN_S = 30.0


class Held(BaseModel):
    """Needs no note: the companion carries the fault's token."""


class DatabaseConnections(Declared):
    """Takes connections, and holds them."""

    name: ClassVar[str] = "database.connections"
    drivers: ClassVar[frozenset[str]] = frozenset({"postgres"})

    count: Annotated[int, Field(ge=0, le=100_000), counted_in("connections")] = 0
    """How many to take; 0: all that can be had."""

    def prepare(self, role: Role) -> Undo:
        with connect(role, "look") as connection:
            row = connection.execute("SELECT current_setting('max_connections')").fetchone()
        limit = row[0] if row else "?"
        return self.noting(
            role,
            Held(),
            touches=f"{self.count or 'all'} of {limit} connections of {role.name}",
            by_hand="end the process `python -m seatrial.faults.companions.holding`",
        )

    def inject(self, undo: Undo) -> None:
        start_companion(
            "seatrial.faults.companions.holding",
            [*holding_place(undo.role), "connections", str(self.count)],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=_READY_WITHIN_S,
        )

    def undo(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))

    def gone(self, undo: Undo) -> bool:
        return not tagged(undo.token) and not held_by(undo.role, undo.token)

    def healthy(self, role: Role) -> bool:
        return answers(role)
