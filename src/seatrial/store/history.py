"""Every run on record, to be listed, looked up and held side by side: month after month.

    query ──► runs (without their results: quick at any number) ──► one of them ──► its whole result

A record outlives its evidence. When that is deleted the record says so, and whoever rests on it must not call
it good any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from seatrial.model.bounds import Bounds
from seatrial.model.noticing import Detection
from seatrial.model.pricing import RunCost
from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.store.database import Database
from seatrial.store.origin import EvidenceFile, Origin
from seatrial.store.runs import ORIGIN_COLUMNS, RecordedRun, origin_in, recorded
from seatrial.store.schema import detections, evidence, objectives, requirements, runs

LATEST = "latest"
_IDS_AT_ONCE = 500
_COST_ENDS = ("cost_lower", "cost_upper", "per_million_lower", "per_million_upper")
_LIGHT = [column for column in runs.c if column.name != "result"]
_OF_A_COURSE = [runs.c.run, runs.c.target, runs.c.started_at, *(runs.c[name] for name in ORIGIN_COLUMNS)]
_COST = [runs.c[name] for name in ("currency", *_COST_ENDS)]
_NEWEST_FIRST = (runs.c.started_at.desc(), runs.c.run.desc())


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs are meant. What is empty or None is not asked for."""

    experiment: str = ""
    target: str = ""
    since: datetime | None = None  # started then or later
    until: datetime | None = None  # started before it
    verdict: Verdict | None = None
    covers: str = ""  # a requirement
    finished: bool = False  # only those that were not interrupted
    with_evidence: bool = False  # only those whose evidence was not deleted, as far as we know

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        """The same in SQL."""
        asked: list[sa.ColumnElement[bool]] = [sa.true()]
        if self.experiment:
            asked.append(runs.c.experiment == self.experiment)
        if self.target:
            asked.append(runs.c.target == self.target)
        if self.since is not None:
            asked.append(runs.c.started_at >= self.since)
        if self.until is not None:
            asked.append(runs.c.started_at < self.until)
        if self.verdict is not None:
            asked.append(runs.c.verdict == self.verdict)
        if self.finished:
            asked.append(runs.c.interrupted == sa.false())
        if self.with_evidence:
            asked += [runs.c.directory != "", runs.c.evidence_deleted_at.is_(None)]
        if self.covers:
            covering = requirements.c.requirement == self.covers
            asked.append(sa.exists().where(covering, _same(requirements)))
        return sa.and_(*asked)


