"""The faults of a database, on a real PostgreSQL (and a double of Patroni's REST API)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.postgres import PASSWORD, Database, PatroniDouble, patroni, postgres
from tests.support.victims import LOOPBACK, Service
from tests.support.waiting import wait_until

from seatrial.drivers.libpq import held_by
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.processes import is_running, send, tagged
from seatrial.undo import registry


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        yield database


@pytest.fixture
def database(server: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Role:
    monkeypatch.setenv("DATABASE_PASSWORD", PASSWORD)
    url = f"postgresql://admin:${{DATABASE_PASSWORD}}@127.0.0.1:{server.port}/postgres"
    return Role("database", "postgres", {"url": url}, LOOPBACK, str(tmp_path))


@pytest.fixture
def primary(server: Database, tmp_path: Path) -> Iterator[Role]:
    """A cluster whose leader is the server, and whose Patroni is a process of no consequence."""
    patroni_of = Service(tmp_path / "service")
    with patroni(db_1="leader", db_2="sync_standby") as url:
        member = {
            "postmaster": str(server.data / "postmaster.pid"),
            "pidfile": str(tmp_path / "service/service.pid"),
            "start": patroni_of.start,
        }
        parameters = {"url": url, "members": {"db-1": member}}
        yield Role("database.primary", "patroni", parameters, LOOPBACK, str(tmp_path / "service"))
    patroni_of.close()


def test_every_connection_is_taken_and_given_back(server: Database, database: Role) -> None:
    fault: Any = registry.build("database.connections", {})
    undo = fault.prepare(database)
    assert PASSWORD not in undo.to_json()
    assert undo.touches == "all of 12 connections of database"
    fault.inject(undo)
    with pytest.raises(psycopg.OperationalError, match="too many clients"):
        server.connect()
    with pytest.raises(Unavailable, match="too many clients"):
        fault.healthy(database)
    assert not fault.gone(undo)
    for _ in range(2):
        fault.undo(undo)
    wait_until(server.serves)
    assert fault.healthy(database)
    assert fault.gone(undo)


def test_some_connections_are_taken(server: Database, database: Role) -> None:
    fault: Any = registry.build("database.connections", {"count": 3})
    undo = fault.prepare(database)
    fault.inject(undo)
    with server.connect() as connection:
        held = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'seatrial holding%'"
        ).fetchone()
    assert held == (3,)
    assert held_by(undo.role, undo.token) == 3
    assert not fault.gone(undo)
    (companion,) = tagged(undo.token)
    assert PASSWORD not in Path(f"/proc/{companion.pid}/cmdline").read_text()
    fault.undo(undo)
    wait_until(lambda: fault.gone(undo))


def test_a_lock_is_held_until_it_is_undone(server: Database, database: Role) -> None:
    with server.connect() as connection:
        connection.execute('CREATE TABLE IF NOT EXISTS "Orders" (id int)')
        connection.execute("SET lock_timeout = '50ms'")
        fault: Any = registry.build("database.lock", {"table": "public.Orders"})
        undo = fault.prepare(database)
        fault.inject(undo)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute('SELECT * FROM "Orders"')
        assert fault.healthy(database), "the server is well, and the table locked all the same"
        assert not fault.gone(undo)
        fault.undo(undo)
        wait_until(lambda: fault.gone(undo))
        connection.execute("SET lock_timeout = '5s'")
        connection.execute('SELECT * FROM "Orders"')


def test_a_lock_that_cannot_be_had_is_told(server: Database, database: Role) -> None:
    fault = registry.build("database.lock", {"table": "busy", "within": "100ms"})
    with server.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS busy (id int)")
        undo = fault.prepare(database)
        with connection.transaction():
            connection.execute("LOCK TABLE busy")
            with pytest.raises(Unavailable, match="lock timeout"):
                fault.inject(undo)
    fault.undo(undo)
    with pytest.raises(BadInput, match=r"with\.table: database has no table nowhere"):
        registry.build("database.lock", {"table": "nowhere"}).prepare(database)


def test_a_server_that_is_not_there_is_told_without_its_password(database: Role) -> None:
    url = "postgresql://admin:${DATABASE_PASSWORD}@127.0.0.1:1/postgres"
    nowhere = Role("database", "postgres", {"url": url}, LOOPBACK, database.directory)
    with pytest.raises(Unavailable) as caught:
        registry.build("database.connections", {}).prepare(nowhere)
    assert PASSWORD not in str(caught.value)


def test_the_primary_is_crashed(server: Database, primary: Role) -> None:
    fault: Any = registry.build("database.crash", {})
    undo = fault.prepare(primary)
    assert undo.touches.startswith("the postmaster of db-1, pid ")
    assert not fault.effective(undo)
    fault.inject(undo)
    assert fault.effective(undo)
    assert not server.serves()
    fault.undo(undo)
    assert fault.healthy(primary)
    assert fault.gone(undo)
    PatroniDouble.members[0] |= {"state": "stopped", "role": "replica"}
    PatroniDouble.members[1] |= {"state": "running", "role": "leader"}
    assert fault.healthy(primary), "another leads now"
    assert not fault.gone(undo), "and the one that crashed is still away"
    PatroniDouble.members[1] |= {"state": "streaming", "role": "sync_standby"}
    PatroniDouble.members[0] |= {"state": "stopped", "role": "leader"}
    PatroniDouble.config["pause"] = True
    with pytest.raises(Unavailable, match=r"no running leader .* is leader, stopped.*Patroni is paused"):
        fault.healthy(primary)
    with pytest.raises(Unavailable, match="no running leader"):
        fault.prepare(primary)
    server.stop()
    server.start()


def test_the_node_of_the_primary_is_lost(server: Database, primary: Role, tmp_path: Path) -> None:
    fault: Any = registry.build("database.lose_node", {})
    undo = fault.prepare(primary)
    with server.connect():
        assert len(undo.state["processes"]) >= 3  # Patroni, the postmaster and its background processes
    assert not fault.effective(undo)
    fault.inject(undo)
    assert fault.effective(undo)
    assert not server.serves()
    assert not fault.gone(undo)
    pidfile = tmp_path / "service/service.pid"
    dead = pidfile.read_text()
    for _ in range(2):
        fault.undo(undo)
        wait_until(lambda: pidfile.read_text() != dead, what="Patroni has been started again")
    assert (tmp_path / "service/starts").read_text().count("started") == 2
    assert fault.healthy(primary)
    wait_until(lambda: fault.gone(undo))
    lost = PatroniDouble.members.pop(0)
    PatroniDouble.members[0] |= {"role": "leader"}
    assert fault.healthy(primary), "another leads now"
    assert not fault.gone(undo), "and the cluster has forgotten the one that was lost"
    PatroniDouble.members.insert(0, lost)
    server.stop()
    server.start()


def test_a_pause_reaches_the_backends(server: Database, primary: Role) -> None:
    """They have sessions of their own: a signal to the group of the postmaster would miss them."""
    pause: Any = registry.build("process.pause", {})
    with server.connect() as connection:
        backend = connection.info.backend_pid
        undo = pause.prepare(primary)
        assert backend in {process["pid"] for process in undo.state["processes"]}
        pause.inject(undo)
        assert not pause.healthy(primary)
        pause.undo(undo)
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_leader_that_the_target_does_not_know(server: Database, primary: Role) -> None:
    role = Role("database.primary", "patroni", {"url": primary.parameters["url"]}, LOOPBACK, "/")
    with pytest.raises(BadInput, match=r"members: db-1 leads the cluster and is not there"):
        registry.build("database.crash", {}).prepare(role)
    nowhere = Role("database.primary", "patroni", {"url": "http://127.0.0.1:1"}, LOOPBACK, "/")
    with pytest.raises(Unavailable, match="no member of the Patroni cluster answers"):
        registry.build("database.crash", {}).prepare(nowhere)


def test_the_companion_is_only_ours_to_end(server: Database, database: Role) -> None:
    fault = registry.build("database.connections", {"count": 1})
    ours, theirs = fault.prepare(database), fault.prepare(database)
    fault.inject(ours)
    fault.inject(theirs)
    (stays,) = tagged(theirs.token)
    fault.undo(ours)
    assert is_running(stays)
    fault.undo(theirs)
    assert not send(stays, signal.SIGKILL)
