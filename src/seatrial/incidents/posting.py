"""One POST, and what the answer of a receiver means: taken, try later, or never."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from seatrial.incidents.sink import Refused, TryLater
from seatrial.model.secrets import shown

_MOST_REASON = 300


def post(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
    """POST once. Raises TryLater or Refused."""
    try:
        answer = client.post(url, content=body, headers=dict(headers))
    except httpx.HTTPError as error:
        host = httpx.URL(url).host  # an address may carry a token in its path
        raise TryLater(f"{host} cannot be reached: {type(error).__name__}: {error}") from error
    check_status(answer.status_code, answer.headers, answer.text, now)


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
