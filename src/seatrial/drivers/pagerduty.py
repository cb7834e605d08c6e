"""PagerDuty, whose open incidents are looked at during a run: whether a person was called.

    {driver: pagerduty, token: "${PAGERDUTY_TOKEN}", services: [P1A2B3C]}

The checks alert-fired and alert-silent judge which incidents were open when. An incident is called as the
`alertname` among its first event's details, else by its title; its labels are those details and, besides,
`title`, `service`, `urgency` (REST API v2, `GET /incidents`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from seatrial.drivers.alerting import Alerting, clock_in, epoch_s, found_in
from seatrial.drivers.binding import Binding, WebAddress
from seatrial.drivers.httpclient import HttpClient
from seatrial.model.alerts import AlertsSeen, FiringAlert
from seatrial.model.problems import Path, Unavailable
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple

_ANSWER_WITHIN_S = 5.0
_MOST = 100  # incidents in an answer, the most that the API gives


class PagerdutyBinding(Binding):
    """PagerDuty, for the checks alert-fired and alert-silent."""

    driver: ClassVar[str] = "pagerduty"

    token: str = Field(examples=["${PAGERDUTY_TOKEN}"])
    """A token of the REST API; reading is enough."""
    services: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[["P1A2B3C"]]
    )
    """The ids of the services whose incidents count; none means all that the token sees."""
    url: WebAddress = "https://api.pagerduty.com"
    """The REST API of the service region that the account is in; its host must stand in `allow`."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def alerting(self, role: Role) -> Alerting:
        """Its open incidents."""
        return PagerdutyIncidents(role, self)


class PagerdutyIncidents:
    """See `drivers.alerting`. An incident that somebody has acknowledged still says that it was noticed."""

    def __init__(self, role: Role, binding: PagerdutyBinding) -> None:
        self._url = f"{binding.url.rstrip('/')}/incidents"
        self._headers = {
            "Authorization": f"Token token={binding.token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        self._question = {
            "statuses[]": ["triggered", "acknowledged"],
            "service_ids[]": list(binding.services),
            "include[]": ["first_trigger_log_entries"],
            "limit": _MOST,
        }
        self._client = HttpClient(role.allow_list, role.name, _ANSWER_WITHIN_S)

    def seen(self) -> AlertsSeen:
        answer = self._client.ask("GET", self._url, headers=self._headers, params=self._question)
        incidents = found_in(answer, "incidents")
        if answer.json().get("more") is True:  # and the one that is meant may be among those left out
            raise Unavailable(
                f"{answer.to}: more than {_MOST} incidents are open; say whose count: services: […]"
            )
        return AlertsSeen(tuple(map(_alert_of, incidents)), clock_epoch_s=clock_in(answer))

    def close(self) -> None:
        self._client.__exit__(None, None, None)


def _alert_of(incident: dict[str, Any]) -> FiringAlert:
    entry = _mapping(incident, "first_trigger_log_entry")
    details = _mapping(_mapping(entry, "channel"), "details")
    labels = {str(key): str(value) for key, value in details.items() if isinstance(value, str | int | float)}
    title = str(incident.get("title", ""))
    labels |= {
        "id": str(incident.get("id", "")),
        "title": title,
        "service": str(_mapping(incident, "service").get("summary", "")),
        "urgency": str(incident.get("urgency", "")),
    }
    return FiringAlert(labels.pop("alertname", title), labels, epoch_s(incident.get("created_at")))


def _mapping(within: dict[str, Any], key: str) -> dict[str, Any]:
    value = within.get(key)
    return value if isinstance(value, dict) else {}
