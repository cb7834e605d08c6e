"""A failure that cannot be ignored: from a verdict to somebody's phone, whatever dies in between.

RunResult + what was said before ──policy (pure)──► messages ─┐ one transaction
                                                   verdict ───┴──► store
outbox ──delivery (own thread or process)──► PagerDuty · webhook · Alertmanager
"""

from seatrial.incidents.commands import Listing, deliver, list_incidents, retry, would_send
from seatrial.incidents.delivery import Backoff, Delivery
from seatrial.incidents.policy import Context, Escalation, Routes
from seatrial.incidents.reporter import Reporter
from seatrial.incidents.settings import IncidentSettings

__all__ = [
    "Backoff",
    "Context",
    "Delivery",
    "Escalation",
    "IncidentSettings",
    "Listing",
    "Reporter",
    "Routes",
    "deliver",
    "list_incidents",
    "retry",
    "would_send",
]
