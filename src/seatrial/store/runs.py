"""Runs as recorded, and the question that incidents ask of them: how long has this been failing?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from seatrial.model.result import RunResult, plain
from seatrial.model.secrets import shown_in
from seatrial.model.verdict import Verdict
from seatrial.store import indexing
from seatrial.store.database import Database, parse_instant
from seatrial.store.origin import UNKNOWN, Origin
from seatrial.store.schema import TAKEN_OUT, evidence, runs

_LONGEST_STREAK = 1000
_AT_ONCE = 200  # runs in one transaction, so that others who write need not wait for long
_STALE = runs.c.indexed < indexing.INDEX_VERSION

ORIGIN_COLUMNS = tuple(each.name for each in fields(Origin) if each.name != "files")
"""The columns of `runs` that tell where a run comes from."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run in the database. `result` is the RunResult as plain data."""

    run: str
    experiment: str
    target: str
    verdict: Verdict
    interrupted: bool
    started_at: datetime
    recorded_at: datetime
    result: dict[str, Any]
    origin: Origin = UNKNOWN  # without its files
    exported_to: str = ""
    evidence_deleted_at: datetime | None = None  # None: it is where `origin` says, as far as we know


class Runs:
    """The table of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, connection: sa.Connection, result: RunResult, now: datetime, origin: Origin = UNKNOWN
    ) -> bool:
        """Record a run inside a transaction; False when it is there already.

        Of one that is there without its `origin`, as an older version recorded it, that is added; so is a new
        place of the same evidence, known by its verdict's hash.
        """
        told = shown_in(plain(result))
        added = self._database.insert_new(
            connection,
            runs,
            {
                "run": result.run,
                "target": result.target,
                "experiment": result.experiment,
                "verdict": result.verdict.value,
                "interrupted": result.interrupted,
                "started_at": parse_instant(result.started_at),
                "recorded_at": now,
                "result": json.dumps(told, ensure_ascii=False),
                **indexing.columns_of(told),
                **_columns(origin),
            },
        )
        if added:
            _insert(connection, indexing.rows_of(told))
        if added or (origin.directory and self._locate(connection, result, origin)):
            files = [
                {"run": result.run, "target": result.target, "file": each.name, "bytes": each.bytes,
                 "sha256": each.sha256}
                for each in origin.files
            ]  # fmt: skip
            _insert(connection, {evidence: files})
        return added

    def index_anew(self) -> int:
        """Take out of results what can be searched, where that was done by an older version or not at all.

        How many runs that were.
        """
        done = 0
        while True:
            with self._database.writing() as connection:
                asked = sa.select(runs.c.run, runs.c.target, runs.c.indexed, runs.c.result).where(_STALE)
                found = connection.execute(asked.limit(_AT_ONCE).with_for_update()).all()
                _index(connection, found)
            done += len(found)
            if len(found) < _AT_ONCE:
                return done

    def needs_index(self) -> bool:
        """Whether `index_anew` has something to do."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(runs.c.run).where(_STALE).limit(1)).first() is not None

    def _locate(self, connection: sa.Connection, result: RunResult, origin: Origin) -> bool:
        same = sa.and_(runs.c.run == result.run, runs.c.target == result.target)
        moved = sa.and_(runs.c.verdict_sha256 != "", runs.c.verdict_sha256 == origin.verdict_sha256)
        done = connection.execute(
            sa.update(runs)
            .where(same, sa.or_(runs.c.directory == "", moved))
            .values(**_columns(origin), evidence_deleted_at=None)
        )
        mine = sa.and_(evidence.c.run == result.run, evidence.c.target == result.target)
        if done.rowcount:
            connection.execute(sa.delete(evidence).where(mine))
        return done.rowcount == 1

    def get(self, run: str) -> RecordedRun | None:
        """A run by its id."""
        found = self._select(runs.c.run == run, limit=1)
        return found[0] if found else None

    def newest(self, limit: int = 50, experiment: str | None = None) -> list[RecordedRun]:
        """The latest runs, newest first."""
        return self._select(sa.true() if experiment is None else runs.c.experiment == experiment, limit)

    def latest_of_each(self) -> list[RecordedRun]:
        """The latest run of each experiment on each target."""
        newest = (
            sa.select(runs.c.target, runs.c.experiment, sa.func.max(runs.c.started_at).label("at"))
            .group_by(runs.c.target, runs.c.experiment)
            .subquery()
        )
        joined = sa.and_(
            runs.c.target == newest.c.target,
            runs.c.experiment == newest.c.experiment,
            runs.c.started_at == newest.c.at,
        )
        query = sa.select(runs).join(newest, joined).order_by(runs.c.target, runs.c.experiment, runs.c.run)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return list({(row.target, row.experiment): recorded(row) for row in rows}.values())

    def first_and_last_pass(self) -> dict[tuple[str, str], tuple[datetime, datetime | None]]:
        """Of each (experiment, target): when its first run and its last passing run started."""
        passed = sa.case((runs.c.verdict == Verdict.PASS.value, runs.c.started_at))
        query = sa.select(
            runs.c.experiment, runs.c.target, sa.func.min(runs.c.started_at), sa.func.max(passed)
        ).group_by(runs.c.experiment, runs.c.target)
        with self._database.reading() as connection:
            return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}

    def consecutive_failures(self, target: str, experiment: str) -> int:
        """Failed runs since the last pass. An unknown verdict neither counts nor breaks the row."""
        query = (
            sa.select(runs.c.verdict)
            .where(runs.c.target == target, runs.c.experiment == experiment)
            .where(runs.c.verdict != Verdict.UNKNOWN.value)
            .order_by(runs.c.started_at.desc(), runs.c.run.desc())
            .limit(_LONGEST_STREAK)
        )
        with self._database.reading() as connection:
            verdicts = list(connection.scalars(query))
        return next((i for i, verdict in enumerate(verdicts) if verdict == Verdict.PASS), len(verdicts))

    def _select(self, condition: sa.ColumnElement[bool], limit: int) -> list[RecordedRun]:
        query = sa.select(runs).where(condition).order_by(runs.c.started_at.desc(), runs.c.run.desc())
        with self._database.reading() as connection:
            return [recorded(row) for row in connection.execute(query.limit(limit))]