ALL = RunQuery()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as lists show it: all but its whole result."""

    run: str
    experiment: str
    target: str
    title: str
    verdict: Verdict
    interrupted: bool
    started_at: datetime
    recorded_at: datetime
    length_s: float | None  # of the measured part; None: nothing was measured
    offered_per_s: float | None
    version_before: str | None  # of the target; None: it did not tell
    version_after: str | None
    objectives: tuple[ObjectiveResult, ...]  # an infinite `upper`: the end was never seen
    detections: tuple[Detection, ...]
    cost: RunCost | None  # without its parts and why it is unknown; None: the target has no price
    covers: tuple[str, ...]
    origin: Origin  # without its files, for which see `History.files`
    exported_to: str
    evidence_deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Measured:
    """One objective of one run, for a course over months."""

    run: str
    started_at: datetime
    objective: ObjectiveResult
    origin: Origin


@dataclass(frozen=True, slots=True)
class Unpromised:
    """What one run tells beside its promises, for a course over months. `cost`: as in `RunSummary`."""

    run: str
    started_at: datetime
    detections: tuple[Detection, ...]
    cost: RunCost | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Series:
    """An experiment on a target, and how often it was run."""

    experiment: str
    target: str
    runs: int
    first: datetime
    last: datetime


class History:
    """Runs on record. Every method raises Unavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs(self, query: RunQuery = ALL, limit: int = 50, offset: int = 0) -> list[RunSummary]:
        """The runs that are meant, newest first."""
        asked = sa.select(*_LIGHT).where(query.condition).order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
        with self._database.reading() as connection:
            found = connection.execute(asked).all()
            measured = _belonging(connection, objectives, objectives.c.position, found)
            noticed = _belonging(connection, detections, detections.c.position, found)
            covered = _belonging(connection, requirements, requirements.c.requirement, found)
        return [
            _summary(
                row,
                tuple(map(_objective, measured.get(_key(row), ()))),
                tuple(map(_detection, noticed.get(_key(row), ()))),
                tuple(each.requirement for each in covered.get(_key(row), ())),
            )
            for row in found
        ]

    def count(self, query: RunQuery = ALL) -> int:
        """How many are meant."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(runs).where(query.condition)) or 0

    def latest(self, query: RunQuery = ALL) -> RecordedRun | None:
        """The newest that is meant, with its whole result."""
        return self._one(query.condition)

    def find(self, name: str) -> RecordedRun | None:
        """A run by its id; the newest by `latest`, that of an experiment by `latest:EXPERIMENT`."""
        if name == LATEST:
            return self.latest()
        word, colon, experiment = name.partition(":")
        if word == LATEST and colon:
            return self.latest(RunQuery(experiment=experiment))
        return self._one(runs.c.run == name)

    def series(self, experiment: str = "") -> list[Series]:
        """Every experiment on every target that has a run, by name; only of one where it is named."""
        asked = (
            sa.select(
                runs.c.experiment,
                runs.c.target,
                sa.func.count(),
                sa.func.min(runs.c.started_at),
                sa.func.max(runs.c.started_at),
            )
            .where(RunQuery(experiment=experiment).condition)
            .group_by(runs.c.experiment, runs.c.target)
            .order_by(runs.c.experiment, runs.c.target)
        )
        with self._database.reading() as connection:
            return [Series(*row) for row in connection.execute(asked)]

    def course(
        self, experiment: str, target: str, *, before: datetime | None = None, limit: int = 200
    ) -> dict[str, list[Measured]]:
        """What the latest `limit` finished runs measured of each objective: name → the earliest first.

        An objective that could not be measured is left out. `before`: only of runs that started before it.
        """
        query = RunQuery(experiment=experiment, target=target, until=before, finished=True)
        asked = sa.select(*_OF_A_COURSE).where(query.condition).order_by(*_NEWEST_FIRST).limit(limit)
        with self._database.reading() as connection:
            latest = connection.execute(asked).all()
            measured = _belonging(connection, objectives, objectives.c.position, latest)
        found: dict[str, list[Measured]] = {}
        for row in reversed(latest):
            origin = origin_in(row)
            for one in measured.get(_key(row), ()):
                if one.lower is not None:
                    point = Measured(row.run, row.started_at, _objective(one), origin)
                    found.setdefault(one.name, []).append(point)
        return found

    def unpromised(
        self, experiment: str, target: str, *, before: datetime | None = None, limit: int = 200
    ) -> list[Unpromised]:
        """What the latest `limit` finished runs tell beside their promises, the earliest first.

        `before`: only of runs that started before it.
        """
        query = RunQuery(experiment=experiment, target=target, until=before, finished=True)
        asked = sa.select(*_OF_A_COURSE, *_COST).where(query.condition).order_by(*_NEWEST_FIRST).limit(limit)
        with self._database.reading() as connection:
            latest = connection.execute(asked).all()
            noticed = _belonging(connection, detections, detections.c.position, latest)
        return [
            Unpromised(
                row.run,
                row.started_at,
                tuple(map(_detection, noticed.get(_key(row), ()))),
                _cost(row),
                origin_in(row),
            )
            for row in reversed(latest)
        ]

    def latencies(
        self, experiment: str, target: str, *, limit: int = 200
    ) -> list[tuple[str, datetime, float]]:
        """The p95 in milliseconds of the latest `limit` finished runs that have one, the earliest first."""
        told = sa.cast(runs.c.result, sa.JSON) if self._database.is_postgres else runs.c.result
        p95_ms = sa.type_coerce(told, sa.JSON)["measurement", "latency", "p95_ms"].as_float()
        query = RunQuery(experiment=experiment, target=target, finished=True)
        asked = sa.select(runs.c.run, runs.c.started_at, p95_ms).where(query.condition)
        with self._database.reading() as connection:
            found = connection.execute(asked.order_by(runs.c.started_at.desc()).limit(limit)).all()
        return [(row[0], row[1], row[2]) for row in reversed(found) if row[2] is not None]

    def files(self, run: str, target: str) -> tuple[EvidenceFile, ...]:
        """The files of a run's evidence as they were when it was recorded."""
        asked = (
            sa.select(evidence.c.file, evidence.c.bytes, evidence.c.sha256)
            .where(evidence.c.run == run, evidence.c.target == target)
            .order_by(evidence.c.file)
        )
        with self._database.reading() as connection:
            return tuple(EvidenceFile(*row) for row in connection.execute(asked))

    def exported(self, run: str, target: str, to: str) -> None:
        """A copy of a run's evidence is at `to` now."""
        self._note(run, target, exported_to=to)

    def evidence_deleted(self, run: str, target: str, now: datetime) -> None:
        """A run's evidence is gone from here on; the record stays."""
        self._note(run, target, evidence_deleted_at=now)

    def _note(self, run: str, target: str, **values: Any) -> None:
        with self._database.writing() as connection:
            same = sa.and_(runs.c.run == run, runs.c.target == target)
            connection.execute(sa.update(runs).where(same).values(**values))

    def _one(self, condition: sa.ColumnElement[bool]) -> RecordedRun | None:
        asked = sa.select(runs).where(condition).order_by(*_NEWEST_FIRST)
        with self._database.reading() as connection:
            row = connection.execute(asked.limit(1)).first()
        return None if row is None else recorded(row)


