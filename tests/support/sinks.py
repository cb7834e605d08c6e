"""IncidentSettings of sinks as an environment would give them, and who hears of what when nothing is set."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.support.pagerduty_double import ESCALATION_KEY, ROUTING_KEY, TOKEN

from seatrial.incidents import IncidentSettings
from seatrial.incidents.variables import SinkSettings

Record = TypeVar("Record", bound=SinkSettings)
KEPT = IncidentSettings().routes()  # PagerDuty's messages are kept without a key


def settings_of(record: type[Record], **given: Any) -> Record:
    """A record of one sink's settings."""
    return record.model_validate(given)


def pagerduty(url: str, **changes: str) -> IncidentSettings:
    """PagerDuty with all three sinks at `url`; `changes` are variables without SEATRIAL_PAGERDUTY_."""
    given = {
        "KEY": ROUTING_KEY,
        "ESCALATION_KEY": ESCALATION_KEY,
        "TOKEN": TOKEN,
        "EVENTS_URL": url,
        "API_URL": url,
        **changes,
    }
    return IncidentSettings.from_environment(
        {f"SEATRIAL_PAGERDUTY_{name}": value for name, value in given.items()}
    )
