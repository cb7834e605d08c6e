"""Try to get at one tenant's data as another, by SQL and through the service, and note how each try ended.

Each tenant tries with two others: those that come after it in the order of the role's query. Whatever is
written by SQL is rolled back. An attempt counts only where it could have succeeded: a read of an empty table
shows nothing, nor does a service that does not answer the owner either. How an attempt ended:

    refused     the database has no permission for it, the service says 4xx
    hidden      it was carried out, and reached none of the rows that are there
    leaked      it reached something of the other's, or was stopped by nothing but a constraint
    undecided   nobody knows: no answer, an error of another kind, nothing there to reach

The form of the recording is told in `seatrial.checks.tenant_isolation`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import psycopg
from psycopg import errors, sql

from seatrial.drivers.httpclient import Answer, HttpClient
from seatrial.drivers.libpq import parameters_of
from seatrial.drivers.tenant_database import Tenant, TenantDatabase
from seatrial.drivers.tenants import TenantsBinding, TenantService, filled
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role

_OTHERS = 2  # with whom each tenant tries
_AT_ONCE = 4
_CONNECT_WITHIN_S = 5

Outcome = Literal["refused", "hidden", "leaked", "undecided"]

_TABLES = """
SELECT n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
       (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '' ORDER BY a.attnum LIMIT 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s) ORDER BY 1, 2
"""
_BYPASSES = b"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a tenant's schema, and its fence."""

    tenant: str
    schema: str
    table: str
    enabled: bool  # row-level security is
    forced: bool  # for the table's owner too
    policies: int
    column: str | None  # one that can be written to
    has_rows: bool

    @property
    def name(self) -> sql.Identifier:
        """As SQL has it."""
        return sql.Identifier(self.schema, self.table)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `by` whom, to get at what `of` whom."""

    via: Literal["sql", "service"]
    kind: str  # read, insert, update, delete, forge, write, bypass
    by: str
    of: str
    what: str
    outcome: Outcome
    said: str = ""


class TenantIsolation(Recorder[bytes]):
    """The fences of all tables, and all attempts, as JSON."""

    name: ClassVar[str] = "tenant-isolation"
    drivers: ClassVar[tuple[str, ...]] = (TenantsBinding.driver,)
    kept_as: ClassVar[str] = "recorded-isolation"

    def record(self, role: Role, run: RunFacts) -> bytes:  # noqa: ARG002  # it tries with what is there
        self.fit(role)
        bound = role.bound_to(TenantsBinding)
        with TenantDatabase(role, "isolation") as database:
            tenants = database.discovered()
            tables = _tables(database.connection, tenants)
            attempts = [
                *(_by_sql(role, bound, tenants, tables) if bound.login else ()),
                *(_by_service(role, bound.service, tenants, database.connection) if bound.service else ()),
            ]
        ways = [way for way, told in (("sql", bound.login), ("service", bound.service)) if told]
        return json.dumps({
            "tenants": [tenant.name for tenant in tenants],
            "tables": [asdict(table) for table in tables],
            "ways": ways,
            "attempts": [asdict(attempt) for attempt in attempts],
        }).encode()  # fmt: skip

    def evidence(self, data: bytes) -> str:
        return data.decode()


def _tables(connection: psycopg.Connection, tenants: Sequence[Tenant]) -> list[Table]:
    """Every table of every tenant's schema. Raises Unavailable."""
    owners = {tenant.schema: tenant.name for tenant in tenants}
    found = []
    try:
        for schema, table, enabled, forced, policies, column in connection.execute(
            _TABLES.encode(), [list(owners)]
        ).fetchall():
            query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(schema, table))
            has_rows = bool((connection.execute(query).fetchone() or (False,))[0])
            found.append(Table(owners[schema], schema, table, enabled, forced, policies, column, has_rows))
    except psycopg.Error as error:
        raise Unavailable(f"the tables of the tenants cannot be looked at: {_line(error)}") from error
    return found


def _others(tenants: Sequence[Tenant], at: int) -> list[Tenant]:
    return [tenants[(at + step) % len(tenants)] for step in range(1, min(_OTHERS, len(tenants) - 1) + 1)]


# by SQL


