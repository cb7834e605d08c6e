"""What would be sent if a run that passed had broken its promise: nobody should meet it first at night."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from seatrial.incidents import policy
from seatrial.incidents.event import IncidentEvent, Json, Kind
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.pagerduty import render
from seatrial.incidents.policy import Context, Routes
from seatrial.model.experiment import Severity
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict

REASON = "REHEARSAL: the promise was kept, and nobody is told"


def rehearse(result: RunResult, at: datetime, severity: Severity, reproduce: str) -> dict[str, Json]:
    """The request to PagerDuty that a failure of the first objective would cause, without a key."""
    objectives = tuple(
        replace(each, verdict=Verdict.FAIL, reason=REASON) if number == 0 else each
        for number, each in enumerate(result.objectives)
    )
    failed = replace(result, verdict=Verdict.FAIL, reasons=(REASON,), objectives=objectives)
    context = Context(severity=severity, routes=Routes(incidents=("pagerduty",)), reproduce=reproduce)
    messages = policy.on_result(failed, at, IncidentHistory(), context)
    events = (IncidentEvent.from_json(message.body) for message in messages)
    return next(render(event) for event in events if event.kind is Kind.TRIGGER)
