"""The faults of a cache, on a real Valkey: what comes back, and what others keep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.support.valkey import valkey
from tests.support.victims import LOOPBACK
from tests.support.waiting import wait_until

from seatrial.faults.redis_evict import lowered
from seatrial.model.problems import BadInput, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import PartlyUndone
from seatrial.processes import tagged
from seatrial.undo import registry

PASSWORD = "never-to-be-seen"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with valkey(tmp_path_factory.mktemp("valkey"), PASSWORD) as port:
        client = redis.Redis(port=port, password=PASSWORD)
        yield client
        client.close()


@pytest.fixture
def cache(server: redis.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Role:
    server.flushall()
    monkeypatch.setenv("CACHE_PASSWORD", PASSWORD)
    port = server.connection_pool.connection_kwargs["port"]
    url = f"redis://:${{CACHE_PASSWORD}}@127.0.0.1:{port}/0"
    return Role("cache", "redis", {"url": url}, LOOPBACK, str(tmp_path))


def fill(server: redis.Redis, prefix: str, count: int) -> None:
    server.mset({f"{prefix}:{number}": "x" * 200 for number in range(count)})


def test_eviction_and_both_settings_put_back(server: redis.Redis, cache: Role) -> None:
    server.config_set("maxmemory", 500_000_000)
    fill(server, "shop", 20_000)
    evict: Any = registry.build("redis.evict", {"keep": "10%"})
    undo = evict.prepare(cache)
    assert PASSWORD not in undo.to_json()
    assert undo.by_hand.endswith("config set maxmemory 500000000 maxmemory-policy noeviction")
    evict.inject(undo)
    wait_until(lambda: server.dbsize() < 8_000, what="the server has evicted")
    assert server.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
    server.set("new", "x")  # it goes on serving
    assert evict.healthy(cache), "it answers, at a tenth of its memory"
    assert not evict.gone(undo)
    for _ in range(2):
        evict.undo(undo)
        assert server.config_get("maxmemory") == {"maxmemory": "500000000"}
        assert server.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert evict.gone(undo)
    server.config_set("maxmemory", 0)


def test_no_write_is_refused_while_the_cache_is_squeezed(server: redis.Redis, cache: Role) -> None:
    fill(server, "shop", 20_000)
    evict: Any = registry.build("redis.evict", {"keep": "1%"})
    undo = evict.prepare(cache)
    port = server.connection_pool.connection_kwargs["port"]
    clients = [redis.Redis(port=port, password=PASSWORD) for _ in range(20)]
    evict.inject(undo)
    written = 0
    deadline = time.monotonic() + 30
    while server.dbsize() > 1_000 and time.monotonic() < deadline:
        for number, client in enumerate(clients):
            client.set(f"new:{number}:{written}", "x" * 10_000)  # raises when it is refused
            written += 1
    assert server.dbsize() <= 1_000
    assert written >= 20
    evict.undo(undo)
    assert evict.gone(undo)
    for client in clients:
        client.close()


def test_what_a_companion_that_was_killed_had_lowered_is_put_back(server: redis.Redis, cache: Role) -> None:
    evict: Any = registry.build("redis.evict", {"keep": "50%"})
    undo = evict.prepare(cache)
    server.config_set("maxmemory", lowered(90_000_000))
    with pytest.raises(PartlyUndone, match="maxmemory of 2 still as during the fault"):
        evict.gone(undo)
    evict.undo(undo)
    assert evict.gone(undo)
    assert server.config_get("maxmemory") == {"maxmemory": "0"}


def test_a_setting_that_somebody_changed_meanwhile_is_theirs(server: redis.Redis, cache: Role) -> None:
    evict: Any = registry.build("redis.evict", {})
    undo = evict.prepare(cache)
    evict.inject(undo)
    server.config_set("maxmemory", 123_456_789)
    wait_until(lambda: not tagged(undo.token), what="the companion has noticed")
    with pytest.raises(PartlyUndone, match="maxmemory-policy of 2 still as during the fault"):
        evict.gone(undo)
    evict.undo(undo)
    assert server.config_get("maxmemory") == {"maxmemory": "123456789"}
    assert server.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert evict.gone(undo)
    server.config_set("maxmemory", 0)


def test_flush_takes_what_matches_and_nothing_else(server: redis.Redis, cache: Role) -> None:
    fill(server, "shop", 3000)
    fill(server, "sho", 10)
    other = redis.Redis(port=server.connection_pool.connection_kwargs["port"], password=PASSWORD, db=1)
    fill(other, "shop", 10)
    flush: Any = registry.build("redis.flush", {"match": "shop:*"})
    undo = flush.prepare(cache)
    flush.inject(undo)
    assert server.dbsize() == 10
    everything = registry.build("redis.flush", {})
    everything.inject(everything.prepare(cache))
    assert server.dbsize() == 0
    assert other.dbsize() == 10  # of another database
    flush.undo(undo)
    assert flush.healthy(cache)
    assert flush.gone(undo) is None, "an answer to a PING does not say that the cache is full again"
    other.close()


def test_writes_wait_until_the_pause_is_over(server: redis.Redis, cache: Role) -> None:
    pause: Any = registry.build("redis.pause", {})
    undo = pause.prepare(cache)
    pause.inject(undo)
    impatient = redis.Redis(
        port=server.connection_pool.connection_kwargs["port"],
        password=PASSWORD,
        socket_timeout=0.1,
        retry=Retry(NoBackoff(), 0),
    )
    with pytest.raises(redis.TimeoutError):
        impatient.set("a", "b")
    assert not pause.healthy(cache)
    assert not pause.gone(undo)
    pause.undo(undo)
    assert pause.healthy(cache)
    assert pause.gone(undo)
    server.set("a", "b")
    pause.undo(undo)
    impatient.close()


def test_a_pause_of_everything_ends_at_its_longest(cache: Role, server: redis.Redis) -> None:
    pause = registry.build("redis.pause", {"what": "everything", "longest": "300ms"})
    undo = pause.prepare(cache)
    begun = time.monotonic()
    pause.inject(undo)
    pause.undo(undo)
    assert time.monotonic() - begun >= 0.25
    assert pause.healthy(cache)  # type: ignore[attr-defined]


def test_a_server_that_is_not_there_or_not_ours(cache: Role) -> None:
    flush = registry.build("redis.flush", {})
    nowhere = replace(cache, parameters={"url": "redis://:${CACHE_PASSWORD}@127.0.0.1:1/0"})
    with pytest.raises(Unreachable) as caught:
        flush.prepare(nowhere)
    assert PASSWORD not in str(caught.value)
    elsewhere = replace(cache, parameters={"url": "redis://10.0.0.1:6379/0"})
    with pytest.raises(BadInput, match="allow"):
        flush.prepare(elsewhere)
    with pytest.raises(BadInput, match=r"roles\.cache\.url: is required"):
        flush.prepare(replace(cache, parameters={}))
