"""What every receiver of incidents looks like to the delivery worker, and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from seatrial.incidents.event import IncidentEvent, Json
from seatrial.model.secrets import shown

_MOST_REASON = 300


class Sink(Protocol):
    """A receiver."""

    @property
    def name(self) -> str:
        """As messages in the outbox call it."""

    def render(self, event: IncidentEvent) -> Json:
        """What would be sent, without any secret."""

    def send(self, event: IncidentEvent, message_id: str) -> str:
        """Tell it; a remark for the record, mostly empty. Raises TryLater or Refused."""

    def close(self) -> None:
        """Close its connections."""


class DeliveryError(Exception):
    """A message was not delivered."""


class TryLater(DeliveryError):  # noqa: N818  # what to do, not what went wrong
    """It did not work now and may work later.

    `after_s`: how long the receiver asked to be left alone, in seconds. `whole_sink`: it meant everything
    that goes there (a rate limit), not this message alone.
    """

    def __init__(self, reason: str, after_s: float | None = None, *, whole_sink: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.whole_sink = whole_sink


class Refused(DeliveryError):  # noqa: N818  # the other of the two
    """It can never work as it is: a wrong key, an invalid event."""


class Secret:
    """A value that shows itself only to whoever asks for it by name: no repr, no log line, no traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def scrub(self, text: str) -> str:
        """`text` without the value in it."""
        return text.replace(self._value, "[secret]")

    def __repr__(self) -> str:
        return "Secret(…)"


def check_status(status: int, headers: Mapping[str, str], body: str, now: datetime) -> None:
    """Return for a 2xx answer. Raises TryLater or Refused for any other.

    429 means *not taken*. A request that is itself wrong (4xx) is refused for good, except 408 (too slow)
    and 425 (too early); a receiver's own trouble (5xx, and redirects, which no receiver should send) passes.
    """
    if 200 <= status < 300:
        return
    reason = f"HTTP {status}: {shown(body.strip())[:_MOST_REASON]}".rstrip(": ")
    if status in {429, 503}:
        raise TryLater(reason, retry_after_s(headers.get("Retry-After"), now), whole_sink=status == 429)
    if 400 <= status < 500 and status not in (408, 425):
        raise Refused(reason)
    raise TryLater(reason)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number of them, or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return None  # not understood: the caller's own back-off is used


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
