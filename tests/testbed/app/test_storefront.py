"""The routes, on orders and a cache in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from seatrial.testbed.app.cache import Cache
from seatrial.testbed.app.connections import DatabaseAwayError
from seatrial.testbed.app.orders import Orders, Placed, Row, UnknownProductError
from seatrial.testbed.app.settings import Identity
from seatrial.testbed.app.storefront import Storefront


class OrdersInMemory(Orders):
    """A tenant's orders without a database; `away` as if it were gone."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.away = False

    async def place(self, key: str, sku: str, quantity: int) -> Placed:
        self._reach()
        if not sku.startswith("sku-"):
            raise UnknownProductError(sku)
        created = key not in self.rows
        new = {"id": len(self.rows) + 1, "key": key, "sku": sku, "quantity": quantity, "tenant": "acme"}
        return Placed(self.rows.setdefault(key, new), created)

    async def find(self, key: str) -> Row | None:
        self._reach()
        return self.rows.get(key)

    async def lookup(self, keys: Sequence[str]) -> list[Row]:
        self._reach()
        return [self.rows[key] for key in keys if key in self.rows]

    async def after(self, last_id: int, most: int) -> list[Row]:
        self._reach()
        return [row for row in self.rows.values() if row["id"] > last_id][:most]

    async def catalogue(self) -> list[Row]:
        self._reach()
        return [{"sku": "sku-001"}]

    async def product(self, sku: str) -> Row | None:
        self._reach()
        return {"sku": sku} if sku.startswith("sku-") else None

    async def confirm_writable(self) -> None:
        self._reach()

    def _reach(self) -> None:
        if self.away:
            raise DatabaseAwayError("gone")


class CacheInMemory(Cache):
    """A cache that is always there."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    async def put(self, key: str, value: bytes) -> None:
        self.values[key] = value


class Shop:
    """The storefront and what stands behind it."""

    def __init__(self) -> None:
        self.orders = OrdersInMemory()
        self.cache = CacheInMemory()
        self._app = Storefront(
            Identity("blue", "east"), {"acme": self.orders, "globex": OrdersInMemory()}, self.cache
        ).application()

    def ask(self, method: str, path: str, tenant: str = "acme", **options: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                headers = {"X-Tenant": tenant, **options.pop("headers", {})}
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(exchange())

    def order(self, key: str, sku: str = "sku-001", quantity: int = 2) -> httpx.Response:
        body = {"sku": sku, "quantity": quantity}
        return self.ask("POST", "/orders", headers={"Idempotency-Key": key}, json=body)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_every_answer_says_who_gave_it(shop: Shop) -> None:
    shop.orders.away = True
    for path in ("/healthz", "/readyz", "/orders/none", "/catalogue/none"):
        answer = shop.ask("GET", path)
        assert (answer.headers["X-Release"], answer.headers["X-Region"]) == ("blue", "east"), path


def test_an_order_is_placed_once_for_its_key(shop: Shop) -> None:
    first, again = shop.order("k1"), shop.order("k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"id": 1, "key": "k1"}


def test_a_key_belongs_to_one_order(shop: Shop) -> None:
    shop.order("k1", quantity=2)
    assert shop.order("k1", quantity=3).status_code == 422


@pytest.mark.parametrize(
    ("headers", "body", "status", "says"),
    [
        ({}, b'{"sku": "sku-001", "quantity": 1}', 400, "Idempotency-Key"),
        ({"Idempotency-Key": "k" * 201}, b'{"sku": "sku-001", "quantity": 1}', 400, "Idempotency-Key"),
        ({"Idempotency-Key": "k"}, b"{", 400, "not JSON"),
        ({"Idempotency-Key": "k"}, b"[]", 400, "not a JSON object"),
        ({"Idempotency-Key": "k"}, b'{"quantity": 1}', 422, "sku"),
        ({"Idempotency-Key": "k"}, b'{"sku": "sku-001", "quantity": 0}', 422, "quantity"),
        ({"Idempotency-Key": "k"}, b'{"sku": "sku-001", "quantity": true}', 422, "quantity"),
        ({"Idempotency-Key": "k"}, b'{"sku": "nothing", "quantity": 1}', 422, "no product"),
    ],
)
def test_a_bad_order_is_refused_with_the_reason(
    shop: Shop, headers: dict[str, str], body: bytes, status: int, says: str
) -> None:
    answer = shop.ask("POST", "/orders", headers=headers, content=body)
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert not shop.orders.rows


def test_orders_are_found_by_key_by_many_keys_and_by_page(shop: Shop) -> None:
    for number in range(5):
        shop.order(f"k{number}")
    assert shop.ask("GET", "/orders/k3").json()["id"] == 4
    assert shop.ask("GET", "/orders/none").status_code == 404
    found = shop.ask("POST", "/orders/lookup", json={"keys": ["k1", "none", "k4"]}).json()["orders"]
    assert [order["key"] for order in found] == ["k1", "k4"]
    page = shop.ask("GET", "/orders?limit=3").json()
    assert [order["id"] for order in page["orders"]] == [1, 2, 3]
    assert page["next"] == 3
    assert shop.ask("GET", "/orders?after=3&limit=3").json()["next"] is None


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "after=1e3", "limit=" + "9" * 30])
def test_a_page_is_numbered(shop: Shop, query: str) -> None:
    assert shop.ask("GET", f"/orders?{query}").status_code == 400


@pytest.mark.parametrize(("keys", "status"), [("k", 400), ([1], 400), (["k"] * 10_001, 413)])
def test_a_lookup_is_a_bounded_list_of_texts(shop: Shop, keys: object, status: int) -> None:
    assert shop.ask("POST", "/orders/lookup", json={"keys": keys}).status_code == status


def test_reads_come_from_the_cache_when_the_database_is_away(shop: Shop) -> None:
    for path in ("/catalogue/sku-001", "/catalogue"):
        warm = shop.ask("GET", path)
        shop.orders.away = True
        assert shop.ask("GET", path).content == warm.content
        shop.orders.away = False


def test_tenants_do_not_share_cached_products(shop: Shop) -> None:
    shop.ask("GET", "/catalogue/sku-001", tenant="acme")
    shop.ask("GET", "/catalogue/sku-001", tenant="globex")
    assert set(shop.cache.values) == {"acme:product:sku-001", "globex:product:sku-001"}


def test_an_unknown_product_is_not_found_and_not_cached(shop: Shop) -> None:
    assert shop.ask("GET", "/catalogue/nothing").status_code == 404
    assert not shop.cache.values


def test_an_unknown_tenant_is_told_which_there_are(shop: Shop) -> None:
    answer = shop.ask("GET", "/catalogue", tenant="evil")
    assert answer.status_code == 400
    assert answer.json()["error"] == "X-Tenant: one of acme, globex is needed"


def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(shop: Shop) -> None:
    shop.orders.away = True
    for answer in (shop.order("k1"), shop.ask("GET", "/orders/k1"), shop.ask("GET", "/readyz")):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
    assert shop.ask("GET", "/healthz").status_code == 200, "a release can serve without its database"