def _by_sql(
    role: Role, bound: TenantsBinding, tenants: Sequence[Tenant], tables: Sequence[Table]
) -> list[Attempt]:
    by_tenant: dict[str, list[Table]] = {}
    for table in tables:
        by_tenant.setdefault(table.tenant, []).append(table)

    def as_one(at: int) -> list[Attempt]:
        tenant = tenants[at]
        try:
            url = filled(bound.login, tenant=tenant.name, schema=tenant.schema)
            parameters = parameters_of(role.allow_list, role.name, url)
            parameters |= {"connect_timeout": _CONNECT_WITHIN_S, "application_name": "seatrial isolation"}
            with psycopg.connect(**parameters) as connection:
                return list(_as_tenant(connection, bound, tenant, _others(tenants, at), by_tenant))
        except (psycopg.Error, Unavailable) as error:
            return [Attempt("sql", "connect", tenant.name, "", "", "undecided", _line(error))]

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="seatrial-isolation") as pool:
        return [attempt for found in pool.map(as_one, range(len(tenants))) for attempt in found]


def _as_tenant(
    connection: psycopg.Connection,
    bound: TenantsBinding,
    tenant: Tenant,
    others: Sequence[Tenant],
    tables: dict[str, list[Table]],
) -> Iterator[Attempt]:
    bypasses = (connection.execute(_BYPASSES).fetchone() or (True,))[0]
    outcome: Outcome = "leaked" if bypasses else "refused"
    yield Attempt("sql", "bypass", tenant.name, "", "row-level security", outcome)
    for other in others:
        for table in tables.get(other.name, ()):
            for kind, statement in _statements(table):
                outcome, said = _tried(connection, kind, statement)
                yield Attempt(
                    "sql", kind, tenant.name, other.name, f"{table.schema}.{table.table}", outcome, said
                )
        if bound.column:
            for table in tables.get(tenant.name, ()):
                forged = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    table.name, sql.Identifier(bound.column), other.name
                )
                outcome, said = _tried(connection, "insert", forged)
                if said.startswith(("42703", "428C9")):  # it has no such column
                    continue
                yield Attempt(
                    "sql", "forge", tenant.name, other.name, f"{table.schema}.{table.table}", outcome, said
                )


def _statements(table: Table) -> Iterator[tuple[str, sql.Composed]]:
    """What is tried on a table of another's; on an empty one only what does not need rows."""
    yield "insert", sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table.name)
    if table.has_rows:
        yield "read", sql.SQL("SELECT FROM {} LIMIT 1").format(table.name)
        yield "delete", sql.SQL("DELETE FROM {}").format(table.name)
        if table.column is not None:
            column = sql.Identifier(table.column)
            yield "update", sql.SQL("UPDATE {} SET {} = {}").format(table.name, column, column)


def _tried(connection: psycopg.Connection, kind: str, statement: sql.Composed) -> tuple[Outcome, str]:
    """How it ended, and the state that PostgreSQL gave. It is rolled back whatever it did.

    Permissions and policies are looked at before constraints: one that only a constraint has stopped had
    passed the fence.
    """
    try:
        reached = connection.execute(statement).rowcount
    except errors.InsufficientPrivilege as error:
        return "refused", f"{error.sqlstate} {_line(error)}"
    except errors.IntegrityError as error:
        return "leaked", f"{error.sqlstate} {_line(error)}"
    except psycopg.Error as error:
        return "undecided", f"{error.sqlstate} {_line(error)}"
    finally:
        connection.rollback()
    return ("leaked", f"{kind}: {reached} rows") if reached else ("hidden", "")


# through the service


def _by_service(
    role: Role, service: TenantService, tenants: Sequence[Tenant], owner: psycopg.Connection
) -> list[Attempt]:
    things = {tenant.name: _thing(owner, service, tenant) for tenant in tenants}
    within_s = role.bound_to(TenantsBinding).within.seconds
    with HttpClient(role.allow_list, role.name, within_s) as client:
        asked = _Asked(client, service, owner, things)

        def as_one(at: int) -> list[Attempt]:
            return [each for other in _others(tenants, at) for each in asked.attempts(tenants[at], other)]

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="seatrial-isolation") as pool:
            return [attempt for found in pool.map(as_one, range(len(tenants))) for attempt in found]


