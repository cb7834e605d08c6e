"""Databases of older schemas: brought up to date in place, with all that is in them, once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.support.postgres_server import postgres
from tests.support.results import result

from seatrial.model.problems import BadInput
from seatrial.model.result import plain
from seatrial.model.verdict import Verdict
from seatrial.store import OccurrenceState, RunQuery, Store
from seatrial.store.schema import REVISION, SCHEMA_VERSION, metadata, schema_version

DATA = Path(__file__).parent / "data"
RUNS = 12


def ddl_of_schema_1(kind: str) -> list[str]:
    """The statements by which the first schema in use was made, as they were sent to each database."""
    return [each for each in (DATA / f"schema-1.{kind}.sql").read_text().split(";\n") if each.strip()]


def fill(engine: sa.Engine) -> None:
    """A database of schema 1: runs, one of them as a still older version wrote it, a message, occurrences."""
    with engine.begin() as connection:
        for statement in ddl_of_schema_1(engine.dialect.name):
            connection.exec_driver_sql(statement)
        connection.execute(sa.text("INSERT INTO seatrial_schema (version) VALUES (1)"))
        at = sa.text(
            "INSERT INTO runs (run, target, experiment, verdict, interrupted, started_at, recorded_at, result)"
            " VALUES (:run, :target, :experiment, :verdict, :interrupted, :started, :started, :result)"
        ).bindparams(sa.bindparam("started", type_=metadata.tables["runs"].c.started_at.type))
        for number in range(RUNS):
            one = result(Verdict.FAIL if number % 3 else Verdict.PASS, number)
            told = plain(one)
            if not number:
                del told["covers"], told["failovers"], told["load"], told["scenario"]
            row = {"run": one.run, "target": one.target, "experiment": one.experiment,
                   "verdict": one.verdict.value, "interrupted": False,
                   "started": datetime.fromisoformat(one.started_at), "result": json.dumps(told)}  # fmt: skip
            connection.execute(at, row)
        now = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
        happened = {"schedule": "monthly", "planned_at": now, "target": "testbed", "state": "run", "due_at": now,
                    "claim": "t", "daemon": "d", "beat": 3, "claimed_at": now, "run": "r", "verdict": "pass",
                    "detail": ""}  # fmt: skip
        waits = {"id": "m1", "sink": "s", "kind": "k", "dedup_key": "d", "order_key": "o", "body": "{}",
                 "created_at": now, "state": "pending", "attempts": 0, "next_attempt_at": now,
                 "last_error": ""}  # fmt: skip
        connection.execute(sa.insert(metadata.tables["occurrences"]).values(happened))
        connection.execute(sa.insert(metadata.tables["outbox"]).values(waits))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL."""
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of schema 1."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/seatrial.sqlite" if sqlite else request.getfixturevalue("server")
    engine = sa.create_engine(url)
    fill(engine)
    yield url
    with engine.begin() as connection:
        metadata.drop_all(connection)
    engine.dispose()


def test_a_database_in_use_becomes_one_of_today_with_all_that_is_in_it(old: str) -> None:
    with Store(old) as store:
        assert store.history.count() == RUNS
        newest = store.history.runs(limit=RUNS)
        assert [run.run for run in newest] == [f"database-crash-{n:04d}" for n in reversed(range(RUNS))]
        assert [(one.lower, one.upper) for one in newest[0].objectives] == [(7.2, 7.6)]
        assert store.history.count(RunQuery(verdict=Verdict.PASS)) == RUNS / 3
        kept = store.history.find("database-crash-0003")
        assert kept is not None
        assert kept.result == plain(result(Verdict.PASS, 3))
        assert [each.message.id for each in store.outbox.messages()] == ["m1"]
        assert store.occurrences.counts() == {("monthly", OccurrenceState.RUN): 1}
        with store.database.reading() as connection:
            injected = connection.execute(sa.text("SELECT fault, undo, injected_s FROM run_faults")).all()
            assert injected == [("process.kill", "verified", 10.1)] * RUNS
            assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == REVISION
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert store.record(result(number=99), [], datetime.now(UTC))


def test_what_is_searched_is_taken_out_anew_when_how_that_is_done_has_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/seatrial.sqlite"
    with Store(url) as store:
        store.record(result(), [], datetime.now(UTC))
        with store.database.writing() as connection:
            connection.execute(sa.text("UPDATE runs SET indexed = -1, title = 'of another time'"))
            connection.execute(sa.text("UPDATE run_objectives SET name = 'of another time'"))
    with Store(url) as store:
        (found,) = store.history.runs()
        assert not store.runs.needs_index()
    assert (found.title, [one.name for one in found.objectives]) == ("", ["downtime after crash"])


def test_a_database_in_use_is_brought_up_to_date_once_by_however_many(old: str) -> None:
    program = "import sys; from seatrial.store import Store; print(Store(sys.argv[1]).history.count())"
    started = [
        subprocess.Popen([sys.executable, "-c", program, old], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [each.communicate(timeout=60)[0].strip() for each in started] == [str(RUNS)] * 2
    with Store(old) as store, store.database.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM run_objectives")) == RUNS
        assert connection.scalars(sa.text("SELECT version FROM seatrial_schema ORDER BY 1")).all() == [
            *range(1, SCHEMA_VERSION + 1)
        ]


def test_a_step_that_fails_leaves_the_database_as_it_was(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sa.Connection) -> None:
        upgrade(connection)
        raise RuntimeError("the power was cut")

    from seatrial.store.migrations import upgrade

    monkeypatch.setattr("seatrial.store.migrations.upgrade", broken)
    with pytest.raises(RuntimeError, match="power"):
        Store(old)
    monkeypatch.undo()
    engine = sa.create_engine(old)
    assert not sa.inspect(engine).has_table("run_objectives")
    engine.dispose()
    with Store(old) as store:
        assert store.history.count() == RUNS


def test_what_an_older_program_records_meanwhile_is_searched_as_well(tmp_path: Path) -> None:
    """A daemon that was not restarted writes the columns that it knows."""
    url = f"sqlite:///{tmp_path}/seatrial.sqlite"
    with Store(url) as store, store.database.writing() as connection:
        runs, told = metadata.tables["runs"], result()
        columns = ("run", "target", "experiment", "verdict", "interrupted")
        now = datetime.now(UTC)
        connection.execute(
            sa.insert(runs).values(
                **{name: getattr(told, name) for name in columns},
                started_at=now,
                recorded_at=now,
                result=json.dumps(plain(told)),
            )
        )
    with Store(url) as store:
        (found,) = store.history.runs()
    assert [one.name for one in found.objectives] == ["downtime after crash"]


def test_a_newer_database_is_refused_in_a_line_and_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/seatrial.sqlite"
    with Store(url) as store, store.database.writing() as connection:
        connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION + 1))
    with pytest.raises(BadInput, match="newer seatrial") as refused:
        Store(url)
    assert "\n" not in str(refused.value)


def test_new_databases_that_are_opened_at_once_are_made_once(tmp_path: Path) -> None:
    url, opened = f"sqlite:///{tmp_path}/seatrial.sqlite", []

    def open_one() -> None:
        with Store(url) as store:
            opened.append(store.history.count())

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert opened == [0] * 4
    assert "alembic" not in _loaded(url)


def _loaded(url: str) -> str:
    program = "import sys; from seatrial.store import Store; Store(sys.argv[1]); print(*sys.modules)"
    return subprocess.run(
        [sys.executable, "-c", program, url], check=True, capture_output=True, text=True, timeout=60
    ).stdout
