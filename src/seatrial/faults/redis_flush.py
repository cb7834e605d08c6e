"""Empty a cache at once: what follows is the stampede on whatever stands behind it.

    {at: 10s, fault: redis.flush, on: cache, with: {match: "shop:*"}}

There is nothing to put back: a cache fills itself again. `match` keeps everybody else's keys, where several
share a server; without it the database that the role's address names is emptied, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from seatrial.drivers.redis_client import answers, connected
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo

_BATCH = 1000


class Flushed(BaseModel):
    """How many keys the database held."""

    keys: int


class RedisFlush(Declared):
    """Deletes what a cache holds."""

    name: ClassVar[str] = "redis.flush"
    drivers: ClassVar[frozenset[str]] = frozenset({"redis"})

    match: str = Field(default="", examples=["shop:*"])
    """Only keys of this pattern, as SCAN understands it; left out, all keys of the database."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:
        raise BadInput(f"what it deletes of {role.name} does not come back; offer it if it may be lost")

    def prepare(self, role: Role) -> Undo:
        with connected(role) as server:
            keys = int(server.do("DBSIZE"))
        which = f"keys like {self.match}" if self.match else "all keys"
        return self.noting(
            role,
            Flushed(keys=keys),
            touches=f"{which} of {keys} in the database of {role.name}",
            by_hand="nothing: the cache fills itself again",
        )

    def inject(self, undo: Undo) -> None:
        with connected(undo.role) as server:
            if not self.match:
                server.do("FLUSHDB", "ASYNC")
                return
            cursor = "0"
            while True:
                answer, keys = server.do("SCAN", cursor, "MATCH", self.match, "COUNT", _BATCH)
                cursor = answer.decode() if isinstance(answer, bytes) else str(answer)
                if keys:
                    server.do("UNLINK", *keys)
                if cursor == "0":
                    return

    def undo(self, undo: Undo) -> None:
        """Nothing to do."""

    def gone(self, undo: Undo) -> None:
        """Nobody can tell: what was deleted is gone for good, and a cache fills itself in its own time."""

    def healthy(self, role: Role) -> bool:
        return answers(role)
