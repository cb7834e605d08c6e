"""Recording runs, and telling people of failures: what every command that runs something does alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli.targets import home
from seatrial.cli.terminal import say
from seatrial.incidents import Escalation, Reporter, Settings, deliver
from seatrial.metrics import StoreCollector, write_textfile
from seatrial.model.experiment import Experiment, Severity
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.store import Store

if TYPE_CHECKING:
    from seatrial.run.unfinished import Recovery, Reporters


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


@contextlib.contextmanager
def recording() -> Iterator[Reporters]:
    """Who records runs that are finished after their conductor's death; told to people at the end."""
    with open_desk() as desk:
        yield lambda experiment, command: desk.reporter(experiment, command) if desk else None
        if desk:
            desk.deliver()


def recovered() -> Recovery:
    """Undo and finish what runs that are gone have left, and say so."""
    from seatrial.run.unfinished import recover  # noqa: PLC0415

    found = recover(home(), recording)
    say_recovered(found)
    return found


def say_recovered(found: Recovery) -> None:
    """A line for each fault and each run."""
    for each in found.undone:
        say(str(each))
        if not each.undone:
            say(f"  by hand: {each.outcome.entry.undo.by_hand}")
    for run in found.finished:
        if run.result is None:
            say(f"NOT finished: {run.run.run}: {'; '.join(run.pending)}")
            continue
        why = f" ({run.result.reasons[0]})" if run.result.reasons else ""
        say(f"finished: {run.run.run}: {run.result.verdict}{why}; {run.run.directory}")
        for line in run.pending:
            say(f"  {line}")


def require_order() -> None:
    """Whatever a killed run left must be gone before anything new is injected. Raises LeftBehindError."""
    from seatrial.faults.recover import require_undone  # noqa: PLC0415

    require_undone(recovered().undone)
