"""Grafana's annotations: whoever looks at a chart later sees what was done to the service, and for how long.

A run and each of its steps is a region, told when the run is over: `POST URL/api/annotations` with the
organization's annotations, which a dashboard shows that asks for the tag `seatrial`. Grafana does not know a
message that it has had before, so one whose answer was lost is drawn twice, over itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import httpx
from pydantic import Field

from seatrial.incidents.event import IncidentEvent, Json
from seatrial.incidents.posting import post
from seatrial.incidents.sink import Hears, Sink, utc_now
from seatrial.incidents.variables import Address, SecretText, SinkSettings


class GrafanaSettings(SinkSettings):
    """Where it is, and who we are to it."""

    prefix: ClassVar[str] = "SEATRIAL_GRAFANA"

    url: Address = Field(examples=["http://127.0.0.1:3000"])
    """Its address; with the path that it is served under, if there is one."""
    token: SecretText = Field(examples=["glsa_0123456789abcdefghij"])
    """A service account's token that may write annotations; or, with _FILE, the file that holds it."""


class GrafanaSink(Sink):
    """Draws a run, and each step of it, as a region on Grafana's charts. It hears of no incident."""

    name: ClassVar[str] = "grafana"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.PERIODS})
    settings: ClassVar[type[SinkSettings]] = GrafanaSettings

    def __init__(
        self, settings: GrafanaSettings, timeout_s: float = 15.0, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._url = settings.url.rstrip("/") + "/api/annotations"
        self._token = settings.token
        self._now = now
        self._client = httpx.Client(timeout=timeout_s)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        """The region: instants in milliseconds since 1970, and tags to find it by."""
        told = event.details
        named = {"experiment": event.experiment, "target": event.target, "run": event.run}
        tags = ["seatrial", *(f"{key}:{value}" for key, value in named.items() if value)]
        tags += [f"{key}:{told[key]}" for key in ("verdict", "kind", "step", "does", "role") if told.get(key)]
        read_on = f"\n{event.report_url}" if event.report_url else ""
        return {
            "time": _milliseconds(event.at),
            "timeEnd": _milliseconds(str(told.get("until") or event.at)),
            "tags": list[Json](tags),
            "text": f"{event.summary}{read_on}",
        }

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, event: IncidentEvent, message_id: str) -> str:  # noqa: ARG002  # it has no place for one
        """Send one region."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token.reveal()}"}
        post(self._client, self._url, json.dumps(self.render(event)).encode(), headers, self._now())
        return ""


def _milliseconds(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)