def _thing(owner: psycopg.Connection, service: TenantService, tenant: Tenant) -> str:
    """Something that is a tenant's own; "" when it has nothing. Raises Unavailable for a wrong query."""
    return _answer_of(owner, filled(service.thing, tenant=tenant.name, schema=tenant.schema))


def _answer_of(owner: psycopg.Connection, query: str) -> str:
    try:
        row = owner.execute(query.encode()).fetchone()
    except psycopg.Error as error:
        raise Unavailable(f"service: the database refuses `{query}`: {_line(error)}") from error
    return "" if row is None or row[0] is None else str(row[0])


@dataclass(frozen=True, slots=True)
class _Asked:
    """The service, asked in the name of tenants."""

    client: HttpClient
    service: TenantService
    owner: psycopg.Connection
    things: dict[str, str]

    def attempts(self, by: Tenant, of: Tenant) -> Iterator[Attempt]:
        """To read what is `of`'s as `by`, and to write what claims to be `of`'s."""
        yield self._read(by, of)
        if self.service.write:
            yield self._write(by, of)

    def _read(self, by: Tenant, of: Tenant) -> Attempt:
        thing, path = self.things[of.name], self.service.read
        if not thing:
            return self._ended("read", by, of, path, "undecided", f"{of.name} has nothing that could be read")
        try:
            own = self._ask("GET", path, of, of, thing=thing)
            if not own.is_success:
                said = f"its owner does not get it either: HTTP {own.status}"
                return self._ended("read", by, of, path, "undecided", said)
            answer = self._ask("GET", path, by, of, thing=thing)
        except Unavailable as error:
            return self._ended("read", by, of, path, "undecided", str(error))
        return self._ended("read", by, of, path, _outcome(answer), f"HTTP {answer.status}")

    def _write(self, by: Tenant, of: Tenant) -> Attempt:
        path = self.service.write
        try:
            own, there = self._written(of, of)
            if not own.is_success or not there:
                said = f"its owner cannot write it either: HTTP {own.status}, {there} are there"
                return self._ended("write", by, of, path, "undecided", said)
            answer, landed = self._written(by, of)
        except Unavailable as error:
            return self._ended("write", by, of, path, "undecided", str(error))
        said = f"HTTP {answer.status}, and {landed} are there"
        if landed:
            return self._ended("write", by, of, path, "leaked", said)
        return self._ended("write", by, of, path, "hidden" if answer.is_success else _outcome(answer), said)

    def _written(self, by: Tenant, of: Tenant) -> tuple[Answer, int]:
        """Something new, and how many rows it has left with `of`. Raises Unavailable."""
        identity = str(uuid.uuid4())
        answer = self._ask("POST", self.service.write, by, of, thing=self.things[of.name], identity=identity)
        query = filled(
            self.service.landed, tenant=by.name, schema=by.schema, other=of.name, other_schema=of.schema,
            id=identity,
        )  # fmt: skip
        told = _answer_of(self.owner, query)
        if not told.isdigit():
            raise Unavailable(f"service.landed: gives no number: {told!r:.40}")
        return answer, int(told)

    def _ended(self, kind: str, by: Tenant, of: Tenant, path: str, outcome: Outcome, said: str) -> Attempt:
        return Attempt("service", kind, by.name, of.name, path, outcome, said)

    def _ask(
        self, method: str, path: str, by: Tenant, of: Tenant, *, thing: str, identity: str = ""
    ) -> Answer:
        words = {
            "tenant": by.name, "schema": by.schema, "other": of.name, "other_schema": of.schema,
            "thing": thing, "id": identity,
        }  # fmt: skip
        headers = {name: filled(value, **words) for name, value in self.service.headers.items()}
        body = None
        if method == "POST":
            headers |= {name: filled(value, **words) for name, value in self.service.write_headers.items()}
            body = json.loads(filled(self.service.body, **words))
        url = self.service.url.rstrip("/") + filled(path, **words)
        return self.client.ask(method, url, headers=headers, json=body)


def _outcome(answer: Answer) -> Outcome:
    if answer.is_success:
        return "leaked"
    return "refused" if 400 <= answer.status < 500 and answer.status not in (408, 429) else "undecided"


def _line(error: Any) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
