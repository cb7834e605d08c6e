"""Inject and undo by programs of your own, each with a time limit.

    {at: 5s, fault: command.run, on: cache, for: 10s, with: {
        inject: [scripts/fill-disk, /var/lib/cache], undo: [scripts/free-disk, /var/lib/cache], within: 20s}}

Programs run in the directory of the target file, without a shell. They find the variables of `${NAME}`
references in their environment, which is the place for a secret: an argument stands in the process list. The
undo must be harmless when there is nothing to undo. Before it runs, whatever is left of the injecting program
is ended, so that a late effect cannot come after its undo.
"""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field

from seatrial.drivers.binding import Program
from seatrial.drivers.launch import end_tagged, require_program, run_for, typed
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.undo.protocol import ANY, Declared, Undo


class Ran(BaseModel):
    """Needs no note: the programs stand in the parameters."""


class CommandRun(Declared):
    """Runs one program, and another one that undoes it."""

    name: ClassVar[str] = "command.run"
    drivers: ClassVar[frozenset[str]] = ANY

    inject_: Program = Field(alias="inject", examples=[["scripts/fill-disk", "/var/lib/cache"]])
    """The program and its arguments."""
    undo_: Program = Field(alias="undo", examples=[["scripts/free-disk", "/var/lib/cache"]])
    """The program that undoes it."""
    probe: Program | None = Field(default=None, examples=[["scripts/is-well"]])
    """A program that ends with 0 when all is well again."""
    within: Duration = Duration(10.0)
    """Each program must be through within that time."""

    def fit(self, role: Role) -> None:
        role.require_variables(self)

    def prepare(self, role: Role) -> Undo:
        for program in (self.inject_[0], self.undo_[0]):
            require_program(role.resolved(program), Path(role.directory))
        return self.noting(
            role,
            Ran(),
            touches=f"runs {shlex.join(self.inject_)}",
            by_hand=typed(role, shlex.join(self.undo_)),
        )

    def inject(self, undo: Undo) -> None:
        run_for(undo.role, self.inject_, undo.token, self.within.seconds)

    def undo(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))
        run_for(undo.role, self.undo_, f"{undo.token}-undo", self.within.seconds)

    def gone(self, undo: Undo) -> bool | None:
        """What the probe says: it knows the effect of the program, and nobody else does."""
        return self.healthy(undo.role)

    def healthy(self, role: Role) -> bool | None:
        if self.probe is None:
            return None
        run_for(role, self.probe, uuid.uuid4().hex, self.within.seconds)
        return True
