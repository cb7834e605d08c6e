"""A shop of several tenants on a PostgreSQL of our own, as the testbed lays it out, and migrations for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.support.postgres import PASSWORD, Database, postgres

from seatrial.model.role import Role
from seatrial.testbed.app.schema import schema_sql, tenants

DISCOVER = "SELECT tenant, schema FROM control.tenants ORDER BY tenant"
LOGIN = "tenants-know-it"
STOREFRONT = Path(__file__).parents[2] / "chaos/migrations/storefront"
NEWEST = "20260102000000"


class Shop:
    """One database of a server. Each test has its own."""

    def __init__(self, server: Database, name: str, count: int, directory: Path) -> None:
        self.server, self.name, self.tenants = server, name, tenants(count)
        self.directory = directory
        self.place = f"127.0.0.1:{server.port}/{name}"
        self.url = f"postgresql://admin:${{TENANTS_PASSWORD}}@{self.place}"
        with server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with self.connect() as connection:
            for tenant in self.tenants:  # roles are the server's, and stay
                connection.execute(
                    f"DO $$ BEGIN IF to_regrole('{tenant}') IS NULL THEN"
                    f" CREATE ROLE {tenant} LOGIN PASSWORD '{LOGIN}'; END IF; END $$".encode()
                )
            script = schema_sql(LOGIN, self.tenants)
            for line in script.replace("BEGIN;\n", "", 1).replace("COMMIT;", "").split(";"):
                statement = line.strip().removeprefix("\\connect shop\n")
                if statement and not statement.startswith(("CREATE ROLE", "CREATE DATABASE")):
                    connection.execute(statement.encode())

    def connect(self) -> psycopg.Connection:
        """As its owner."""
        return psycopg.connect(f"postgresql://admin:{PASSWORD}@{self.place}", autocommit=True)

    def role(self, **more: Any) -> Role:
        """Bound to the driver `tenants`."""
        parameters = {"url": self.url, "discover": DISCOVER, **more}
        return Role("tenants", "tenants", parameters, ("127.0.0.1",), str(self.directory))

    def versions(self) -> dict[str, tuple[str, ...]]:
        """What dbmate has noted in each schema, asked for without the product."""
        with self.connect() as connection:
            found: dict[str, tuple[str, ...]] = {}
            for tenant in self.tenants:
                there = connection.execute(
                    "SELECT to_regclass(%s)", [f"{tenant}.schema_migrations"]
                ).fetchone()
                found[tenant] = ()
                if there and there[0]:
                    rows = connection.execute(
                        sql.SQL("SELECT version FROM {} ORDER BY 1").format(
                            sql.Identifier(tenant, "schema_migrations")
                        )
                    )
                    found[tenant] = tuple(row[0] for row in rows)
            return found

    def whole(self) -> dict[str, bool]:
        """Whether each schema is wholly before or wholly behind each of the storefront's migrations."""
        with self.connect() as connection:
            found = {}
            for tenant, versions in self.versions().items():
                note = connection.execute(
                    "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'note'"
                    " AND NOT attisdropped",
                    [f"{tenant}.orders"],
                ).fetchone()
                wishes = connection.execute(
                    "SELECT c.relrowsecurity AND c.relforcerowsecurity AND"
                    " EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AND"
                    " has_table_privilege(%s, c.oid, 'INSERT') FROM pg_class c WHERE c.oid = to_regclass(%s)",
                    [tenant, f"{tenant}.wishes"],
                ).fetchone()
                noted = note is not None and note[0] == 1
                wished = wishes is not None and wishes[0]
                found[tenant] = (noted, wished, wishes is None) == (
                    "20260101000000" in versions,
                    NEWEST in versions,
                    NEWEST not in versions,
                )
            return found


@pytest.fixture(scope="session")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all tests of a worker."""
    with postgres(tmp_path_factory.mktemp("shops")) as server:
        yield server


@pytest.fixture
def shop(shop_server: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Shop]:
    """Opens a shop of so many tenants."""
    monkeypatch.setenv("TENANTS_PASSWORD", PASSWORD)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    return lambda count: Shop(shop_server, f"shop_{uuid.uuid4().hex[:8]}", count, tmp_path)
