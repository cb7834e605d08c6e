from __future__ import annotations

import pytest

from seatrial.testbed.app.schema import TENANTS, schema_sql


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_tenant_is_fenced_twice(tenant: str) -> None:
    script = schema_sql("secret")
    assert f"CREATE SCHEMA {tenant};" in script
    assert f"GRANT USAGE ON SCHEMA {tenant} TO {tenant};" in script
    for table in ("catalogue", "orders"):
        assert f"ALTER TABLE {tenant}.{table} ENABLE ROW LEVEL SECURITY;" in script
        assert f"CREATE POLICY own_rows ON {tenant}.{table}" in script


def test_no_tenant_may_change_or_delete_an_order() -> None:
    grants = [line for line in schema_sql("secret").splitlines() if line.startswith("GRANT")]
    assert not any("UPDATE" in grant or "DELETE" in grant for grant in grants)
