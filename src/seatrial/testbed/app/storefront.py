"""The routes of the shop.

    GET  /catalogue            all products                                      cached
    GET  /catalogue/{sku}      one product                                       cached
    POST /orders               {"sku", "quantity"} + Idempotency-Key → 201 {"id", "key"}; 200 when repeated
    GET  /orders?after=&limit= orders behind an id, {"orders": [...], "next": id or null}
    POST /orders/lookup        {"keys": [...]} → {"orders": [...]}: those that exist, with content and tenant
    GET  /orders/{key}         one order
    GET  /healthz              this process answers
    GET  /readyz               a write reaches the primary and its standby
    GET  /metrics              for Prometheus, see `metrics`

X-Tenant names the tenant; X-Release and X-Region of every answer name who gave it. 503 with Retry-After: the
database cannot do it now, and a write may or may not have happened.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seatrial.testbed.app.answers import Handler, answering
from seatrial.testbed.app.cache import Cache
from seatrial.testbed.app.connections import DatabaseAwayError
from seatrial.testbed.app.orders import Orders, UnknownProductError
from seatrial.testbed.app.settings import Identity
from seatrial.testbed.serving import Refused, encode, json_answer

_log = logging.getLogger(__name__)
_MOST_KEYS = 10_000
_LONGEST_KEY = 200
_LARGEST_PAGE = 1_000
_READY_WITHIN_S = 1.0

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Storefront:
    """The handlers. `tenants`: what each tenant may do."""

    identity: Identity
    tenants: Mapping[str, Orders]
    cache: Cache

    def application(self, lifespan: Lifespan | None = None, also: Sequence[Route] = ()) -> Starlette:
        """The ASGI application, with `also` routes of others; tried in order, so frequent ones come first."""
        routes = [
            Route("/catalogue/{sku}", self._answering(self._product)),
            Route("/orders", self._answering(self._place), methods=["POST"]),
            Route("/orders/{key}", self._answering(self._order), methods=["GET"]),
            Route("/catalogue", self._answering(self._catalogue)),
            Route("/healthz", self._answering(self._healthz)),
            Route("/readyz", self._answering(self._readyz)),
            Route("/orders", self._answering(self._list), methods=["GET"]),
            Route("/orders/lookup", self._answering(self._lookup), methods=["POST"]),
            *also,
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    def _answering(self, handler: Handler) -> Handler:
        return answering(self.identity, handler)

    async def _healthz(self, _: Request) -> Response:
        return json_answer({"release": self.identity.release, "region": self.identity.region})

    async def _readyz(self, _: Request) -> Response:
        anybody = next(iter(self.tenants.values()))
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await anybody.confirm_writable()
        except TimeoutError as error:
            raise DatabaseAwayError("a write was not confirmed in time") from error
        return json_answer({"ready": True})

    async def _product(self, request: Request) -> Response:
        tenant, orders = self._tenant(request)
        sku = request.path_params["sku"]
        key = f"{tenant}:product:{sku}"
        body = await self.cache.get(key)
        if body is None:
            product = await orders.product(sku)
            if product is None:
                raise Refused(404, f"no product {sku}")
            body = encode(product)
            await self.cache.put(key, body)
        return Response(body, media_type="application/json")

    async def _catalogue(self, request: Request) -> Response:
        tenant, orders = self._tenant(request)
        key = f"{tenant}:catalogue"
        body = await self.cache.get(key)
        if body is None:
            body = encode({"products": await orders.catalogue()})
            await self.cache.put(key, body)
        return Response(body, media_type="application/json")

    async def _place(self, request: Request) -> Response:
        _, orders = self._tenant(request)
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= _LONGEST_KEY:
            raise Refused(400, f"Idempotency-Key: 1 to {_LONGEST_KEY} characters are needed")
        sku, quantity = _order_of(await _body(request))
        try:
            placed = await orders.place(key, sku, quantity)
        except UnknownProductError as error:
            raise Refused(422, f"no product {sku}") from error
        if (placed.order["sku"], placed.order["quantity"]) != (sku, quantity):
            raise Refused(422, f"Idempotency-Key {key} belongs to another order")
        return json_answer({"id": placed.order["id"], "key": key}, 201 if placed.created else 200)

    async def _order(self, request: Request) -> Response:
        _, orders = self._tenant(request)
        key = request.path_params["key"]
        order = await orders.find(key)
        if order is None:
            raise Refused(404, f"no order {key}")
        return json_answer(order)

    async def _list(self, request: Request) -> Response:
        _, orders = self._tenant(request)
        after = _number(request, "after", 0)
        limit = min(_number(request, "limit", _LARGEST_PAGE), _LARGEST_PAGE)
        page = await orders.after(after, limit)
        return json_answer({"orders": page, "next": page[-1]["id"] if len(page) == limit and page else None})

    async def _lookup(self, request: Request) -> Response:
        _, orders = self._tenant(request)
        keys = (await _body(request)).get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise Refused(400, "keys: a list of texts is needed")
        if len(keys) > _MOST_KEYS:
            raise Refused(413, f"keys: {_MOST_KEYS} at most")
        return json_answer({"orders": await orders.lookup(keys)})

    def _tenant(self, request: Request) -> tuple[str, Orders]:
        name = request.headers.get("x-tenant", "")
        try:
            return name, self.tenants[name]
        except KeyError:
            raise Refused(400, f"X-Tenant: one of {', '.join(self.tenants)} is needed") from None


def opening(
    storefront: Storefront, warm: int, within_s: float, names: Collection[str] | None = None
) -> Lifespan:
    """Connect every tenant before the first request is served, or serve without after `within_s`.

    `names`: only these; the others connect when they are needed.

    A release that started before its database must come up all the same: connections are made when needed.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s):
                for name, orders in storefront.tenants.items():
                    if names is None or name in names:
                        await _persistently(orders, warm)
        except TimeoutError:
            _log.warning("serving without the database: it was not there within %g s", within_s)
        yield
        for orders in storefront.tenants.values():
            await orders.connections.close()
        await storefront.cache.close()

    return lifespan


async def _persistently(orders: Orders, warm: int) -> None:
    while True:
        try:
            return await orders.connections.warm(warm)
        except DatabaseAwayError:
            await asyncio.sleep(0.05)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refused(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refused(400, "the body is not a JSON object")
    return body


def _order_of(body: Mapping[str, Any]) -> tuple[str, int]:
    sku, quantity = body.get("sku"), body.get("quantity")
    if not isinstance(sku, str):
        raise Refused(422, "sku: a text is needed")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 0 < quantity <= 1_000_000:
        raise Refused(422, "quantity: a number from 1 to 1000000 is needed")
    return sku, quantity


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(400, f"{name}: a number is needed")
    return int(text)
