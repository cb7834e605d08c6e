"""The database of the shop: a schema and a login role for every tenant, fenced twice.

A tenant's role may use its own schema only, and row-level security shows it rows of its own only: one wrong
GRANT, or one row written to the wrong place, does not yet show anybody's orders to somebody else. Who the
tenants are stands in `control.tenants`, where migrations find them.
"""

from __future__ import annotations

from collections.abc import Sequence

DATABASE = "shop"
TENANTS = ("acme", "globex", "initech", "umbrella")
MOST_TENANTS = 500
PRODUCTS = 100


def tenants(count: int) -> tuple[str, ...]:
    """The names of so many tenants: four with names of their own, and tenant005, tenant006 …"""
    return (*TENANTS, *(f"tenant{number:03d}" for number in range(len(TENANTS) + 1, count + 1)))[:count]


def schema_sql(password: str, names: Sequence[str] = TENANTS) -> str:
    """A psql script, in one transaction. `password`: of the tenants' roles, letters and digits."""
    each = (_TENANT.format(tenant=name, password=password, products=PRODUCTS) for name in names)
    return "".join((_PREAMBLE, *each, "COMMIT;\n"))


_PREAMBLE = f"""\
CREATE DATABASE {DATABASE};
\\connect {DATABASE}
BEGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA control;
CREATE TABLE control.tenants (tenant name PRIMARY KEY, schema name NOT NULL UNIQUE);
"""

_TENANT = """
CREATE ROLE {tenant} LOGIN PASSWORD '{password}';
ALTER ROLE {tenant} SET search_path = {tenant};
ALTER ROLE {tenant} SET statement_timeout = '2s';
ALTER ROLE {tenant} SET lock_timeout = '1s';
CREATE SCHEMA {tenant};
GRANT USAGE ON SCHEMA {tenant} TO {tenant};

CREATE TABLE {tenant}.catalogue (
    tenant      name NOT NULL DEFAULT current_user,
    sku         text PRIMARY KEY,
    title       text NOT NULL,
    price_cents integer NOT NULL
);
CREATE TABLE {tenant}.orders (
    tenant     name NOT NULL DEFAULT current_user,
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL,
    sku        text NOT NULL REFERENCES {tenant}.catalogue,
    quantity   integer NOT NULL CHECK (quantity > 0),
    ordered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, key)
);
INSERT INTO {tenant}.catalogue (tenant, sku, title, price_cents)
    SELECT '{tenant}', 'sku-' || lpad(n::text, 3, '0'), 'Product ' || n, 100 + n * 37 % 9900
    FROM generate_series(1, {products}) AS n;

ALTER TABLE {tenant}.catalogue ENABLE ROW LEVEL SECURITY;
ALTER TABLE {tenant}.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE {tenant}.catalogue FORCE ROW LEVEL SECURITY;
ALTER TABLE {tenant}.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON {tenant}.catalogue USING (tenant = current_user);
CREATE POLICY own_rows ON {tenant}.orders USING (tenant = current_user);
GRANT SELECT ON {tenant}.catalogue TO {tenant};
GRANT SELECT, INSERT ON {tenant}.orders TO {tenant};
INSERT INTO control.tenants VALUES ('{tenant}', '{tenant}');
"""
