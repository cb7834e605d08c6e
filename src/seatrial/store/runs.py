"""Runs as recorded, and the question that incidents ask of them: how long has this been failing?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from seatrial.model.result import RunResult, plain
from seatrial.model.secrets import shown_in
from seatrial.model.verdict import Verdict
from seatrial.store.database import Database, parse_instant
from seatrial.store.schema import runs

_LONGEST_STREAK = 1000


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


class Runs:
    """The table of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: sa.Connection, result: RunResult, now: datetime) -> bool:
        """Record a run inside a transaction; False when it is there already."""
        return self._database.insert_new(
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
                "result": json.dumps(shown_in(plain(result)), ensure_ascii=False),
            },
        )

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
        return list({(row.target, row.experiment): _recorded(row) for row in rows}.values())

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
            return [_recorded(row) for row in connection.execute(query.limit(limit))]


def _recorded(row: sa.Row[Any]) -> RecordedRun:
    return RecordedRun(
        run=row.run,
        experiment=row.experiment,
        target=row.target,
        verdict=Verdict(row.verdict),
        interrupted=row.interrupted,
        started_at=row.started_at,
        recorded_at=row.recorded_at,
        result=json.loads(row.result),
    )
