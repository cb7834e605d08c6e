"""Runs on record: listed, looked up, searched, and known to be without evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.postgres_server import postgres
from tests.support.results import COST, MISSED, NOTICED, START, result

from seatrial.model.pricing import RunCost
from seatrial.model.result import CheckResult, Failover, ObjectiveResult, Phase, RunResult
from seatrial.model.verdict import Verdict
from seatrial.store import EvidenceFile, Origin, RunQuery, Store
from seatrial.store.schema import metadata

NOW = datetime(2026, 4, 1, tzinfo=UTC)
HERE = Origin(
    directory="/srv/runs/a", host="ci-1", revision="0123abc", seatrial="1.0", rate="10000/min",
    experiment_sha256="e" * 64, verdict_sha256="f" * 64, files=(EvidenceFile("verdict.json", 7, "f" * 64),),
)  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Both kinds of database must behave alike."""
    if request.param == "sqlite":
        with Store(f"sqlite:///{tmp_path}/seatrial.sqlite") as opened:
            yield opened
        return
    with Store(request.getfixturevalue("server")) as opened:
        yield opened
        with opened.database.writing() as connection:
            metadata.drop_all(connection)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL."""
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def told(number: int, **changed: object) -> RunResult:
    return replace(result(Verdict.PASS, number), covers=("ADR-003", "ADR-001"), **changed)  # type: ignore[arg-type]


def test_runs_are_listed_newest_first_and_by_what_is_asked(store: Store) -> None:
    for number in range(1, 6):
        store.record(told(number, interrupted=number == 5), [], NOW)
    store.record(result(Verdict.FAIL, 6, target="staging"), [], NOW)
    store.record(result(Verdict.FAIL, 7, experiment="deploy"), [], NOW)

    def numbers(query: RunQuery, limit: int = 50, offset: int = 0) -> list[int]:
        found = [int(run.run[-4:]) for run in store.history.runs(query, limit, offset)]
        assert len(found) == min(limit, max(0, store.history.count(query) - offset))
        return found

    assert numbers(RunQuery()) == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(RunQuery(), limit=2, offset=1) == [6, 5]
    assert numbers(RunQuery(experiment="deploy")) == [7]
    assert numbers(RunQuery(target="staging")) == [6]
    assert numbers(RunQuery(verdict=Verdict.FAIL)) == [7, 6]
    assert numbers(RunQuery(covers="ADR-001")) == [5, 4, 3, 2, 1]
    assert numbers(RunQuery(covers="ADR-001", finished=True)) == [4, 3, 2, 1]
    at = START + timedelta(hours=3)
    assert numbers(RunQuery(since=at, until=at + timedelta(hours=2))) == [4, 3]
    assert [(one.experiment, one.target, one.runs) for one in store.history.series()] == [
        ("database-crash", "staging", 1), ("database-crash", "testbed", 5), ("deploy", "testbed", 1),
    ]  # fmt: skip


def test_a_run_is_found_by_its_id_and_by_being_the_latest(store: Store) -> None:
    assert store.history.find("latest") is None
    store.record(told(1), [], NOW)
    store.record(result(number=2, experiment="deploy"), [], NOW)
    names = ("latest", "latest:database-crash", "latest:no-such", "deploy-0002", "no-such")
    found = [store.history.find(name) for name in names]
    assert [run.run if run else None for run in found] == [
        "deploy-0002", "database-crash-0001", None, "deploy-0002", None,
    ]  # fmt: skip


def test_what_a_run_measured_is_kept_with_its_bounds(store: Store) -> None:
    whole = told(
        1,
        objectives=(
            ObjectiveResult("downtime", 5.0, 1.5, math.inf, "s", Verdict.UNKNOWN, "its end was not seen"),
            ObjectiveResult("latency p99", 900.0, None, None, "ms", Verdict.UNKNOWN),
        ),
        checks=(CheckResult("served-by", Verdict.PASS, "blue"),),
        failovers=(Failover("crash", (Phase("detect", 1.0, 2.5, "patroni"), Phase("route", 2.5, None))),),
    )
    store.record(whole, [], NOW, HERE)
    (found,) = store.history.runs()
    assert found.objectives == whole.objectives
    assert found.covers == ("ADR-001", "ADR-003")
    assert found.origin == replace(HERE, files=())
    assert store.history.files(found.run, found.target) == HERE.files
    with store.database.reading() as connection:
        rows = {
            name: [tuple(row)[2:] for row in connection.execute(sa.select(metadata.tables[name]))]
            for name in ("run_checks", "run_phases", "run_faults")
        }
    assert rows == {
        "run_checks": [(0, "served-by", "pass", "blue")],
        "run_phases": [
            (0, "crash", "detect", 1.0, 2.5, "patroni"),
            (1, "crash", "route", 2.5, None, ""),
        ],
        "run_faults": [(0, "crash", "process.kill", "database.primary", 10.1, 25.0, True, "verified")],
    }
    course = store.history.course("database-crash", "testbed")
    assert [(point.run, point.objective.lower) for point in course["downtime"]] == [(found.run, 1.5)]
    assert "latency p99" not in course


def test_lists_know_who_noticed_and_what_a_run_cost(store: Store) -> None:
    unknown = RunCost("EUR", None, None, None, None, why="refused")
    store.record(told(1, detections=(NOTICED, MISSED), cost=COST), [], NOW)
    store.record(told(2, cost=unknown), [], NOW)
    store.record(told(3), [], NOW)
    none, priced, both = store.history.runs()
    assert (both.detections, both.cost) == ((NOTICED, MISSED), COST)
    assert (priced.detections, priced.cost) == ((), replace(unknown, why=""))
    assert (none.detections, none.cost) == ((), None)


def test_what_stands_beside_promises_is_told_run_after_run(store: Store) -> None:
    for number in (2, 1):
        store.record(told(number, detections=(NOTICED,), cost=COST), [], NOW)
    store.record(told(3), [], NOW)
    store.record(told(4, interrupted=True, cost=COST), [], NOW)
    found = store.history.unpromised("database-crash", "testbed")
    assert [each.run[-1] for each in found] == ["1", "2", "3"]
    assert (found[0].detections, found[0].cost) == ((NOTICED,), COST)
    assert (found[2].detections, found[2].cost) == ((), None)
    earlier = store.history.unpromised("database-crash", "testbed", before=found[2].started_at, limit=1)
    assert [each.run[-1] for each in earlier] == ["2"]


def test_where_evidence_is_can_be_added_once_and_is_not_written_over(store: Store) -> None:
    store.record(told(1), [], NOW)
    assert not store.record(told(1), [], NOW, HERE)
    altered = replace(HERE, directory="/elsewhere", verdict_sha256="0" * 64)
    assert not store.record(told(1), [], NOW, altered)
    (found,) = store.history.runs()
    assert found.origin.directory == "/srv/runs/a"
    store.history.evidence_deleted(found.run, found.target, NOW)
    store.record(told(1), [], NOW, replace(HERE, directory="/restored"))
    (found,) = store.history.runs()
    assert (found.origin.directory, found.evidence_deleted_at) == ("/restored", None)
    assert store.history.files(found.run, found.target) == HERE.files


def test_a_record_outlives_its_evidence_and_says_so(store: Store) -> None:
    store.record(told(1), [], NOW, HERE)
    store.history.exported("database-crash-0001", "testbed", "s3://archive")
    store.history.evidence_deleted("database-crash-0001", "testbed", NOW)
    (found,) = store.history.runs()
    assert (found.exported_to, found.evidence_deleted_at) == ("s3://archive", NOW)
    whole = store.history.latest()
    assert whole is not None
    assert whole.evidence_deleted_at == NOW
