"""Which alerts fire: what the checks alert-fired and alert-silent ask of a driver, by the recorder `alerts`.

    alerts:              {driver: prometheus, url: "http://127.0.0.1:9090"}      ┐
    alerts.alertmanager: {driver: alertmanager, url: "http://127.0.0.1:9093"}    ├─► ALERTING ─► alerts
    alerts.pagerduty:    {driver: pagerduty, token: "${PAGERDUTY_TOKEN}"}        ┘

A driver that can answer has a binding with the method `alerting(role)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, runtime_checkable

from seatrial.drivers.ability import Ability
from seatrial.drivers.httpclient import Answer
from seatrial.model.alerts import AlertsSeen, FiringAlert
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role


class Alerting(Protocol):
    """The alerts of one source, for as long as it is open."""

    def seen(self) -> AlertsSeen:
        """What it says now. Raises Unavailable when it does not answer, or watches nothing itself."""

    def close(self) -> None:
        """Close the connections."""


@runtime_checkable
class HasAlerting(Protocol):
    """A binding of something that can be asked which alerts fire."""

    def alerting(self, role: Role) -> Alerting:
        """Those of `role`, which is bound so. Asks nobody yet."""


ALERTING: Ability[HasAlerting] = Ability(HasAlerting, "cannot be asked which alerts fire")


def found_in(answer: Answer, *path: str) -> list[dict[str, Any]]:
    """The objects of a list in a JSON answer. Raises Unavailable when there is none."""
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: HTTP {answer.status}: {answer.opening}")
    value = answer.json()
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        where = ".".join(path) or "the answer"
        raise Unavailable(f"{answer.to}: {where} is no list of objects: {answer.opening}")
    return value


def alerts_in(objects: list[dict[str, Any]], since: str | None) -> Iterator[FiringAlert]:
    """Alerts as Prometheus and Alertmanager write them; `since`: the key of the instant that they tell.

    None: by a clock that is not the answer's own, so that it is not told.
    """
    for each in objects:
        written = each.get("labels")
        labels = {
            str(key): str(value) for key, value in (written if isinstance(written, dict) else {}).items()
        }
        yield FiringAlert(labels.pop("alertname", ""), labels, epoch_s(each.get(since)) if since else None)


def epoch_s(written: object) -> float | None:
    """An RFC 3339 instant in seconds since 1970; None for what is none."""
    try:
        return datetime.fromisoformat(_shortened(str(written))).timestamp()
    except (ValueError, OverflowError):
        return None


def _shortened(instant: str) -> str:
    """Go writes nanoseconds, and Python reads six digits."""
    head, dot, tail = instant.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}" if dot else instant


def clock_in(answer: Answer) -> int | None:
    """What the clock of whoever answered showed, in whole seconds, by the header Date."""
    try:
        return int(parsedate_to_datetime(answer.headers["date"]).timestamp())
    except (KeyError, ValueError, TypeError):
        return None
