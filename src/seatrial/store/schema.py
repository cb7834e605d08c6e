"""The tables of the run database, and the version that tells an old program from a new one.

Three rules are kept by the database itself, because daemons on several hosts share it and none of them can
be trusted to be alive while it decides:

* an occurrence exists once: primary key (schedule, planned instant in UTC);
* one occurrence runs on a target at a time: a unique index over the running ones;
* a message is recorded once: a unique id, made from the run and the event that caused it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

SCHEMA_VERSION = 1

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A time-zone aware instant, always UTC. SQLite has no such type and keeps it as naive UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """On the way in: any zone becomes UTC. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone is ambiguous")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # SQLAlchemy's signature
    ) -> datetime | None:
        """On the way out: always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_number = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows only in an INTEGER column

schema_version = Table("seatrial_schema", metadata, Column("version", Integer, primary_key=True))

runs = Table(
    "runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("experiment", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("result", Text, nullable=False),  # the RunResult as JSON
    Index("runs_of_experiment", "target", "experiment", "started_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("sink", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dedup_key", Text, nullable=False),
    Column("order_key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("sent_at", Instant),
    Column("last_error", Text, nullable=False),
    Index("outbox_queue", "state", "sink", "order_key", "number"),
    Index("outbox_incident", "dedup_key", "number"),
    sqlite_autoincrement=True,  # a number is never used again: the order of messages hangs on it
)

schedules = Table(
    "schedules",
    metadata,
    Column("schedule", Text, primary_key=True),
    Column("accounted_until", Instant, nullable=False),  # every planned instant up to here has its row
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("schedule", Text, primary_key=True),
    Column("planned_at", Instant, primary_key=True),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claim", Text, nullable=False),  # a token of its owner's; empty when nothing was started
    Column("daemon", Text, nullable=False),
    Column("beat", Integer, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("run", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(
        "occurrences_one_a_target",
        "target",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)
