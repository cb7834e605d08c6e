"""Kill a migration of tenants in the middle, with the tools that it runs, as the loss of its machine would.

    {at: 6s, action: tenants.migrate,   on: tenants, with: {…, wait: false}, name: first}
    {at: 7s, action: tenants.interrupt, on: tenants, name: kill}
    {at: 9s, action: tenants.migrate,   on: tenants, with: {…}, name: again}

The next tenants.migrate must go on with those that are left, and find no schema half-way. There is nothing to
put back: what was killed had put nothing up.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from seatrial.actions.companions.migrating import end_what_is_left
from seatrial.drivers import migration_record
from seatrial.drivers.libpq import answers
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Kind, Undo


class Killed(BaseModel):
    """Needs no note: nothing is put back."""


class TenantsInterrupt(Declared):
    """Kills the migration of a role's tenants that is under way; it must be."""

    name: ClassVar[str] = "tenants.interrupt"
    kind: ClassVar[Kind] = "action"
    drivers: ClassVar[frozenset[str]] = frozenset({"tenants"})

    @property
    def lasting(self) -> bool:
        """What was killed stays dead."""
        return True

    def prepare(self, role: Role) -> Undo:
        touches = f"kills the migration of {role.name} that is under way then"
        return self.noting(role, Killed(), touches=touches, by_hand="", lasting=True)

    def inject(self, undo: Undo) -> None:
        lines = migration_record.read_record(migration_record.record_path(undo.role))
        if not lines or lines[-1]["event"] in ("finished", "undone"):
            raise Unavailable(f"{undo.role.name}: no migration is under way, so none could be killed")
        end_what_is_left(undo.role, lines)

    def undo(self, undo: Undo) -> None:
        """Nothing."""

    def gone(self, undo: Undo) -> None:  # there is nothing that could be
        """Nobody can tell."""

    def healthy(self, role: Role) -> bool:
        return answers(role)
