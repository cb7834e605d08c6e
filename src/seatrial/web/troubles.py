"""What wants somebody: incidents that are open, messages that did not arrive, faults that are in effect."""

from __future__ import annotations

from pathlib import Path

from seatrial.incidents import list_incidents
from seatrial.incidents.commands import IncidentRow
from seatrial.store import MessageState, QueuedMessage
from seatrial.undo.journal import Entry, SessionRecord
from seatrial.undo.recover import left_open
from seatrial.web import documents
from seatrial.web.sources import Sources

_MOST_MESSAGES = 100


def incidents(sources: Sources, _asked: object) -> documents.Incidents:
    """Open incidents, loudest first, and the latest messages."""
    found = list_incidents(sources.store, sources.incidents)
    depth = sources.store.outbox.depth()
    return documents.Incidents(
        open=[incident(each) for each in found.incidents],
        messages=[_message(each) for each in sources.store.outbox.messages(limit=_MOST_MESSAGES)],
        waiting=sum(each.messages for each in depth if each.state is MessageState.PENDING),
        failed=sum(each.messages for each in depth if each.state is MessageState.FAILED),
        off=found.off,
    )


def incident(row: IncidentRow) -> documents.Incident:
    """An open incident."""
    return documents.Incident(
        severity=row.severity,
        target=row.target,
        experiment=row.experiment,
        opened=row.opened,
        failures=row.failures,
        escalated=row.escalated,
        summary=row.summary,
    )


def faults(home: Path) -> list[documents.Fault]:
    """Every fault of any run on this machine that is not undone. Raises Unavailable."""
    return [_fault(entry, session) for session, entry in left_open(home)]


def _fault(entry: Entry, session: SessionRecord) -> documents.Fault:
    return documents.Fault(
        label=entry.label,
        fault=entry.undo.fault,
        role=entry.undo.role.name,
        target=session.target,
        experiment=session.experiment,
        run=session.run,
        state=entry.state,
        error=entry.error,
    )


def _message(each: QueuedMessage) -> documents.Message:
    return documents.Message(
        number=each.number,
        sink=each.message.sink,
        kind=each.message.kind,
        state=each.state,
        attempts=each.attempts,
        created_at=each.created_at,
        sent_at=each.sent_at,
        last_error=each.last_error,
    )
