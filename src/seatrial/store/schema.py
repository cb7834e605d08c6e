"""The tables of the run database, and the version that tells an old program from a new one.

Three rules are kept by the database itself, because daemons on several hosts share it and none of them can
be trusted to be alive while it decides:

* an occurrence exists once: primary key (schedule, planned instant in UTC);
* one occurrence runs on a target at a time: a unique index over the running ones;
* a message is recorded once: a unique id, made from the run and the event that caused it.

The result of a run is kept whole, as JSON, and that is the truth of it. The tables of objectives, faults,
checks, phases, detections and requirements are taken out of it, so that they can be searched, and can be made
anew from it at any time; `indexed` says by which version of `indexing` they were made.

Databases of an older version are brought to this one in place: see `migrations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

SCHEMA_VERSION = 4
REVISION = "4"
"""The newest of `migrations`: what Alembic calls this version."""

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
alembic_version = Table(
    "alembic_version", metadata, Column("version_num", String(32), primary_key=True)
)  # as Alembic makes it, so that a new database need not load Alembic

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
    Column("indexed", Integer, nullable=False, server_default="0"),
    Column("title", Text, nullable=False, server_default=""),
    Column("length_s", Double),  # of the measured part
    Column("offered_per_s", Double),
    Column("version_before", Text),  # of the target, as it told
    Column("version_after", Text),
    Column("currency", Text),  # what its cost is in; null: its target has no price
    Column("cost_lower", Double),  # null: unknown
    Column("cost_upper", Double),
    Column("per_million_lower", Double),  # of requests
    Column("per_million_upper", Double),  # null beside a lower end: none was answered
    # where it comes from: see `origin`
    Column("directory", Text, nullable=False, server_default=""),
    Column("host", Text, nullable=False, server_default=""),
    Column("revision", Text, nullable=False, server_default=""),
    Column("seatrial", Text, nullable=False, server_default=""),
    Column("rate", Text, nullable=False, server_default=""),
    Column("experiment_sha256", Text, nullable=False, server_default=""),
    Column("verdict_sha256", Text, nullable=False, server_default=""),
    Column("exported_to", Text, nullable=False, server_default=""),
    Column("evidence_deleted_at", Instant),
    Index("runs_of_experiment", "target", "experiment", "started_at"),
    Index("runs_by_start", "started_at", "run"),
    Index("runs_named", "experiment", "started_at"),
    Index("runs_to_index", "indexed"),
)


def _of_run(name: str, *columns: Column[Any], key: str = "position", index: Sequence[str] = ()) -> Table:
    """A table of rows that belong to a run, and go with it."""
    kind = Integer if key == "position" else Text
    return Table(
        name,
        metadata,
        Column("run", Text, primary_key=True),
        Column("target", Text, primary_key=True),
        Column(key, kind, primary_key=True, autoincrement=False),
        *columns,
        ForeignKeyConstraint(["run", "target"], ["runs.run", "runs.target"], ondelete="CASCADE"),
        *([Index(f"{name}_by_{index[0]}", *index)] if index else []),
    )


objectives = _of_run(
    "run_objectives",
    Column("name", Text, nullable=False),
    Column("promised", Double, nullable=False),
    Column("lower", Double),  # null: not measured
    Column("upper", Double),  # infinite: the end was never seen
    Column("unit", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
faults = _of_run(
    "run_faults",
    Column("name", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("injected_s", Double),  # null: did not happen
    Column("undone_s", Double),
    Column("verified", Boolean),
    Column("undo", Text, nullable=False),
    index=("fault", "role"),
)
checks = _of_run(
    "run_checks",
    Column("name", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
phases = _of_run(
    "run_phases",
    Column("step", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("begin_s", Double),  # null: no log says
    Column("end_s", Double),
    Column("source", Text, nullable=False),
)
detections = _of_run(
    "run_detections",
    Column("step", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("detect_lower_s", Double),  # null: nobody is known to have been told
    Column("detect_upper_s", Double),
    Column("recover_lower_s", Double),  # null: not known
    Column("recover_upper_s", Double),  # infinite: it was never seen to be well again
    Column("verdict", Text, nullable=False),
)
requirements = _of_run("run_covers", key="requirement", index=("requirement",))
evidence = _of_run(
    "run_evidence",
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    key="file",
)
TAKEN_OUT = (objectives, faults, checks, phases, detections, requirements)
"""The tables that are made from the result."""

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
    Index("occurrences_by_instant", "planned_at", "schedule", "state"),
    Index("occurrences_by_state", "schedule", "state", "planned_at"),
    Index(
        "occurrences_one_a_target",
        "target",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)
