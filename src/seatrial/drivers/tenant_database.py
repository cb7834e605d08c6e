"""Ask a database for its tenants, and each tenant's schema for the version and the shape that it has.

Versions are read where migration tools keep them, inside each schema: dbmate and golang-migrate in
`schema_migrations`, Alembic in `alembic_version`, Flyway in `flyway_schema_history`. That a schema is not
half-way shows in three ways: no tool has marked it as dirty, none of its indexes is invalid, and it has the
same shape (columns, indexes, constraints) as every other schema of its version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from seatrial.drivers.libpq import connect
from seatrial.drivers.tenants import TenantsBinding
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

VERSION_TABLES = ("alembic_version", "flyway_schema_history", "schema_migrations")

_TABLES = """
SELECT n.nspname, c.relname,
       EXISTS (SELECT FROM pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'dirty' AND NOT a.attisdropped)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relname = ANY(%s) AND n.nspname = ANY(%s) ORDER BY 1, 2
"""
_APPLIED: dict[str, LiteralString] = {
    "alembic_version": "SELECT version_num::text, true FROM {}",
    "flyway_schema_history": "SELECT version::text, success FROM {} WHERE version IS NOT NULL",
    "schema_migrations": "SELECT version::text, true FROM {}",
}
_WITH_DIRTY: LiteralString = "SELECT version::text, NOT dirty FROM {}"
# One line for each thing that a migration may change, without the schema's own name in it.
_SHAPES = """
WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s)), lines AS (
  SELECT own.nspname, concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
         a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM own JOIN pg_class c ON c.relnamespace = own.oid AND c.relkind IN ('r', 'p', 'v', 'm')
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT own.nspname, concat_ws(' ', 'index', i.indisvalid, i.indisready, pg_get_indexdef(i.indexrelid))
  FROM own JOIN pg_class c ON c.relnamespace = own.oid JOIN pg_index i ON i.indrelid = c.oid
  UNION ALL
  SELECT own.nspname, concat_ws(' ', 'constraint', k.conname, k.convalidated, pg_get_constraintdef(k.oid))
  FROM own JOIN pg_constraint k ON k.connamespace = own.oid
)
SELECT nspname, md5(string_agg(replace(line, quote_ident(nspname) || '.', ''), chr(10) ORDER BY line)),
       count(*) FILTER (WHERE line LIKE 'index f %%' OR line LIKE 'index t f %%')
FROM lines GROUP BY nspname
"""


class Tenant(NamedTuple):
    """One of them."""

    name: str
    schema: str


@dataclass(frozen=True, slots=True)
class TenantState:
    """What one tenant's schema has come to."""

    schema: str
    applied: tuple[str, ...] = ()  # versions, ascending; none: no tool has been here
    half_way: str = ""  # why it is, as its tool or its indexes tell; empty when they do not
    shape: str = ""  # equal for schemas that are made alike
    lacking: bool = False  # there is no such schema

    @property
    def version(self) -> str:
        """The newest that was applied, "" for none."""
        return self.applied[-1] if self.applied else ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(slots=True)
class TenantDatabase:
    """A connection to the database of a role that is bound to the driver `tenants`.

    Raises BadInput for a query that does not give tenants, Unavailable when nobody answers.
    """

    role: Role
    purpose: str = "tenants"
    connection: psycopg.Connection = field(init=False)

    def __enter__(self) -> TenantDatabase:
        self.connection = connect(self.role, self.purpose)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def discovered(self, discover: str = "") -> list[Tenant]:
        """Every tenant, in the order of the query, which is the role's own unless another is given."""
        query = discover or self.role.bound_to(TenantsBinding).discover
        rows = self._rows(query.encode())
        found = [Tenant(str(row[0]), str(row[-1])) for row in rows if len(row) in (1, 2)]
        if len(found) != len(rows) or any(None in row for row in rows):
            raise BadInput(f"roles.{self.role.name}.discover: gives rows that are not: tenant, schema")
        for what in ("name", "schema"):
            each = [getattr(tenant, what) for tenant in found]
            if len(set(each)) < len(each):
                twice = next(one for one in each if each.count(one) > 1)
                raise BadInput(f"roles.{self.role.name}.discover: gives the {what} {twice} twice")
        return found

    def states(self, tenants: Sequence[Tenant], *, shapes: bool = True) -> dict[str, TenantState]:
        """What each has come to, by tenant; without `shapes`, which cost the most, its versions alone."""
        schemas = [tenant.schema for tenant in tenants]
        there = {row[0] for row in self._rows(b"SELECT nspname FROM pg_namespace")}
        shape_of = {row[0]: row[1:] for row in self._rows(_SHAPES.encode(), [schemas])} if shapes else {}
        applied: dict[str, list[tuple[str, bool]]] = {}
        for schema, table, has_dirty in self._rows(_TABLES.encode(), [list(VERSION_TABLES), schemas]):
            query = sql.SQL(_WITH_DIRTY if has_dirty else _APPLIED[table])
            name = sql.Identifier(schema, table)
            applied.setdefault(schema, []).extend(self._rows(query.format(name)))
        return {
            tenant.name: _state(
                tenant.schema,
                applied.get(tenant.schema, []),
                shape_of.get(tenant.schema, ("", 0)),
                tenant.schema not in there,
            )
            for tenant in tenants
        }

    def _rows(self, query: bytes | sql.Composed, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(query, values).fetchall()
        except psycopg.OperationalError as error:
            raise Unavailable(f"{self.role.name}: {_line(error)}") from error
        except psycopg.Error as error:
            raise BadInput(f"{self.role.name}: the database refuses the question: {_line(error)}") from error


def _state(
    schema: str, applied: list[tuple[str, bool]], shape: tuple[str, int], lacking: bool
) -> TenantState:
    digest, invalid = shape
    dirty = sorted(version for version, clean in applied if not clean)
    why = f"{', '.join(dirty)} was begun and not finished" if dirty else ""
    if invalid and not why:
        why = f"{invalid} of its indexes {'is' if invalid == 1 else 'are'} invalid"
    versions = sorted({version for version, _ in applied}, key=_as_numbers)
    return TenantState(schema, tuple(versions), why, digest, lacking)


def _as_numbers(version: str) -> tuple[list[int], str]:
    """So that 10 comes after 9."""
    return [int(digits) for digits in re.findall(r"\d+", version)], version


def _line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
