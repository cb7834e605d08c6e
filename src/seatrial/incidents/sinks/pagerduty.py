"""PagerDuty's Events API v2: incidents and change events, with one routing key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from seatrial.incidents.event import IncidentEvent, Json, Kind
from seatrial.incidents.pagerduty import (
    EVENTS_URL,
    ROUTING_KEY_LENGTH,
    TIMEOUT_S,
    Events,
    attempt,
    render,
    send_once,
)
from seatrial.incidents.sink import Hears, Sink, utc_now
from seatrial.incidents.variables import Address, Secret, SecretText, SinkSettings


def _as_issued(key: Secret) -> Secret:
    if len(key.reveal()) != ROUTING_KEY_LENGTH:
        raise ValueError(
            f"a routing key has exactly {ROUTING_KEY_LENGTH} characters, this one has {len(key.reveal())}; "
            "copy the Integration Key of an Events API v2 integration"
        )
    return key


RoutingKey = Annotated[SecretText, AfterValidator(_as_issued)]


class PagerdutySettings(SinkSettings):
    """The key, and which service region."""

    prefix: ClassVar[str] = "SEATRIAL_PAGERDUTY"

    key: RoutingKey = Field(examples=["0123456789abcdef0123456789abcdef"])
    """The integration key of a service; or, with _FILE behind the variable's name, the file that holds it."""
    events_url: Address = EVENTS_URL
    """The Events API of the service region that the account is in."""


class PagerdutySink(Sink):
    """Events API v2. Its messages are kept while there is no key: a failure must not go unheard for that."""

    name: ClassVar[str] = "pagerduty"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.INCIDENTS, Hears.CHANGES})
    settings: ClassVar[type[SinkSettings]] = PagerdutySettings
    kept: ClassVar[bool] = True

    def __init__(
        self,
        settings: PagerdutySettings,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._key = settings.key
        self._now = now
        self._client = Events(settings.key.reveal(), base_url=settings.events_url)
        send_once(self._client, timeout_s)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        """The request's body, without the routing key."""
        return render(event)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, event: IncidentEvent, message_id: str) -> str:  # noqa: ARG002  # dedup_key identifies it
        """Send one event."""
        path = "/v2/change/enqueue" if event.kind is Kind.CHANGE else "/v2/enqueue"
        return attempt(self._key, self._now, lambda: self._client.post(path, json=render(event)))
