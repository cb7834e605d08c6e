"""Runs are recorded, and people are told of failures: alike for whoever runs something."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from seatrial.incidents import Escalation, IncidentSettings, Reporter, deliver
from seatrial.metrics import StoreCollector, write_textfile
from seatrial.model.experiment import Experiment, Severity
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.store import Store

Say = Callable[[str], None]


class Records:
    """The run database and the receivers of incidents, for the length of a trial."""

    def __init__(self, store: Store, settings: IncidentSettings) -> None:
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

    def write_metrics(self, path: Path, say: Say) -> None:
        """Write the metrics of everything recorded so far into a file for a node exporter."""
        collector = StoreCollector(self._store, lambda: datetime.now(UTC), sinks_off=self._settings.off())
        try:
            write_textfile(collector, path)
        except (BadInput, Unavailable) as error:  # the run has its verdict, which is still to be told
            say(f"no metrics: {error}")

    def deliver(self, say: Say) -> None:
        """Send what the outbox holds; say what is off and what did not arrive."""
        try:
            deliver(self._store, self._settings)
        except SeatrialError as error:  # the run has its verdict, which is still to be told
            say(f"incidents stay in the outbox: {error}")
        for sink, how in self._settings.off().items():
            if not sink.startswith("pagerduty-"):
                say(f"{sink} is off ({how}); to see what it would be sent: seatrial incidents list --dry-run")


@contextlib.contextmanager
def open_records(say: Say) -> Iterator[Records | None]:
    """The records; None, and a word about it, when the run database cannot be reached."""
    settings = IncidentSettings.from_environment()
    try:
        store = Store.default()
    except Unavailable as error:
        say(f"this run will not be recorded: {error}")
        yield None
        return
    with store:
        yield Records(store, settings)
