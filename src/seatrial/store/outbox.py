"""The outbox: what must be told to others, durable before anybody tries to tell it.

A message waits (`pending`) until a worker claims it for a short lease and tells it. A worker that dies
leaves the lease behind and the message is told again: at least once, and the receiver's deduplication makes
it once. Order is kept for each (sink, order key): only the oldest pending message of such a queue can be
claimed. A message that can never be delivered is parked (`failed`), in sight, and the queue goes on.

    add ──► pending ──claim──► (leased) ──► sent
               ▲                  │  └────► failed ──requeue──┐
               └── try again later┘ ◄─────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from seatrial.model.secrets import shown
from seatrial.store.database import Database
from seatrial.store.schema import outbox

LONGEST_WAIT = timedelta(
    hours=2
)  # nothing is put off for longer; a later instant means the clock jumped back
_MOST_ERROR_TEXT = 500


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """Something to tell. Messages of one `order_key` reach a sink in the order in which they were written."""

    id: str  # the same event gives the same id: recording it again changes nothing
    sink: str
    kind: str  # trigger, resolve, change or note
    dedup_key: str
    order_key: str
    body: str  # JSON


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message and how far it got."""

    number: int
    message: OutboxMessage
    created_at: datetime
    state: MessageState
    attempts: int
    next_attempt_at: datetime
    sent_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages of one sink are in one state, and since when the oldest."""

    sink: str
    state: MessageState
    messages: int
    oldest: datetime


class Outbox:
    """The table of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: sa.Connection, messages: Sequence[OutboxMessage], now: datetime) -> None:
        """Record messages inside a transaction."""
        self._database.lock(connection, {message.order_key for message in messages})
        for message in messages:
            row = {
                "id": message.id,
                "sink": message.sink,
                "kind": message.kind,
                "dedup_key": message.dedup_key,
                "order_key": message.order_key,
                "body": message.body,
                "created_at": now,
                "state": MessageState.PENDING.value,
                "attempts": 0,
                "next_attempt_at": now,
                "last_error": "",
            }
            self._database.insert_new(connection, outbox, row)

    def enqueue(self, messages: Sequence[OutboxMessage], now: datetime) -> None:
        """Record messages in a transaction of their own."""
        if messages:
            with self._database.writing() as connection:
                self.add(connection, messages, now)

    def claim(self, sinks: Collection[str], now: datetime, lease: timedelta) -> QueuedMessage | None:
        """The next message that is due at one of `sinks`; nobody else gets it while the lease lasts."""
        earlier = outbox.alias()
        blocked = sa.exists().where(
            earlier.c.sink == outbox.c.sink,
            earlier.c.order_key == outbox.c.order_key,
            earlier.c.number < outbox.c.number,
            earlier.c.state == MessageState.PENDING.value,
        )
        due = sa.or_(outbox.c.next_attempt_at <= now, outbox.c.next_attempt_at > now + LONGEST_WAIT)
        free = sa.or_(
            outbox.c.claimed_until.is_(None),
            outbox.c.claimed_until <= now,
            outbox.c.claimed_until > now + LONGEST_WAIT,
        )
        candidate = (
            sa.select(outbox)
            .where(
                outbox.c.state == MessageState.PENDING.value, outbox.c.sink.in_(sinks), due, free, ~blocked
            )
            .order_by(outbox.c.next_attempt_at, outbox.c.number)
            .limit(1)
            .with_for_update(skip_locked=True, of=outbox)
        )
        with self._database.writing() as connection:
            row = connection.execute(candidate).first()
            if row is None:
                return None
            self._update(connection, row.number, claimed_until=now + lease, attempts=row.attempts + 1)
        return _queued(row, attempts=row.attempts + 1)

    def sent(self, number: int, now: datetime, note: str = "") -> None:
        """The receiver has it."""
        self._release(number, state=MessageState.SENT.value, sent_at=now, last_error=shown(note))

    def put_off(self, number: int, until: datetime, reason: str) -> None:
        """It did not work; try again at `until`."""
        self._release(number, next_attempt_at=until, last_error=shown(reason)[:_MOST_ERROR_TEXT])

    def park(self, number: int, reason: str) -> None:
        """It can never work as it is; a person has to look."""
        self._release(number, state=MessageState.FAILED.value, last_error=shown(reason)[:_MOST_ERROR_TEXT])

    def requeue(self, now: datetime, numbers: Collection[int] | None = None) -> int:
        """Make parked messages (all, or those given) and waiting ones due now; how many there are."""
        waiting = outbox.c.state.in_([MessageState.FAILED.value, MessageState.PENDING.value])
        chosen = waiting if numbers is None else sa.and_(waiting, outbox.c.number.in_(numbers))
        with self._database.writing() as connection:
            return connection.execute(
                sa.update(outbox)
                .where(chosen)
                .values(state=MessageState.PENDING.value, attempts=0, next_attempt_at=now)
            ).rowcount

    def trigger_was_parked(self, message: QueuedMessage) -> bool:
        """Whether the trigger that `message` follows at its sink was parked: nothing is open there."""
        query = (
            sa.select(outbox.c.state)
            .where(
                outbox.c.sink == message.message.sink,
                outbox.c.dedup_key == message.message.dedup_key,
                outbox.c.kind == "trigger",
                outbox.c.number < message.number,
            )
            .order_by(outbox.c.number.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.scalar(query) == MessageState.FAILED.value

    def messages(
        self, states: Collection[MessageState] = (), limit: int = 200, newest_first: bool = True
    ) -> list[QueuedMessage]:
        """Messages in the given states (all when none is given)."""
        order = outbox.c.number.desc() if newest_first else outbox.c.number
        query = sa.select(outbox).order_by(order).limit(limit)
        if states:
            query = query.where(outbox.c.state.in_([state.value for state in states]))
        with self._database.reading() as connection:
            return [_queued(row, row.attempts) for row in connection.execute(query)]

    def depth(self) -> list[QueueDepth]:
        """Messages by sink and state."""
        query = sa.select(
            outbox.c.sink, outbox.c.state, sa.func.count(), sa.func.min(outbox.c.created_at)
        ).group_by(outbox.c.sink, outbox.c.state)
        with self._database.reading() as connection:
            return [
                QueueDepth(row[0], MessageState(row[1]), row[2], row[3]) for row in connection.execute(query)
            ]

    def incident_events(self, dedup_key: str | None = None) -> list[QueuedMessage]:
        """Triggers and resolves (of one incident, or of all), oldest first."""
        query = sa.select(outbox).where(outbox.c.kind.in_(["trigger", "resolve"])).order_by(outbox.c.number)
        if dedup_key is not None:
            query = query.where(outbox.c.dedup_key == dedup_key)
        with self._database.reading() as connection:
            return [_queued(row, row.attempts) for row in connection.execute(query)]

    def prune(self, before: datetime) -> int:
        """Forget messages sent before an instant, but nothing of an incident that is still open."""
        later = outbox.alias()
        closed = sa.exists().where(
            later.c.sink == outbox.c.sink,
            later.c.dedup_key == outbox.c.dedup_key,
            later.c.number >= outbox.c.number,
            later.c.kind == "resolve",
            later.c.state == MessageState.SENT.value,
        )
        done = sa.and_(outbox.c.state == MessageState.SENT.value, outbox.c.sent_at < before)
        with self._database.writing() as connection:
            statement = sa.delete(outbox).where(done, sa.or_(closed, outbox.c.kind.in_(["change", "note"])))
            return connection.execute(statement).rowcount

    def _release(self, number: int, **values: Any) -> None:
        with self._database.writing() as connection:
            self._update(connection, number, claimed_until=None, **values)

    def _update(self, connection: sa.Connection, number: int, **values: Any) -> None:
        # only a pending message: a worker that was stopped beyond its lease must not undo what another did
        still_pending = sa.and_(outbox.c.number == number, outbox.c.state == MessageState.PENDING.value)
        connection.execute(sa.update(outbox).where(still_pending).values(**values))


def _queued(row: sa.Row[Any], attempts: int) -> QueuedMessage:
    return QueuedMessage(
        number=row.number,
        message=OutboxMessage(row.id, row.sink, row.kind, row.dedup_key, row.order_key, row.body),
        created_at=row.created_at,
        state=MessageState(row.state),
        attempts=attempts,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
        last_error=row.last_error,
    )
