"""Neglect: incidents that nobody has acknowledged within the declared time are told louder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from seatrial.incidents import history, policy
from seatrial.incidents.policy import Escalation, Routes
from seatrial.incidents.sink import DeliveryError
from seatrial.store import Store

_log = logging.getLogger(__name__)

Acknowledged = Callable[[str], bool | None]


def escalate_neglected(
    store: Store,
    escalations: dict[str, Escalation],
    routes: Routes,
    acknowledged: Acknowledged | None,
    now: datetime,
) -> int:
    """Escalate what has been open and unacknowledged for too long; how many incidents that were.

    `escalations`: by target, the rule that its schedules declare. `acknowledged` looks an incident up by
    its dedup key; without it, or when it cannot tell, the incident counts as not acknowledged.
    """
    escalated = 0
    for key, past in history.open_incidents(store).items():
        rule = escalations.get(past.last.target) if past.last else None
        if rule is None or not policy.on_unacknowledged(past, now, rule, routes, acknowledged=None):
            continue  # not due yet: nobody is asked
        seen = _look_up(key, acknowledged)
        messages = policy.on_unacknowledged(past, now, rule, routes, acknowledged=seen)
        store.outbox.enqueue(messages, now)
        escalated += bool(messages)
    return escalated


def _look_up(key: str, acknowledged: Acknowledged | None) -> bool | None:
    if acknowledged is None:
        return None
    try:
        return acknowledged(key)
    except DeliveryError as error:
        _log.warning("whether %s is acknowledged cannot be looked up: %s", key, error)
        return None
