"""Put a cache under memory pressure: most of its keys are evicted, and it stays too small while it lasts.

    {at: 10s, fault: redis.evict, on: cache, for: 10s, with: {keep: 1%}}

maxmemory is set so that `keep` of the data fits beside what the server itself needs:

    maxmemory = overhead + keep × (used_memory - overhead)
    overhead  = used_memory_overhead - mem_clients_normal + what clients hold apart from query buffers

The figures are those of INFO memory and CLIENT LIST. `mem_clients_normal` is counted once a second at most:
it goes on holding the query buffer of a large request that is long answered, and a limit made with it would
leave room for everything. The policy becomes one that may evict every key, because under `noeviction` the
server would refuse writes instead. The undo puts both settings back, unless somebody has changed them since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel

from seatrial.drivers.redis_client import answers, connected, shell
from seatrial.model.quantities import Ratio
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.undo.protocol import Declared, Undo

_SETTINGS = ("maxmemory", "maxmemory-policy")


class Squeezed(BaseModel):
    """Both settings, as they were and as they are during the fault."""

    before: tuple[str, str]
    during: tuple[str, str]


class RedisEvict(Declared):
    """Lets a cache hold only a part of its data."""

    name: ClassVar[str] = "redis.evict"
    drivers: ClassVar[frozenset[str]] = frozenset({"redis"})

    keep: Ratio = Ratio(0.1)
    """The share of the data that still fits."""
    policy: Literal["allkeys-lru", "allkeys-lfu", "allkeys-random"] = "allkeys-lru"
    """Which keys are evicted first, as the server calls it."""

    def prepare(self, role: Role) -> Undo:
        with connected(role) as server:
            memory = server.figures("memory")
            before = (server.setting(_SETTINGS[0]), server.setting(_SETTINGS[1]))
            clients = server.clients()
        counted = int(memory.get("mem_clients_normal", 0))
        overhead = int(memory["used_memory_overhead"]) - counted + sum(map(_lasting, clients))
        limit = overhead + round(self.keep.fraction * max(int(memory["used_memory"]) - overhead, 0))
        return self.noting(
            role,
            Squeezed(before=before, during=(str(limit), self.policy)),
            touches=f"maxmemory of {role.name}: {before[0]} → {limit}, {before[1]} → {self.policy}",
            by_hand=shell(role, f"config set maxmemory {before[0]} maxmemory-policy {before[1]}"),
        )

    def inject(self, undo: Undo) -> None:
        limit, policy = undo.noted(Squeezed).during
        with connected(undo.role) as server:
            server.do("CONFIG", "SET", "maxmemory-policy", policy)
            server.do("CONFIG", "SET", "maxmemory", limit)

    def undo(self, undo: Undo) -> None:
        noted = undo.noted(Squeezed)
        with connected(undo.role) as server:
            for name, before, during in zip(_SETTINGS, noted.before, noted.during, strict=True):
                if server.setting(name) == during:
                    server.do("CONFIG", "SET", name, before)

    def gone(self, undo: Undo) -> bool:
        """Whether both settings are what they were, or what somebody has made of them since.

        The keys that were evicted are not meant: a cache fills itself again.
        """
        noted = undo.noted(Squeezed)
        with connected(undo.role) as server:
            now = [server.setting(name) for name in _SETTINGS]
        three = zip(_SETTINGS, now, noted.before, noted.during, strict=True)
        left = [name for name, is_, before, during in three if is_ == during != before]
        return none_of(left, _SETTINGS, "still as during the fault")

    def healthy(self, role: Role) -> bool:
        return answers(role)


def _lasting(client: Mapping[str, str]) -> int:
    """Bytes that a client of the server holds between two requests."""
    held, read, spare = (int(client.get(name, 0)) for name in ("tot-mem", "qbuf", "qbuf-free"))
    return max(held - read - spare, 0)
