"""What a conductor calls when a run begins and ends: verdict and messages go into the database together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from seatrial.incidents import history, policy
from seatrial.incidents.event import Subject
from seatrial.incidents.policy import Context, Escalation
from seatrial.incidents.settings import IncidentSettings
from seatrial.incidents.sink import utc_now
from seatrial.model.experiment import Severity
from seatrial.model.result import RunResult
from seatrial.store import UNKNOWN, Origin, Store


@dataclass(frozen=True, slots=True)
class Reporter:
    """Records runs and the incident messages they cause. Delivering them is somebody else's work.

    `reproduce` is the command that runs the same thing again. Every method raises Unavailable when the
    database is away.
    """

    store: Store
    settings: IncidentSettings
    severity: Severity = "error"
    escalation: Escalation = field(default_factory=Escalation)
    reproduce: str = ""
    now: Callable[[], datetime] = utc_now

    def started(self, run: str, experiment: str, target: str) -> None:
        """A run begins: a change event."""
        subject = Subject(run, experiment, target)
        self.store.outbox.enqueue(policy.on_start(subject, self.now(), self._context(run)), self.now())

    def finished(self, result: RunResult, origin: Origin = UNKNOWN) -> bool:
        """A run has ended and was judged; False when it was recorded before, and nothing is said twice."""
        past = history.of_experiment(self.store, result.target, result.experiment)
        messages = policy.on_result(result, self.now(), past, self._context(result.run))
        return self.store.record(result, messages, self.now(), origin)

    def _context(self, run: str) -> Context:
        return Context(
            severity=self.severity,
            escalation=self.escalation,
            routes=self.settings.routes(),
            report_url=self.settings.report_of(run),
            reproduce=self.reproduce,
        )
