"""The catalogue's cache. It may be slow, full, flushed or away: reads then come from the database.

Nothing is retried (the client's default of three retries would hide an outage of the cache, and multiply a
hanging one), and after a failure the cache is left alone for a moment, so that a hanging one does not slow
down every read.

A read that finds nothing may be the first of its key, or come when the key has outlived its time: that is a
miss, of which a cache that was just started, or has all its keys expire at once, has many. Where the key was
given to it a moment ago, the cache has *lost* it: evicted, flushed, or not taken for want of memory. Only a
moment ago, so that the reads after an eviction do not tell of it until every key was read once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from seatrial.testbed.app.metrics import CACHE_READS

_log = logging.getLogger(__name__)


def connect(host: str, port: int, password: str) -> redis.Redis:
    """A client that waits 100 ms at most and retries nothing."""
    pool = redis.ConnectionPool(
        host=host,
        port=port,
        password=password,
        max_connections=256,
        socket_timeout=0.1,
        socket_connect_timeout=0.1,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return redis.Redis.from_pool(pool)


class Cache:
    """Bytes by key, for `lifetime_s`. Never raises for a cache that is away."""

    def __init__(
        self,
        client: redis.Redis,
        lifetime_s: int = 60,
        pause_s: float = 0.5,
        fresh_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._lifetime_s = lifetime_s
        self._pause_s = pause_s
        self._clock = clock
        self._away_until = -1.0
        self._told_full_until = -1.0
        self._fresh_s = min(fresh_s, lifetime_s)
        self._fresh_until: dict[str, float] = {}  # of what was given to it: as many keys as the catalogue has

    async def get(self, key: str) -> bytes | None:
        """What was put under `key`; None when it is not there or the cache is away."""
        if self._clock() < self._away_until:
            CACHE_READS.labels("away").inc()
            return None
        try:
            value = await self._client.get(key)
        except redis.RedisError as error:
            self._leave_alone(error)
            CACHE_READS.labels("away").inc()
            return None
        # The cache counts from when it took the value, so a key lives for longer than it is fresh.
        lost = value is None and self._clock() < self._fresh_until.get(key, -1.0)
        CACHE_READS.labels("lost" if lost else "miss" if value is None else "hit").inc()
        assert value is None or isinstance(value, bytes)  # decode_responses is off
        return value

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`, if the cache is there. One that is full answers, and so is not left alone."""
        now = self._clock()
        if now < self._away_until:
            return
        try:
            await self._client.set(key, value, ex=self._lifetime_s)
        except redis.OutOfMemoryError as error:
            if now >= self._told_full_until:  # each put is refused, and one line tells of them all
                _log.warning("the cache takes nothing: %s", error)
                self._told_full_until = now + self._pause_s
        except redis.RedisError as error:
            self._leave_alone(error)
            return
        self._fresh_until[key] = now + self._fresh_s

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _leave_alone(self, error: redis.RedisError) -> None:
        self._away_until = self._clock() + self._pause_s
        _log.warning("the cache is away: %s", error)
