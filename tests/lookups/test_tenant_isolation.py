"""Attempts to get at another tenant's data, on a real PostgreSQL and through a service that may leak."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from psycopg import sql
from tests.support.tenants import LOGIN, Shop

from seatrial.lookups.recorder import RunFacts
from seatrial.lookups.tenant_isolation import TenantIsolation
from seatrial.model.role import Role

NewShop = Callable[[int], Shop]


def attempts(role: Role) -> list[dict[str, Any]]:
    recorded = json.loads(TenantIsolation().record(role, RunFacts((), Path())))
    return list(recorded["attempts"])


def by_sql(ours: Shop) -> Role:
    return ours.role(login=f"postgresql://{{tenant}}:{LOGIN}@{ours.place}", column="tenant")


def with_orders(ours: Shop) -> Shop:
    """Each tenant has one order, whose key is the tenant's name."""
    with ours.connect() as connection:
        for tenant in ours.tenants:
            connection.execute(
                sql.SQL("INSERT INTO {} (tenant, key, sku, quantity) VALUES ({}, {}, 'sku-001', 1)").format(
                    sql.Identifier(tenant, "orders"), tenant, tenant
                )
            )
    return ours


def test_nobody_gets_at_anything_and_nothing_is_left_of_the_attempts(shop: NewShop) -> None:
    ours = with_orders(shop(4))
    found = attempts(by_sql(ours))
    assert Counter(each["outcome"] for each in found) == {"refused": len(found)}
    # each of 4 tenants with 2 others: 4 statements on each of 2 tables, a forged row in each of its own
    kinds = Counter(each["kind"] for each in found)
    assert kinds == {"bypass": 4, "read": 16, "insert": 16, "update": 16, "delete": 16, "forge": 16}
    with ours.connect() as connection:
        assert connection.execute("SELECT count(*) FROM acme.orders").fetchone() == (1,)


def test_one_wrong_grant_behind_which_row_level_security_is_off_leaks(shop: NewShop) -> None:
    ours = with_orders(shop(4))
    with ours.connect() as connection:
        connection.execute("GRANT USAGE ON SCHEMA globex TO acme; GRANT ALL ON globex.orders TO acme")
        held = [each for each in attempts(by_sql(ours)) if (each["by"], each["of"]) == ("acme", "globex")]
        fenced = {each["kind"]: each["outcome"] for each in held if each["what"] == "globex.orders"}
        assert fenced == {"insert": "leaked", "read": "hidden", "update": "hidden", "delete": "hidden"}
        connection.execute("ALTER TABLE globex.orders DISABLE ROW LEVEL SECURITY")
        leaks = [each for each in attempts(by_sql(ours)) if each["outcome"] == "leaked"]
    assert {(each["by"], each["of"], each["kind"]) for each in leaks} == {
        *(("acme", "globex", kind) for kind in ("read", "insert", "update", "delete")),
        ("globex", "initech", "forge"),  # nothing says any more whose rows stand in the table
        ("globex", "umbrella", "forge"),
    }


def test_a_login_that_fails_decides_nothing(shop: NewShop) -> None:
    ours = shop(4)
    role = ours.role(login=f"postgresql://{{tenant}}:wrong@{ours.place}")
    assert {each["outcome"] for each in attempts(role)} == {"undecided"}


@contextmanager
def service(ours: Shop, leak: str = "") -> Iterator[Role]:
    """A shop by HTTP. `leak`: `read` shows any order to anybody, `write` believes the body's tenant."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tenant, key = self.headers["X-Tenant"], self.path.removeprefix("/orders/")
            self._answer(200 if leak == "read" or key == tenant else 404)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            tenant = body["tenant"] if leak == "write" else self.headers["X-Tenant"]
            with ours.connect() as connection:
                connection.execute(
                    sql.SQL(
                        "INSERT INTO {} (tenant, key, sku, quantity) VALUES ({}, {}, 'sku-001', 1)"
                    ).format(sql.Identifier(tenant, "orders"), tenant, self.headers["Idempotency-Key"])
                )
            self._answer(201)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ours.role(
            service={
                "url": f"http://127.0.0.1:{server.server_port}",
                "thing": "SELECT key FROM {schema}.orders ORDER BY id LIMIT 1",
                "read": "/orders/{thing}",
                "write": "/orders",
                "write_headers": {"Idempotency-Key": "{id}"},
                "body": '{"tenant": "{other}"}',
                "landed": "SELECT count(*) FROM {other_schema}.orders WHERE key = '{id}'",
            }
        )
    finally:
        server.shutdown()
        server.server_close()


def outcomes(role: Role) -> dict[str, set[str]]:
    found = attempts(role)
    return {kind: {each["outcome"] for each in found if each["kind"] == kind} for kind in ("read", "write")}


def test_a_service_is_asked_as_one_tenant_for_what_is_anothers(shop: NewShop) -> None:
    ours = with_orders(shop(4))
    with service(ours) as role:
        assert outcomes(role) == {"read": {"refused"}, "write": {"hidden"}}
    with service(ours, "read") as role:
        assert outcomes(role)["read"] == {"leaked"}
    with service(ours, "write") as role:
        assert outcomes(role)["write"] == {"leaked"}


def test_where_there_is_nothing_to_read_nothing_is_shown(shop: NewShop) -> None:
    ours = shop(4)
    with service(ours) as role:
        assert outcomes(role)["read"] == {"undecided"}
