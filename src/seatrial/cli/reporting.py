"""Recording runs, and telling people of failures: what every command that runs something does alike."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli.terminal import say
from seatrial.files import as_named, find
from seatrial.incidents import Escalation, Reporter, Settings, deliver
from seatrial.metrics import StoreCollector, write_textfile
from seatrial.model.experiment import Experiment, Severity
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.store import Store

if TYPE_CHECKING:
    from seatrial.run.plan import Plan


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run was asked for, beside its experiment; what was left out is empty."""

    target: str = ""
    rate: str = ""
    confirm: str = ""

    def command(self, plan: Plan) -> str:
        """The command for a shell that runs the same experiment again, alone, from this directory."""
        target = find(self.target) if self.target else None
        options = {
            "--target": as_named(target) if target else self.target,
            "--rate": self.rate,
            "--confirm": self.confirm,
        }
        given = [word for option, value in options.items() if value for word in (option, value)]
        return shlex.join(["seatrial", "run", as_named(plan.experiment_file), *given])


class Desk:
    """The run database and the receivers of incidents, for the length of a command."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def reporter(
        self, experiment: Experiment | None, command: str, escalation: Escalation | None = None
    ) -> Reporter:
        """Who records a run of `experiment` (None: unknown); `command` runs it again."""
        incident = experiment.incident if experiment else None
        severity: Severity = incident.severity if incident else "error"
        return Reporter(
            self._store,
            self._settings,
            severity=severity,
            escalation=escalation or Escalation(),
            reproduce=command,
        )

    def leave_metrics(self, path: Path | None) -> None:
        """Write the metrics of everything recorded so far for a node exporter, if a file is named."""
        if path is None:
            return
        collector = StoreCollector(self._store, lambda: datetime.now(UTC), sinks_off=self._settings.off())
        try:
            write_textfile(collector, path)
        except (BadInput, Unavailable) as error:  # the run has its verdict, which is still to be told
            say(f"no metrics: {error}")

    def deliver(self) -> None:
        """Send what the outbox holds; say what is off and what did not arrive."""
        try:
            deliver(self._store, self._settings)
        except SeatrialError as error:  # the run has its verdict, which is still to be told
            say(f"incidents stay in the outbox: {error}")
        for sink, how in self._settings.off().items():
            if not sink.startswith("pagerduty-"):
                say(f"{sink} is off ({how}); to see what it would be sent: seatrial incidents list --dry-run")


@contextlib.contextmanager
def open_desk() -> Iterator[Desk | None]:
    """The desk; None, and a word about it, when the run database cannot be reached."""
    settings = Settings.from_environment()
    try:
        store = Store.default()
    except Unavailable as error:
        say(f"this run will not be recorded: {error}")
        yield None
        return
    with store:
        yield Desk(store, settings)
