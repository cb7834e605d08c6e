"""A deploy, a migration, a clean-up: any program of your own as a step of the story.

    {at: 10s, action: command.run, on: app, name: deploy, with: {
        run: [./deploy.sh, green], undo: [./deploy.sh, blue], within: 5m, probe: [./smoke.sh]}}

Programs run in the directory of the target file, without a shell. They find the variables of `${NAME}`
references in their environment, which is the place for a secret: an argument stands in the process list. What
they say is kept in the evidence, and one that ends with anything but 0 makes the run unknown.

Without `undo` what was done stays. With it, it is run at the end of the run, whatever has become of `run`, so
it must be harmless when there is nothing to put back. A `run` that is cut short (Ctrl-C, the death of
whoever started it) is ended before; services that a finished one has started are left alone.
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
from seatrial.undo.protocol import ANY, Declared, Kind, Undo


class Ran(BaseModel):
    """Needs no note: the programs stand in the parameters."""


class CommandRun(Declared):
    """Runs a program of your own, and another one that puts back what it did."""

    name: ClassVar[str] = "command.run"
    kind: ClassVar[Kind] = "action"
    drivers: ClassVar[frozenset[str]] = ANY

    run: Program = Field(examples=[["./deploy.sh", "green"]])
    """The program and its arguments."""
    undo_: Program | None = Field(default=None, alias="undo", examples=[["./deploy.sh", "blue"]])
    """What puts back, at the end of the run, what `run` has done; left out, it stays."""
    probe: Program | None = Field(default=None, examples=[["./smoke.sh"]])
    """A program that ends with 0 when all is well."""
    within: Duration = Duration(60.0)
    """Each program must be through within that time."""

    @property
    def lasting(self) -> bool:
        """Whether it stays."""
        return self.undo_ is None

    def fit(self, role: Role) -> None:
        role.require_variables(self)

    def prepare(self, role: Role) -> Undo:
        for program in filter(None, (self.run, self.undo_, self.probe)):
            require_program(role.resolved(program[0]), Path(role.directory))
        by_hand = typed(role, shlex.join(self.undo_)) if self.undo_ else ""
        touches = f"runs {shlex.join(self.run)}"
        return self.noting(role, Ran(), touches=touches, by_hand=by_hand, lasting=self.lasting)

    def inject(self, undo: Undo) -> None:
        run_for(undo.role, self.run, undo.token, self.within.seconds)

    def cut_short(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))

    def undo(self, undo: Undo) -> None:
        if self.undo_:
            run_for(undo.role, self.undo_, f"{undo.token}-undo", self.within.seconds)

    def gone(self, undo: Undo) -> bool | None:
        """What the probe says of what was put back; of what stays there is nothing to say."""
        return None if self.lasting else self.healthy(undo.role)

    def healthy(self, role: Role) -> bool | None:
        if self.probe is None:
            return None
        run_for(role, self.probe, uuid.uuid4().hex, self.within.seconds)
        return True
