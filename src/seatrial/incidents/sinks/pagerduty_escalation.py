"""PagerDuty with a second routing key: whoever is called when an incident goes on or is not taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from seatrial.incidents.pagerduty import EVENTS_URL, TIMEOUT_S
from seatrial.incidents.sink import Hears, utc_now
from seatrial.incidents.sinks.pagerduty import PagerdutySettings, PagerdutySink, RoutingKey
from seatrial.incidents.variables import Address, SinkSettings


class EscalationSettings(SinkSettings):
    """The second key."""

    prefix: ClassVar[str] = "SEATRIAL_PAGERDUTY"

    escalation_key: RoutingKey = Field(examples=["fedcba9876543210fedcba9876543210"])
    """The integration key of whoever is called then; or, with _FILE, the file that holds it."""
    events_url: Address = EVENTS_URL
    """The Events API of the service region that the account is in."""


class PagerdutyEscalationSink(PagerdutySink):
    """Hears an incident from where it is told louder on."""

    name: ClassVar[str] = "pagerduty-escalation"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.ESCALATIONS})
    settings: ClassVar[type[SinkSettings]] = EscalationSettings

    def __init__(
        self,
        settings: EscalationSettings,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        first = PagerdutySettings(key=settings.escalation_key, events_url=settings.events_url)
        super().__init__(first, timeout_s, now)