def recorded(row: sa.Row[Any]) -> RecordedRun:
    """A whole row of `runs`."""
    return RecordedRun(
        run=row.run,
        experiment=row.experiment,
        target=row.target,
        verdict=Verdict(row.verdict),
        interrupted=row.interrupted,
        started_at=row.started_at,
        recorded_at=row.recorded_at,
        result=json.loads(row.result),
        origin=origin_in(row),
        exported_to=row.exported_to,
        evidence_deleted_at=row.evidence_deleted_at,
    )


def origin_in(row: sa.Row[Any]) -> Origin:
    """Where a run comes from, without its files."""
    return Origin(**{name: getattr(row, name) for name in ORIGIN_COLUMNS})


def _columns(origin: Origin) -> dict[str, Any]:
    return {name: getattr(origin, name) for name in ORIGIN_COLUMNS}


def _index(connection: sa.Connection, found: Iterable[Any]) -> None:
    """Take out of each result what can be searched, in place of what an older version took out of it."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {table: [] for table in TAKEN_OUT}
    columns = []
    for row in found:
        for table in TAKEN_OUT if row.indexed else ():
            connection.execute(sa.delete(table).where(table.c.run == row.run, table.c.target == row.target))
        result = json.loads(row.result)
        for table, some in indexing.rows_of(result).items():
            rows[table] += some
        columns.append({"of_run": row.run, "of_target": row.target, **indexing.columns_of(result)})
    _insert(connection, rows)
    if columns:
        same = sa.and_(runs.c.run == sa.bindparam("of_run"), runs.c.target == sa.bindparam("of_target"))
        connection.execute(sa.update(runs).where(same), columns)


def _insert(connection: sa.Connection, rows: Mapping[sa.Table, Sequence[dict[str, Any]]]) -> None:
    for table, some in rows.items():
        if some:
            connection.execute(sa.insert(table), list(some))