def _same(table: sa.Table) -> sa.ColumnElement[bool]:
    """Rows of `table` that belong to the row of `runs`."""
    return sa.and_(table.c.run == runs.c.run, table.c.target == runs.c.target)


def _key(row: sa.Row[Any]) -> tuple[str, str]:
    return row.run, row.target


def _belonging(
    connection: sa.Connection, table: sa.Table, order: sa.Column[Any], found: Sequence[sa.Row[Any]]
) -> dict[tuple[str, str], list[sa.Row[Any]]]:
    """Rows of `table` by the run that they belong to; asked by ids, so many at once as a database takes."""
    taken: dict[tuple[str, str], list[sa.Row[Any]]] = {}
    for start in range(0, len(found), _IDS_AT_ONCE):
        ids = [row.run for row in found[start : start + _IDS_AT_ONCE]]
        for row in connection.execute(sa.select(table).where(table.c.run.in_(ids)).order_by(order)):
            taken.setdefault(_key(row), []).append(row)
    return taken


def _objective(row: sa.Row[Any]) -> ObjectiveResult:
    verdict = Verdict(row.verdict)
    return ObjectiveResult(row.name, row.promised, row.lower, row.upper, row.unit, verdict, row.reason)


def _detection(row: sa.Row[Any]) -> Detection:
    detect, recover = (
        Bounds(lower, upper) if lower is not None else None
        for lower, upper in (
            (row.detect_lower_s, row.detect_upper_s),
            (row.recover_lower_s, row.recover_upper_s),
        )
    )
    return Detection(row.step, row.alert, row.source, detect, recover, Verdict(row.verdict))


def _cost(row: sa.Row[Any]) -> RunCost | None:
    if row.currency is None:
        return None
    return RunCost(row.currency, *(getattr(row, name) for name in _COST_ENDS))


def _summary(
    row: sa.Row[Any],
    measured: tuple[ObjectiveResult, ...],
    noticed: tuple[Detection, ...],
    covered: tuple[str, ...],
) -> RunSummary:
    return RunSummary(
        run=row.run,
        experiment=row.experiment,
        target=row.target,
        title=row.title,
        verdict=Verdict(row.verdict),
        interrupted=row.interrupted,
        started_at=row.started_at,
        recorded_at=row.recorded_at,
        length_s=row.length_s,
        offered_per_s=row.offered_per_s,
        version_before=row.version_before,
        version_after=row.version_after,
        objectives=measured,
        detections=noticed,
        cost=_cost(row),
        covers=covered,
        origin=origin_in(row),
        exported_to=row.exported_to,
        evidence_deleted_at=row.evidence_deleted_at,
    )
