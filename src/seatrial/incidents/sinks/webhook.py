"""A generic webhook: the event as JSON, signed so that the receiver can tell it from anybody else's.

The signature covers the time as well, so that a recorded request cannot be replayed for ever:
`X-Seatrial-Signature: v1=HMAC-SHA256(secret, timestamp + "." + body)`. `X-Seatrial-Delivery` is the same for
every repetition of one message; a receiver that remembers it has each message once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import ClassVar, cast

import httpx
from pydantic import Field

from seatrial.incidents.event import IncidentEvent, Json
from seatrial.incidents.posting import post
from seatrial.incidents.sink import Hears, Sink, utc_now
from seatrial.incidents.variables import SecretText, SinkSettings, TokenAddress

TIMESTAMP = "X-Seatrial-Timestamp"
SIGNATURE = "X-Seatrial-Signature"
DELIVERY = "X-Seatrial-Delivery"


class WebhookSettings(SinkSettings):
    """Where to, and what the receiver knows us by."""

    prefix: ClassVar[str] = "SEATRIAL_WEBHOOK"

    url: TokenAddress = Field(examples=["https://hooks.shop.example/seatrial"])
    """The address that events are sent to."""
    secret: SecretText = Field(examples=["0123456789abcdef0123456789abcdef"])
    """What requests are signed with; or, with _FILE behind the variable's name, the file that holds it."""


class WebhookSink(Sink):
    """POSTs events to one address."""

    name: ClassVar[str] = "webhook"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.INCIDENTS, Hears.CHANGES})
    settings: ClassVar[type[SinkSettings]] = WebhookSettings

    def __init__(
        self, settings: WebhookSettings, timeout_s: float = 15.0, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._url = settings.url
        self._secret = settings.secret
        self._now = now
        self._client = httpx.Client(timeout=timeout_s)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        """The request's body."""
        return cast("Json", asdict(event))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, event: IncidentEvent, message_id: str) -> str:
        """Send one event."""
        body = json.dumps(self.render(event), ensure_ascii=False).encode()
        timestamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self._secret.reveal(), timestamp, body),
            DELIVERY: message_id,
        }
        post(self._client, self._url, body, headers, self._now())
        return ""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime, tolerance_s: float = 300
) -> bool:
    """For receivers: whether a request was signed with `secret` less than `tolerance_s` ago."""
    timestamp = headers.get(TIMESTAMP, "")
    if not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > tolerance_s:
        return False
    return hmac.compare_digest(headers.get(SIGNATURE, ""), signature(secret, timestamp, body))
