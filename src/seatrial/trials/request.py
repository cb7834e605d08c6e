"""How a trial is asked for: by the options of a command, by a schedule, by a form."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seatrial.files import as_named, find
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.workers import ALONE, Workers

if TYPE_CHECKING:
    from seatrial.run.plan import Plan

What = Literal["experiment", "suite"]


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """Which experiment or suite is to be run, on which target, and how. What was left out is empty.

    `file` and `target` are paths as `files.find` takes them; without a `target` the testbed is meant.
    """

    file: str
    what: What = "experiment"
    target: str = ""
    rate: OfferedRate | None = None  # in place of the experiment's
    confirm: str = ""  # the name of a production target
    no_testbed: bool = False  # whether the testbed, when it is meant, must be there already
    evidence: Path | None = None  # where it goes; by default under runs/
    metrics: Path | None = None  # where they are written for a node exporter
    workers: Workers = ALONE  # who share the load

    def command(self, plan: Plan) -> str:
        """The command for a shell that runs the same experiment again, alone, from this directory."""
        target = find(self.target) if self.target else None
        options = {
            "--target": as_named(target) if target else self.target,
            "--rate": str(self.rate) if self.rate else "",
            "--confirm": self.confirm,
            "--workers": str(self.workers.local or ""),
            "--expect-workers": str(self.workers.expected or ""),
            "--workers-at": self.workers.at,
            **self.workers.options(),
        }
        given = [word for option, value in options.items() if value for word in (option, value)]
        return shlex.join(["seatrial", "run", as_named(plan.experiment_file), *given])
