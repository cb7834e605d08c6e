"""Shoppers of a shop with several tenants: they browse, look at items, order, and look their orders up.

The mix is read-heavy, as shops are. Every order carries an idempotency key, which goes on record, so that a
check can ask afterwards for each order that was acknowledged. A shopper who finds an acknowledged order gone
counts that as a failure at once.
"""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from locust import task

from seatrial.load import OpenLoopUser

TENANTS = ("acme", "globex", "initech", "umbrella")
SKUS = tuple(f"sku-{number:03d}" for number in range(1, 101))
REMEMBERED = 50  # of a shopper's own orders


def as_tenant(tenant: str, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The options of a request in a tenant's name: for the service, and for the request log."""
    return {"headers": {"X-Tenant": tenant, **headers}, "context": {"tenant": tenant}}


class Shopper(OpenLoopUser):
    """Somebody who shops, each time with any one of the tenants."""

    tenants: tuple[str, ...] = TENANTS

    def tenant(self) -> str:
        """In whose name to ask next."""
        return random.choice(self.tenants)

    def on_start(self) -> None:
        """Nothing ordered yet."""
        self.orders: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)  # tenant, idempotency key

    @task(5)
    def browse(self) -> None:
        """Open the catalogue."""
        self.client.get("/catalogue", name="GET /catalogue", **as_tenant(self.tenant()))

    @task(10)
    def look_at_item(self) -> None:
        """Open an item."""
        path = f"/catalogue/{random.choice(SKUS)}"
        self.client.get(path, name="GET /catalogue/{sku}", **as_tenant(self.tenant()))

    @task(3)
    def order(self) -> None:
        """Order an item; remember the order once it is acknowledged."""
        tenant, key = self.tenant(), str(uuid.uuid4())
        with self.client.post(
            "/orders",
            name="POST /orders",
            json={"sku": random.choice(SKUS), "quantity": random.randint(1, 5)},
            key=key,
            catch_response=True,
            **as_tenant(tenant, {"Idempotency-Key": key}),
        ) as answer:
            if answer.status_code != 201:
                answer.failure(f"HTTP {answer.status_code}")
            elif answer.json().get("key") != key:
                answer.failure("another order was acknowledged")
            else:
                self.orders.append((tenant, key))

    @task(2)
    def look_up_order(self) -> None:
        """Look an own order up; a shopper without one looks at an item instead."""
        if not self.orders:
            self.look_at_item()
            return
        tenant, key = random.choice(self.orders)
        with self.client.get(
            f"/orders/{key}", name="GET /orders/{key}", catch_response=True, **as_tenant(tenant)
        ) as answer:
            if answer.status_code == 404:
                answer.failure("an acknowledged order is gone")
