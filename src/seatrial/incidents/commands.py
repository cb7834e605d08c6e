"""What `seatrial incidents list|retry` do, as records: printing them is the terminal's affair."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from seatrial.incidents import history
from seatrial.incidents.delivery import Delivery
from seatrial.incidents.event import SEVERITIES, IncidentEvent, Json
from seatrial.incidents.settings import IncidentSettings
from seatrial.incidents.sink import SINKS, utc_now
from seatrial.store import MessageState, QueuedMessage, Store


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident that is open."""

    dedup_key: str
    target: str
    experiment: str
    severity: str
    opened: datetime
    failures: int
    escalated: bool
    summary: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message in the outbox. `off` says what would switch its sink on, when the sink is off."""

    number: int
    sink: str
    kind: str
    dedup_key: str
    state: MessageState
    attempts: int
    created_at: datetime
    summary: str
    last_error: str
    off: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What `seatrial incidents list` shows."""

    incidents: tuple[IncidentRow, ...]
    waiting: tuple[MessageRow, ...]
    failed: tuple[MessageRow, ...]
    off: dict[str, str]


def list_incidents(store: Store, settings: IncidentSettings) -> Listing:
    """Open incidents, loudest first, and messages that have not reached their receiver."""
    off = settings.off()
    incidents = []
    for key, past in history.open_incidents(store).items():
        if past.last is None or past.opened is None:
            continue
        last = past.last
        incidents.append(
            IncidentRow(key, last.target, last.experiment, last.severity, past.opened, past.failures,
                        past.escalated, last.summary)
        )  # fmt: skip
    incidents.sort(key=lambda row: (-SEVERITIES.index(row.severity), row.opened))
    outbox = store.outbox
    return Listing(
        tuple(incidents),
        tuple(_row(message, off) for message in outbox.messages([MessageState.PENDING], newest_first=False)),
        tuple(_row(message, off) for message in outbox.messages([MessageState.FAILED], newest_first=False)),
        off,
    )


def would_send(store: Store) -> list[Json]:
    """The requests that wait in the outbox, without keys: what `--dry-run` prints."""
    waiting = store.outbox.messages([MessageState.PENDING], newest_first=False)
    return [
        sink.render(IncidentEvent.from_json(each.message.body))
        for each in waiting
        if (sink := SINKS.get(each.message.sink)) is not None
    ]


def retry(store: Store, settings: IncidentSettings, numbers: Collection[int] | None = None) -> int:
    """Try parked and waiting messages (all, or those given) again now; how many were tried."""
    store.outbox.requeue(utc_now(), numbers)
    return deliver(store, settings)


def deliver(store: Store, settings: IncidentSettings) -> int:
    """Try what is due, each message once; how many were tried. What a command does before it ends."""
    with settings.sinks() as sinks:
        return Delivery(store.outbox, sinks).drain()


def _row(queued: QueuedMessage, off: dict[str, str]) -> MessageRow:
    event = IncidentEvent.from_json(queued.message.body)
    return MessageRow(
        queued.number,
        queued.message.sink,
        queued.message.kind,
        queued.message.dedup_key,
        queued.state,
        queued.attempts,
        queued.created_at,
        event.summary,
        queued.last_error,
        off.get(queued.message.sink, ""),
    )
