"""What the sinks of PagerDuty share: its requests within its limits, and its answers in our words.

The `pagerduty` package validates nothing and, left alone, waits without limit on 429 and retries on its own.
Here it sends once; retries belong to the outbox, where they survive a crash. What PagerDuty would reject for
its size is cut, with a mark where it was cut: half a message at night is better than none.
Limits: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import pagerduty

from seatrial.incidents.event import IncidentEvent, Json, Kind
from seatrial.incidents.posting import check_status
from seatrial.incidents.sink import Refused, TryLater, utc_now
from seatrial.incidents.variables import Secret

EVENTS_URL = "https://events.pagerduty.com"
REST_URL = "https://api.pagerduty.com"
ROUTING_KEY_LENGTH = 32

_MOST_SUMMARY = 1024
_MOST_DEDUP_KEY = 255
_MOST_PAYLOAD = 512 * 1024 - 4096  # bytes; room for what stands around it
_MOST_NOTE = 4000
TIMEOUT_S = 15.0
_MARK = " …[cut]"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def render(event: IncidentEvent) -> dict[str, Json]:
    """The body of a request to the Events API v2, within its limits."""
    key = dedup_key(event.dedup_key)
    if event.kind is Kind.RESOLVE:
        return {"event_action": "resolve", "dedup_key": key}
    links: list[Json] = []
    if urlsplit(event.report_url).scheme in ("http", "https"):
        links = [{"href": event.report_url, "text": "Report of the run"}]
    payload: dict[str, Json] = {
        "summary": _cut(event.summary, _MOST_SUMMARY),
        "source": event.target,
        "timestamp": event.at,
        "custom_details": _fitting({"run": event.run, **event.details}, _MOST_PAYLOAD),
    }
    if event.kind is Kind.CHANGE:
        return {"payload": payload, "links": links}
    payload |= {
        "severity": event.severity,
        "component": event.experiment,
        "group": "seatrial",
        "class": "chaos experiment",
    }
    body: dict[str, Json] = {
        "event_action": "trigger",
        "dedup_key": key,
        "client": "seatrial",
        "payload": payload,
        "links": links,
    }
    return body | ({"client_url": event.report_url} if links else {})


class _PlainOnLoopback:
    """The package refuses http:// addresses; on loopback, where nobody listens in, they are allowed."""

    @property
    def url(self) -> str:
        return self.__url

    @url.setter
    def url(self, value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise pagerduty.UrlError(f"{value}: only https:// addresses, except on loopback")
        self.__url = value


class Events(_PlainOnLoopback, pagerduty.EventsApiV2Client):
    def postprocess(self, response: Any) -> None:
        _raise_rate_limit(response)


class Rest(_PlainOnLoopback, pagerduty.RestApiV2Client):
    def postprocess(self, response: Any, suffix: str | None = None) -> None:  # noqa: ARG002  # its signature
        _raise_rate_limit(response)


def _raise_rate_limit(response: Any) -> None:
    """Leave the package's request loop on 429, which it would otherwise never leave."""
    if response.status_code == 429:
        check_status(429, response.headers, response.text, utc_now())


def send_once(client: Any, timeout_s: float) -> None:
    client.retry = {}
    client.max_network_attempts = 0
    client.timeout = timeout_s


def attempt(secret: Secret, now: Callable[[], datetime], request: Callable[[], Any]) -> str:
    """One request; its failure in the words of the delivery worker, never with the secret in them."""
    try:
        response = request()
        check_status(response.status_code, response.headers, response.text, now())
    except TryLater as error:
        raise TryLater(secret.scrub(str(error)), error.after_s, whole_sink=error.whole_sink) from error
    except Refused as error:
        raise Refused(secret.scrub(str(error))) from error
    except pagerduty.HttpError as error:  # 401, or a redirect
        if error.response is not None and error.response.status_code == 401:
            raise Refused("HTTP 401: PagerDuty does not know this key") from error
        raise TryLater(f"PagerDuty answered what it should not: {type(error).__name__}") from error
    except pagerduty.Error as error:
        cause = error.__cause__ or error
        raise TryLater(f"PagerDuty cannot be reached: {type(cause).__name__}: {cause}") from error
    return ""


def dedup_key(key: str) -> str:
    """Within 255 characters; what is cut off is replaced by a digest, so that two keys stay two."""
    if len(key) <= _MOST_DEDUP_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{key[: _MOST_DEDUP_KEY - 17]}~{digest}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_MARK)] + _MARK


def _fitting(details: dict[str, Json], most_bytes: int) -> dict[str, Json]:
    """`details` in at most `most_bytes` of JSON: texts and lists are cut shorter until it fits."""
    limit = 1 << 16
    cut = details
    while len(json.dumps(cut).encode()) > most_bytes and limit >= 16:
        cut = cast("dict[str, Json]", _shortened(details, limit))
        limit //= 2
    return cut if limit >= 16 else {"note": "the details were too large" + _MARK}


def _shortened(value: Json, limit: int) -> Json:
    if isinstance(value, str):
        return _cut(value, limit)
    if isinstance(value, list):
        kept = [_shortened(item, limit) for item in value[:limit]]
        return kept + ([f"{len(value) - limit} more{_MARK}"] if len(value) > limit else [])
    if isinstance(value, dict):
        return {key: _shortened(child, limit) for key, child in value.items()}
    return value


def note(event: IncidentEvent) -> str:
    """A note to an incident, within its limit."""
    objectives = cast("list[dict[str, str]]", event.details.get("objectives") or [])
    measured = [f"{each['objective']}: {each['measured']}, target {each['target']}" for each in objectives]
    lines = [f"Still failing: {event.summary}", f"Run: {event.run}", *measured, event.report_url]
    return _cut("\n".join(lines).rstrip(), _MOST_NOTE)
