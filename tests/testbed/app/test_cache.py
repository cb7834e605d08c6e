from __future__ import annotations

import asyncio
from typing import cast

import redis.asyncio as redis

from seatrial.testbed.app.cache import Cache, connect
from seatrial.testbed.app.metrics import REGISTRY


class FakeServer:
    """GET and SET of a dictionary, while it is there."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.away = False
        self.full = False
        self.asked = 0

    async def get(self, key: str) -> bytes | None:
        self._ask()
        return self.values.get(key)

    async def set(self, key: str, value: bytes, ex: int) -> None:  # as redis names it
        self._ask()
        if self.full:
            raise redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")
        self.values[key] = value

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise redis.ConnectionError("refused")


def test_what_was_put_is_got() -> None:
    async def scenario() -> None:
        cache = Cache(cast("redis.Redis", FakeServer()))
        assert await cache.get("k") is None
        await cache.put("k", b"v")
        assert await cache.get("k") == b"v"

    asyncio.run(scenario())


def test_a_cache_that_is_away_is_left_alone_for_a_moment_and_then_asked_again() -> None:
    async def scenario() -> None:
        server, now = FakeServer(), [100.0]
        cache = Cache(cast("redis.Redis", server), pause_s=0.5, clock=lambda: now[0])
        server.values["k"] = b"v"
        server.away = True
        assert await cache.get("k") is None
        server.away = False
        assert await cache.get("k") is None
        await cache.put("k", b"w")
        assert server.asked == 1
        now[0] += 0.6
        assert await cache.get("k") == b"v"

    asyncio.run(scenario())


def test_a_failing_put_leaves_it_alone_too() -> None:
    async def scenario() -> None:
        server = FakeServer()
        cache = Cache(cast("redis.Redis", server))
        server.away = True
        await cache.put("k", b"v")
        await cache.put("k", b"v")
        assert server.asked == 1

    asyncio.run(scenario())


def test_what_was_put_a_moment_ago_and_is_gone_is_lost_and_everything_else_a_miss() -> None:
    def counted() -> tuple[float, ...]:
        outcomes = ("hit", "miss", "lost", "away")
        told = [REGISTRY.get_sample_value("shop_cache_reads_total", {"outcome": each}) for each in outcomes]
        return tuple(each for each in told if each is not None)

    async def scenario() -> None:
        server, now = FakeServer(), [100.0]
        cache = Cache(cast("redis.Redis", server), lifetime_s=60, fresh_s=10, clock=lambda: now[0])
        begun = counted()
        await cache.get("k")  # never there
        await cache.put("k", b"v")
        await cache.get("k")
        server.values.clear()
        now[0] += 9.9
        await cache.get("k")  # evicted
        now[0] += 0.1
        await cache.get("k")  # long ago, for a key that was evicted
        server.away = True
        await cache.put("k", b"v")
        server.away = False
        now[0] += 1.0
        await cache.get("k")  # and was not put again
        server.full = True
        await cache.put("k", b"v")
        await cache.get("k")  # it was given to the cache, which did not take it, and is there
        assert tuple(now - before for now, before in zip(counted(), begun, strict=True)) == (1, 3, 2, 0)

    asyncio.run(scenario())


def test_the_client_retries_nothing() -> None:
    async def scenario() -> None:
        client = connect("127.0.0.1", 1, "secret")
        retry = client.connection_pool.connection_kwargs["retry"]
        assert retry.get_retries() == 0
        await client.aclose()

    asyncio.run(scenario())
