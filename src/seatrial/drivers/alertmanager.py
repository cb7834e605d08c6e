"""An Alertmanager, whose alerts are looked at during a run.

    {driver: alertmanager, url: http://127.0.0.1:9093}

The checks alert-fired and alert-silent judge what it held, and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.alerting import Alerting, alerts_in, clock_in, found_in
from seatrial.drivers.binding import Binding, WebAddress
from seatrial.drivers.httpclient import HttpClient
from seatrial.model.alerts import AlertsSeen
from seatrial.model.problems import Path
from seatrial.model.role import Role

_ANSWER_WITHIN_S = 2.0


class AlertmanagerBinding(Binding):
    """An Alertmanager, for the checks alert-fired and alert-silent."""

    driver: ClassVar[str] = "alertmanager"

    url: WebAddress = Field(examples=["http://127.0.0.1:9093"])
    """Its address."""
    headers: dict[str, str] = Field(
        default_factory=dict, examples=[{"Authorization": "Bearer ${MONITORING_TOKEN}"}]
    )
    """Headers of every request."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def alerting(self, role: Role) -> Alerting:
        """The alerts that it holds and has not silenced."""
        return AlertmanagerAlerts(role, self)


class AlertmanagerAlerts:
    """See `drivers.alerting`. What is silenced or inhibited reaches nobody, and is not asked for.

    The instant `startsAt` is by the clock of whoever raised the alert, which nobody has held against ours.
    """

    def __init__(self, role: Role, binding: AlertmanagerBinding) -> None:
        self._question = f"{binding.url.rstrip('/')}/api/v2/alerts?active=true&silenced=false&inhibited=false"
        self._headers = binding.headers
        self._client = HttpClient(role.allow_list, role.name, _ANSWER_WITHIN_S)

    def seen(self) -> AlertsSeen:
        answer = self._client.ask("GET", self._question, headers=self._headers)
        return AlertsSeen(tuple(alerts_in(found_in(answer), None)), clock_epoch_s=clock_in(answer))

    def close(self) -> None:
        self._client.__exit__(None, None, None)
