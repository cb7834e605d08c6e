"""What a migration tool is run with; and Alembic and Flyway, run for each tenant of a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.support.tenants import Shop

from seatrial.actions.migration_tool import Migration
from seatrial.actions.tenants_migrate import TenantsMigrate
from seatrial.drivers.migration_record import read_record, record_path, results
from seatrial.drivers.tenant_database import Tenant
from seatrial.model.problems import Unavailable

NewShop = Callable[[int], Shop]

ADDED, DROPPED = "ALTER TABLE notes ADD COLUMN body text", "ALTER TABLE notes DROP COLUMN body"
REFUSED = "DO $$ BEGIN IF current_schema() = 'globex' THEN RAISE 'globex has no room'; END IF; END $$"
ENVIRONMENT = """\
from alembic import context
from sqlalchemy import create_engine, pool

schema = context.get_x_argument(as_dictionary=True)["schema"]
with create_engine("postgresql+psycopg://", poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
"""
VERSION = """\
from alembic import op

revision, down_revision = "{revision}", {before!r}

def upgrade():
    op.execute({up!r})

def downgrade():
    op.execute({down!r})
"""


def alembic(directory: Path, **more: Any) -> TenantsMigrate:
    """The action, with a directory of its own that has one version."""
    (directory / "versions").mkdir(parents=True)
    (directory / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    (directory / "env.py").write_text(ENVIRONMENT)
    version(directory, "a1", None, "CREATE TABLE notes (id int)", "DROP TABLE notes")
    given = {"tool": "alembic", "migrations": str(directory), "within": "50s", **more}
    return TenantsMigrate.model_validate(given)


def version(directory: Path, revision: str, before: str | None, up: str, down: str) -> None:
    text = VERSION.format(revision=revision, before=before, up=up, down=down)
    (directory / f"versions/{revision}.py").write_text(text)


def test_alembic_migrates_a_tenant_in_its_schema(shop: NewShop, tmp_path: Path) -> None:
    ours = shop(1)
    action, role = alembic(tmp_path / "alembic"), ours.role()
    action.inject(action.prepare(role))
    assert columns(ours, "notes") == {name: ["id"] for name in ours.tenants}
    (ended,) = results(read_record(record_path(role))).values()
    assert ended["after"] == "a1"


@pytest.mark.long
def test_alembic_migrates_each_tenant_one_that_fails_alone_goes_on_with_who_is_left_and_back(
    shop: NewShop, tmp_path: Path
) -> None:
    ours, room = shop(4), tmp_path / "alembic"
    action, role = alembic(room, undo="down"), ours.role()
    version(room, "b2", "a1", f"{REFUSED}; {ADDED}", DROPPED)
    undo = action.prepare(role)
    with pytest.raises(Unavailable, match=r"1 of 4 tenants are not migrated: globex: .*globex has no room"):
        action.inject(undo)
    assert columns(ours, "notes") == {name: ["body", "id"] for name in ours.tenants if name != "globex"}
    version(room, "b2", "a1", ADDED, DROPPED)
    action.inject(action.prepare(role))
    lines = read_record(record_path(role))
    assert [line["left"] for line in lines if line["event"] == "begun"] == [list(ours.tenants), ["globex"]]
    assert {line["after"] for line in results(lines).values()} == {"b2"}
    assert columns(ours, "notes") == {name: ["body", "id"] for name in ours.tenants}
    action.undo(undo)
    assert action.gone(undo) is True
    assert columns(ours, "notes") == {}


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("flyway"), reason="no flyway is installed, and no package index has it")
def test_flyway_migrates_each_tenant_one_that_fails_alone_and_goes_on_with_who_is_left(
    shop: NewShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWAY_BASELINE_ON_MIGRATE", "true")  # the schemas have tables, and no history
    monkeypatch.setenv("FLYWAY_BASELINE_VERSION", "0")
    ours, room = shop(4), tmp_path / "flyway"
    room.mkdir()
    (room / "V1__notes.sql").write_text("CREATE TABLE notes (id int);")
    (room / "V2__body.sql").write_text(f"{REFUSED};\n{ADDED};")
    given = {"tool": "flyway", "migrations": str(room), "within": "50s"}
    action, role = TenantsMigrate.model_validate(given), ours.role()
    with pytest.raises(Unavailable, match=r"1 of 4 tenants are not migrated: globex: .*globex has no room"):
        action.inject(action.prepare(role))
    (room / "V2__body.sql").write_text(f"{ADDED};")
    action.inject(action.prepare(role))
    lines = read_record(record_path(role))
    assert [line["left"] for line in lines if line["event"] == "begun"] == [list(ours.tenants), ["globex"]]
    assert {line["after"] for line in results(lines).values()} == {"2"}
    assert columns(ours, "notes") == {name: ["body", "id"] for name in ours.tenants}


def columns(ours: Shop, table: str) -> dict[str, list[str]]:
    """Of each tenant that has the table."""
    with ours.connect() as connection:
        rows = connection.execute(
            "SELECT table_schema, array_agg(column_name::text ORDER BY column_name)"
            " FROM information_schema.columns WHERE table_name = %s GROUP BY 1",
            [table],
        ).fetchall()
    return dict(rows)


def test_libpq_is_in_the_schema_of_the_tenant_whatever_its_name(
    shop: NewShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = Migration(shop(4).role(), None, "", ("true",), ())
    for schema in ("acme", "Acme-2", 'the "best" one', "back\\slash"):
        for name, value in migration._variables(Tenant("it", schema), "token").items():
            monkeypatch.setenv(name, value)
        with psycopg.connect("") as connection:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            found = connection.execute(
                "SELECT current_schema(), current_setting('application_name')"
            ).fetchone()
        assert found == (schema, "seatrial migrates token")
