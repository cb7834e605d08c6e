"""Prometheus Alertmanager, API v2: an alert that stands until a later run passes.

Alertmanager forgets an alert that its sender stops repeating, and knows it by its labels alone. So an alert
is given an end far in the future, to be overwritten by the resolve; and as routing goes by the label
`severity`, which escalation changes, every message also ends the same alert in the other severities.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import httpx
from pydantic import Field

from seatrial.incidents.event import SEVERITIES, IncidentEvent, Json, Kind
from seatrial.incidents.posting import post
from seatrial.incidents.sink import Hears, Sink, utc_now
from seatrial.incidents.variables import Address, SinkSettings

_STANDS_FOR = timedelta(days=366)


class AlertmanagerSettings(SinkSettings):
    """Where it is."""

    prefix: ClassVar[str] = "SEATRIAL_ALERTMANAGER"

    url: Address = Field(examples=["http://127.0.0.1:9093"])
    """Its address."""


class AlertmanagerSink(Sink):
    """POSTs alerts to `URL/api/v2/alerts`. It knows no change events."""

    name: ClassVar[str] = "alertmanager"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.INCIDENTS})
    settings: ClassVar[type[SinkSettings]] = AlertmanagerSettings

    def __init__(
        self, settings: AlertmanagerSettings, timeout_s: float = 15.0, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._url = settings.url.rstrip("/") + "/api/v2/alerts"
        self._now = now
        self._client = httpx.Client(timeout=timeout_s)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        """One alert a severity: the event's own stands (unless this is a resolve), the others end."""
        return [_alert(event, severity) for severity in SEVERITIES]

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, event: IncidentEvent, message_id: str) -> str:  # noqa: ARG002  # labels identify it
        """Send one event."""
        body = json.dumps(self.render(event)).encode()
        post(self._client, self._url, body, {"Content-Type": "application/json"}, self._now())
        return ""


def _alert(event: IncidentEvent, severity: str) -> Json:
    at = datetime.fromisoformat(event.at)
    stands = event.kind is Kind.TRIGGER and event.severity == severity
    alert: dict[str, Json] = {
        "labels": {
            "alertname": "SeatrialIncident",
            "target": event.target,
            "experiment": event.experiment,
            "severity": severity,
        },
        "endsAt": (at + _STANDS_FOR if stands else at).isoformat(),
    }
    if not stands:
        return alert
    annotations: dict[str, Json] = {"summary": event.summary, "run": event.run}
    if event.details:
        annotations["details"] = json.dumps(event.details, ensure_ascii=False)
    alert |= {"startsAt": event.at, "annotations": annotations}
    if event.report_url.startswith(("http://", "https://")):
        alert["generatorURL"] = event.report_url
    return alert
