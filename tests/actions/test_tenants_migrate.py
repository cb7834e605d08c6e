"""tenants.migrate by dbmate and by programs, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.tenants import NEWEST, STOREFRONT, Shop
from tests.support.waiting import wait_until

from seatrial.actions.tenants_interrupt import TenantsInterrupt
from seatrial.actions.tenants_migrate import TenantsMigrate
from seatrial.drivers.migration_record import read_record, record_path, results
from seatrial.model.problems import BadInput, Unavailable
from seatrial.processes import tagged
from seatrial.undo.protocol import Undo

NewShop = Callable[[int], Shop]
ONLY_GLOBEX = "SELECT tenant, schema FROM control.tenants WHERE tenant = 'globex'"
UNTIL_SOMEBODY_WAITS = """
DO $$ BEGIN
    FOR i IN 1..1000 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE waitstart < clock_timestamp() - interval '300 ms');
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
"""


def dbmate(migrations: Path | str = STOREFRONT, **more: Any) -> TenantsMigrate:
    given = {"tool": "dbmate", "migrations": str(migrations), "within": "30s", **more}
    return TenantsMigrate.model_validate(given)


def written(directory: Path, up: str, down: str = "SELECT 1;") -> Path:
    """A directory with one migration."""
    directory.mkdir()
    (directory / "20260301000000_it.sql").write_text(f"-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n")
    return directory


def test_every_tenant_comes_to_the_newest_version_and_goes_back(shop: NewShop) -> None:
    ours = shop(6)
    action, role = dbmate(undo="down"), ours.role()
    undo = Undo.from_json(action.prepare(role).to_json())
    assert undo.touches == "tenants: 6 tenants, 4 at a time: 6 at no version"
    assert "rollback" in undo.by_hand
    action.inject(undo)
    assert set(ours.versions().values()) == {("20260101000000", NEWEST)}
    assert all(ours.whole().values())
    became = results(read_record(record_path(role)))
    assert sorted(line["order"] for line in became.values()) == [1, 2, 3, 4, 5, 6]
    assert {(line["before"], line["after"], line["result"]) for line in became.values()} == {
        ("", NEWEST, "done")
    }
    assert all(line["started_at"] <= line["ended_at"] for line in became.values())
    assert action.gone(undo) is False
    action.undo(undo)
    action.undo(undo)
    assert set(ours.versions().values()) == {()}
    assert all(ours.whole().values())
    assert action.gone(undo) is True


def test_one_that_fails_is_named_keeps_no_other_and_is_all_that_is_left(
    shop: NewShop, tmp_path: Path
) -> None:
    ours = shop(8)
    up = (
        "DO $$ BEGIN IF current_schema() = 'tenant007' THEN RAISE 'no room in tenant007'; END IF; END $$;\n"
        "CREATE TABLE extra (id int);"
    )
    action, role = dbmate(written(tmp_path / "m", up)), ours.role()
    undo = action.prepare(role)
    with pytest.raises(
        Unavailable, match=r"1 of 8 tenants are not migrated: tenant007: .*no room in tenant007"
    ):
        action.inject(undo)
    done = {tenant for tenant, versions in ours.versions().items() if versions}
    assert done == set(ours.tenants) - {"tenant007"}
    (tmp_path / "m/20260301000000_it.sql").write_text(
        "-- migrate:up\nCREATE TABLE extra (id int);\n\n-- migrate:down\n"
    )
    action.inject(action.prepare(role))
    assert all(ours.versions().values())
    begun = [line for line in read_record(record_path(role)) if line["event"] == "begun"]
    assert [len(line["left"]) for line in begun] == [8, 1]


def test_what_is_killed_in_the_middle_is_gone_on_with(shop: NewShop, tmp_path: Path) -> None:
    ours = shop(8)
    slow = written(tmp_path / "m", "CREATE TABLE extra (id int); SELECT pg_sleep(0.4);")
    action, role = dbmate(slow, parallel=2, wait=False), ours.role()
    first = action.prepare(role)
    action.inject(first)

    def some_are_done() -> bool:
        return any("result" in line for line in results(read_record(record_path(role))).values())

    wait_until(some_are_done, 20.0, "the first tenants are done")
    killer = TenantsInterrupt()
    killer.inject(killer.prepare(role))
    assert not tagged(first.token)
    done = {tenant for tenant, versions in ours.versions().items() if versions}
    assert 0 < len(done) < 8
    again = dbmate(slow, parallel=4)
    again.inject(again.prepare(role))
    assert all(ours.versions().values())
    begun = [line for line in read_record(record_path(role)) if line["event"] == "begun"]
    assert len(begun) == 2
    assert not set(begun[1]["left"]) & done
    with pytest.raises(Unavailable, match="no migration is under way"):
        killer.inject(killer.prepare(role))


def test_who_waits_for_a_lock_is_on_record_with_table_mode_tenant_and_blocker(
    shop: NewShop, tmp_path: Path
) -> None:
    ours = shop(4)
    up = f"ALTER TABLE orders ADD COLUMN slow int; {UNTIL_SOMEBODY_WAITS}"
    action = dbmate(written(tmp_path / "m", up), discover=ONLY_GLOBEX, wait=False)
    role = ours.role()
    undo = action.prepare(role)
    action.inject(undo)
    with ours.connect() as connection:
        wait_until(
            lambda: (
                connection.execute(
                    "SELECT FROM pg_locks WHERE relation = 'globex.orders'::regclass AND mode = 'AccessExclusiveLock'"
                    " AND granted"
                ).fetchone()
                is not None
            ),
            20.0,
            "globex is locked",
        )
        connection.execute("SELECT count(*) FROM globex.orders")
    wait_until(
        lambda: read_record(record_path(role))[-1]["event"] == "finished", 20.0, "the migration has finished"
    )
    (wait,) = [line for line in read_record(record_path(role)) if line["event"] == "waited"]
    assert (wait["tenant"], wait["table"], wait["mode"]) == ("globex", "globex.orders", "AccessShareLock")
    assert wait["blocker"]["holds"] == "AccessExclusiveLock"
    assert wait["blocker"]["application"].startswith("seatrial migrates")
    assert "ADD COLUMN slow" in wait["blocker"]["statement"]
    assert 0 < wait["lower_s"] <= wait["upper_s"]
    action.undo(undo)


def test_a_program_of_ones_own_gets_its_tenant_and_goes_on_with_who_is_left(
    shop: NewShop, tmp_path: Path
) -> None:
    ours = shop(5)
    script = 'test {schema} != umbrella -o -e mended && echo $TENANT >>done && test -n "$DATABASE_URL"'
    action = TenantsMigrate.model_validate(
        {"run": ["sh", "-c", script], "undo": ["sh", "-c", "echo {schema} >>back"]}
    )
    role = ours.role()
    undo = action.prepare(role)
    with pytest.raises(Unavailable, match="1 of 5 tenants are not migrated: umbrella"):
        action.inject(undo)
    (tmp_path / "mended").touch()
    action.inject(action.prepare(role))
    assert sorted((tmp_path / "done").read_text().split()) == sorted(ours.tenants)
    action.undo(undo)
    assert sorted((tmp_path / "back").read_text().split()) == sorted(ours.tenants)


def test_what_a_program_of_ones_own_has_changed_is_on_record(shop: NewShop) -> None:
    ours = shop(2)
    script = 'test {schema} = globex || psql -qc "CREATE TABLE extra (id int)"'
    action, role = TenantsMigrate.model_validate({"run": ["sh", "-c", script]}), ours.role()
    action.inject(action.prepare(role))
    became = results(read_record(record_path(role)))
    assert {line["result"] for line in became.values()} == {"done"}
    assert {name: line["changed"] for name, line in became.items()} == {
        name: name != "globex" for name in ours.tenants
    }


def test_a_conductor_that_dies_begins_no_further_tenant(shop: NewShop, tmp_path: Path) -> None:
    ours = shop(8)
    slow = written(tmp_path / "m", "CREATE TABLE extra (id int); SELECT pg_sleep(0.5);")
    action, role = dbmate(slow, parallel=1, wait=False), ours.role()
    undo = action.prepare(role)
    conductor = os.fork()
    if conductor == 0:
        try:
            action.inject(undo)
            signal.pause()
        finally:
            os._exit(1)
    wait_until(lambda: bool(results(read_record(record_path(role)))), 20.0, "the first tenant is begun")
    os.kill(conductor, signal.SIGKILL)
    os.waitpid(conductor, 0)
    wait_until(lambda: not tagged(undo.token), 20.0, "the companion has ended")
    assert read_record(record_path(role))[-1]["event"] == "finished"
    assert len(results(read_record(record_path(role)))) < 8
    assert all(len(versions) <= 1 for versions in ours.versions().values())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "either by a tool or by a program"),
        ({"tool": "dbmate"}, "is missing, and dbmate needs it"),
        ({"run": ["x"], "undo": "down"}, "nobody knows how"),
        ({"tool": "dbmate", "migrations": "m", "undo": ["./back.sh"]}, "undo: down"),
        ({"tool": "dbmate", "migrations": "m", "parallel": 0}, "parallel"),
    ],
)
def test_a_migration_is_said_in_one_way(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TenantsMigrate.model_validate(given)


def test_what_is_not_there_is_told_before_anything_is_started(shop: NewShop) -> None:
    role = shop(4).role()
    with pytest.raises(BadInput, match="there is no directory nowhere"):
        dbmate("nowhere").fit(role)
    with pytest.raises(BadInput, match="flyway has no command that goes back"):
        TenantsMigrate.model_validate({"tool": "flyway", "migrations": str(STOREFRONT), "undo": "down"}).fit(
            role
        )
    dbmate().fit(role)
