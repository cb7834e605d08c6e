"""What is told about a run, in words that no receiver owns: each sink renders it in its own form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from seatrial.model.experiment import Severity
from seatrial.model.secrets import shown, shown_in
from seatrial.store import OutboxMessage

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")


class Kind(StrEnum):
    """What an event does."""

    TRIGGER = "trigger"  # opens an incident, or adds to it while it is open
    RESOLVE = "resolve"
    CHANGE = "change"  # something was done on purpose; nobody is notified
    PERIOD = "period"  # the same when it is over, with its length: for charts
    NOTE = "note"  # for those who have acknowledged the incident


@dataclass(frozen=True, slots=True)
class Subject:
    """Which run, of what, on what."""

    run: str
    experiment: str
    target: str


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One thing to tell."""

    kind: Kind
    dedup_key: str
    at: str  # RFC 3339
    summary: str
    target: str
    experiment: str
    run: str = ""
    severity: Severity = "error"
    escalated: bool = False  # told louder than it was declared, and to those who hear of escalations
    report_url: str = ""
    details: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> str:
        """As it is kept in the outbox, without secrets."""
        told = {**asdict(self), "summary": shown(self.summary), "details": shown_in(self.details)}
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> IncidentEvent:
        """As it was kept in the outbox."""
        data: dict[str, Any] = json.loads(text)
        return cls(**{**data, "kind": Kind(data["kind"])})

    def to(self, sink: str, cause: str) -> OutboxMessage:
        """As a message for a sink. `cause` names what brought this event about, once and for all.

        An incident's messages keep their order; changes and notes wait for nothing.
        """
        tells_state = self.kind in (Kind.TRIGGER, Kind.RESOLVE)
        identity = f"{cause}:{self.kind.value}:{sink}"
        return OutboxMessage(
            id=identity,
            sink=sink,
            kind=self.kind.value,
            dedup_key=self.dedup_key,
            order_key=self.dedup_key if tells_state else identity,
            body=self.to_json(),
        )


def dedup_key(target: str, experiment: str) -> str:
    """The incident of an experiment on a target. Without the run's id, so that repeats fold into one."""
    return f"seatrial/{target}/{experiment}"


def schedule_dedup_key(target: str, schedule: str) -> str:
    """The incident of a schedule that is not kept: a promise of its own, whatever its runs find."""
    return f"seatrial/{target}/schedule.{schedule}"


def files_dedup_key(target: str, schedule: str) -> str:
    """The incident of a schedule whose files cannot be used: it ends when they are mended."""
    return f"{schedule_dedup_key(target, schedule)}.files"


def cost_dedup_key(target: str, series: str) -> str:
    """The incident of a bill that is higher than is expected."""
    return f"seatrial/{target}/cost.{series}"


def cost_unknown_dedup_key(target: str, series: str) -> str:
    """The incident of a bill of which days are missing: it ends when they are there."""
    return f"{cost_dedup_key(target, series)}.unknown"


def louder(first: Severity, second: Severity) -> Severity:
    """The louder of two severities."""
    return max(first, second, key=SEVERITIES.index)


def raised(severity: Severity) -> Severity:
    """The next louder severity."""
    return SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
