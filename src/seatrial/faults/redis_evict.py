"""Put a cache under memory pressure: most of its keys are evicted, and no more of them stay while it lasts.

    {at: 10s, fault: redis.evict, on: cache, for: 10s, with: {keep: 1%}}

A maxmemory that is small for as long as the fault lasts would have to leave room for what clients hold, which
may be more than all data: with less the server refuses writes, and evicts nothing with more. So a companion
lowers it for an instant, again and again, until the server has evicted all but `keep` of the keys, and puts
it back before anybody else is served: there is room for every write.

The policy becomes one that may evict every key. The undo puts both settings back, unless somebody has changed
them since.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel

from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.drivers.redis_client import Server, answers, connected, shell
from seatrial.model.quantities import Ratio
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.processes import tagged
from seatrial.undo.protocol import Declared, Undo

_SETTINGS = ("maxmemory", "maxmemory-policy")
_READY_WITHIN_S = 10.0
_KEYS = re.compile(r"keys\W+(\d+)")  # of a line of INFO keyspace, or of what the library makes of it
_PAGE = 4096


class Squeezed(BaseModel):
    """Both settings, as they were and as they are during the fault, and what the server held."""

    before: tuple[str, str]
    during: tuple[str, str]
    keys: int = 0
    bytes_a_key: float = 0.0


class RedisEvict(Declared):
    """Lets a cache hold only a part of its data."""

    name: ClassVar[str] = "redis.evict"
    drivers: ClassVar[frozenset[str]] = frozenset({"redis"})

    keep: Ratio = Ratio(0.1)
    """The share of its keys that it still holds."""
    policy: Literal["allkeys-lru", "allkeys-lfu", "allkeys-random"] = "allkeys-lru"
    """Which keys are evicted first, as the server calls it."""

    def prepare(self, role: Role) -> Undo:
        with connected(role) as server:
            before = (server.setting(_SETTINGS[0]), server.setting(_SETTINGS[1]))
            keys = keys_of(server)
            data = int(server.figures("memory")["used_memory_dataset"])
        return self.noting(
            role,
            Squeezed(
                before=before,
                during=(before[0], self.policy),
                keys=keys,
                bytes_a_key=max(data, 1) / max(keys, 1),
            ),
            touches=(
                f"maxmemory of {role.name}: {before[0]}, for instants less, until {keys_kept(self, keys)} of"
                f" {keys} keys are left; maxmemory-policy: {before[1]} → {self.policy}"
            ),
            by_hand=(
                "end the process `python -m seatrial.faults.companions.squeezing`, then: "
                + shell(role, f"config set maxmemory {before[0]} maxmemory-policy {before[1]}")
            ),
        )

    def inject(self, undo: Undo) -> None:
        noted = undo.noted(Squeezed)
        with connected(undo.role) as server:
            server.do("CONFIG", "SET", "maxmemory-policy", noted.during[1])
        start_companion(
            "seatrial.faults.companions.squeezing",
            [str(keys_kept(self, noted.keys)), undo.to_json()],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=_READY_WITHIN_S,
        )

    def undo(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))
        noted = undo.noted(Squeezed)
        with connected(undo.role) as server:
            for name, before, during in zip(_SETTINGS, noted.before, noted.during, strict=True):
                if _ours(name, server.setting(name), during):
                    server.do("CONFIG", "SET", name, before)

    def gone(self, undo: Undo) -> bool:
        """Whether nobody squeezes it, and both settings are as they were, or as somebody has made them since.

        The keys that were evicted are not meant: a cache fills itself again.
        """
        noted = undo.noted(Squeezed)
        with connected(undo.role) as server:
            now = [server.setting(name) for name in _SETTINGS]
        three = zip(_SETTINGS, now, noted.before, noted.during, strict=True)
        left = [name for name, is_, before, during in three if is_ != before and _ours(name, is_, during)]
        return not tagged(undo.token) and none_of(left, _SETTINGS, "still as during the fault")

    def healthy(self, role: Role) -> bool:
        return answers(role)


def _ours(name: str, value: str, during: str) -> bool:
    return value == during or (name == "maxmemory" and is_lowered(value))


def keys_kept(fault: RedisEvict, keys: int) -> int:
    """How many of `keys` stay."""
    return round(fault.keep.fraction * keys)


def keys_of(server: Server) -> int:
    """How many keys all its databases hold."""
    told = map(_KEYS.search, server.figures("keyspace").values())
    return sum(int(found[1]) for found in told if found)


def lowered(bytes_: float) -> int:
    """A maxmemory of about so many bytes that nobody else would set."""
    return max(int(bytes_), 0) // _PAGE * _PAGE + 1


def is_lowered(maxmemory: str) -> bool:
    """Whether it is one of these."""
    return int(maxmemory) % _PAGE == 1
