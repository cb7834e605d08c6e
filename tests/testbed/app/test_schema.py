from __future__ import annotations

import pytest

from seatrial.testbed.app.schema import TENANTS, schema_sql, tenants


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_tenant_is_fenced_twice(tenant: str) -> None:
    script = schema_sql("secret")
    assert f"CREATE SCHEMA {tenant};" in script
    assert f"GRANT USAGE ON SCHEMA {tenant} TO {tenant};" in script
    for table in ("catalogue", "orders"):
        assert f"ALTER TABLE {tenant}.{table} ENABLE ROW LEVEL SECURITY;" in script
        assert f"ALTER TABLE {tenant}.{table} FORCE ROW LEVEL SECURITY;" in script
        assert f"CREATE POLICY own_rows ON {tenant}.{table}" in script


@pytest.mark.parametrize("count", [4, 5, 100])
def test_each_of_many_tenants_has_a_name_and_a_schema_of_its_own(count: int) -> None:
    names = tenants(count)
    assert (len(set(names)), names[:4]) == (count, TENANTS)
    script = schema_sql("secret", names)
    assert script.count("CREATE SCHEMA ") == count + 1  # and the one that says who they are
    assert all(script.count(f"({name!r}, {name!r});") == 1 for name in names)
    assert script.endswith("COMMIT;\n")


def test_no_tenant_may_change_or_delete_an_order() -> None:
    grants = [line for line in schema_sql("secret").splitlines() if line.startswith("GRANT")]
    assert not any("UPDATE" in grant or "DELETE" in grant for grant in grants)
