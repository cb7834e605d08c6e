"""What was said before about an incident, read back from the outbox: the state that policy decides upon.

There is no second table of open incidents that could disagree with what receivers were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from seatrial.incidents.event import IncidentEvent, dedup_key, files_dedup_key, schedule_dedup_key
from seatrial.store import QueuedMessage, Store


@dataclass(frozen=True, slots=True)
class IncidentHistory:
    """The state of one incident before something new happens.

    `failures`: how often in a row it has failed so far. `open_at`: the sinks where it is open, and since
    when. `last`: the latest trigger while it is open. `closed`: when anybody was last told that it is over.
    """

    failures: int = 0
    open_at: Mapping[str, datetime] = field(default_factory=dict)
    last: IncidentEvent | None = None
    closed: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody was told and not yet told that it is over."""
        return bool(self.open_at)

    @property
    def opened(self) -> datetime | None:
        """When it was opened first."""
        return min(self.open_at.values(), default=None)

    @property
    def escalated(self) -> bool:
        """Whether it was told louder already."""
        return self.last is not None and self.last.escalated


def said(events: Iterable[QueuedMessage]) -> IncidentHistory:
    """The history that the triggers and resolves of one incident, oldest first, add up to.

    Without knowledge of runs, each trigger counts as one failure, however many sinks heard it.
    """
    open_at: dict[str, datetime] = {}
    last: QueuedMessage | None = None
    closed: datetime | None = None
    triggers: set[str] = set()
    for event in events:
        if event.message.kind == "resolve":
            open_at.pop(event.message.sink, None)
            triggers = triggers if open_at else set()
            closed = event.created_at
        else:
            open_at.setdefault(event.message.sink, event.created_at)
            last = event
            triggers.add(event.message.body)  # the same for each sink
    found = IncidentEvent.from_json(last.message.body) if last is not None and open_at else None
    return IncidentHistory(len(triggers), open_at, found, closed)


def of_experiment(store: Store, target: str, experiment: str) -> IncidentHistory:
    """The history of an experiment on a target; its failures are those of the recorded runs."""
    told = said(store.outbox.incident_events(dedup_key(target, experiment)))
    return replace(told, failures=store.runs.consecutive_failures(target, experiment))


def of_schedule(store: Store, target: str, schedule: str) -> IncidentHistory:
    """The history of a schedule's occurrences that proved nothing; its failures are those since a pass."""
    return said(store.outbox.incident_events(schedule_dedup_key(target, schedule)))


def of_files(store: Store, target: str, schedule: str) -> IncidentHistory:
    """The history of a schedule's files that could not be used."""
    return said(store.outbox.incident_events(files_dedup_key(target, schedule)))


def of_incident(store: Store, key: str) -> IncidentHistory:
    """The history of an incident that neither runs nor schedules have, by its dedup key."""
    return said(store.outbox.incident_events(key))


def open_incidents(store: Store) -> dict[str, IncidentHistory]:
    """Every incident that is open, by its dedup key."""
    by_key: dict[str, list[QueuedMessage]] = {}
    for event in store.outbox.incident_events():
        by_key.setdefault(event.message.dedup_key, []).append(event)
    histories = {key: said(events) for key, events in by_key.items()}
    return {key: history for key, history in histories.items() if history.is_open}
