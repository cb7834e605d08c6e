"""The migrations of the twins do what their experiments say, on a PostgreSQL without the rest of the testbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.tenants import Shop

from seatrial.actions.migration_tool import Migration
from seatrial.actions.tenants_migrate import TenantsMigrate
from seatrial.drivers.tenant_database import Tenant
from seatrial.lookups.recorder import RunFacts
from seatrial.lookups.tenant_isolation import TenantIsolation
from seatrial.model.problems import Unavailable

TWINS = Path(__file__).parents[2] / "chaos/twins/migrations"
NewShop = Callable[[int], Shop]


def migrated(shop: Shop, named: str) -> None:
    migration = Migration.by_tool(shop.role(), "dbmate", str(TWINS / named), back=False)
    for tenant in shop.tenants:
        migration.run(migration.up, Tenant(tenant, tenant), "twin", 50.0)


def test_one_tenants_new_table_has_no_policy(shop: NewShop) -> None:
    ours = shop(4)
    migrated(ours, "without-a-policy")
    tables = json.loads(TenantIsolation().record(ours.role(), RunFacts((), Path())))["tables"]
    lacking = [each["schema"] for each in tables if each["table"] == "wishes" and not each["policies"]]
    assert lacking == ["umbrella"]
    assert all(each["enabled"] and each["forced"] for each in tables if each["table"] == "wishes")


def test_the_blocking_one_rewrites_orders_and_succeeds(shop: NewShop) -> None:
    ours = shop(4)
    migrated(ours, "blocking")
    assert set(ours.versions().values()) == {("20260301000000",)}


@pytest.mark.long
def test_the_data_of_tenant_57_alone_do_not_meet_the_new_constraint(shop: NewShop) -> None:
    ours = shop(58)
    given = {"tool": "dbmate", "migrations": str(TWINS / "fails-for-57"), "within": "50s"}
    action = TenantsMigrate.model_validate(given)
    with pytest.raises(Unavailable, match=r"^1 of 58 tenants are not migrated: tenant057: .*no_large_orders"):
        action.inject(action.prepare(ours.role()))
    assert [name for name, versions in ours.versions().items() if not versions] == ["tenant057"]
