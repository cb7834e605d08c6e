"""Make a server hold its clients back (CLIENT PAUSE): connected, silent, and without an error.

    {at: 10s, fault: redis.pause, on: cache, for: 5s, with: {what: writes}}

`writes` wait and reads are served, or `everything` waits. The server ends a pause by itself after `longest`,
whatever becomes of us. A pause of everything holds back the command that would end it as well, so its undo
waits for that end: keep it short, or stop the process with process.pause.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel

from seatrial.drivers.redis_client import answers, connected, holds_back, shell
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo

_MARGIN_S = 2.0


def _bounded(longest: Duration) -> Duration:
    if not 0 < longest.seconds <= 3600:
        raise ValueError("must lie between 1ms and 1h")
    return longest


class Paused(BaseModel):
    """Needs no note: at most one pause is in force on a server."""


class RedisPause(Declared):
    """Holds back a server's clients."""

    name: ClassVar[str] = "redis.pause"
    drivers: ClassVar[frozenset[str]] = frozenset({"redis"})

    what: Literal["writes", "everything"] = "writes"
    """Which commands wait."""
    longest: Annotated[Duration, AfterValidator(_bounded)] = Duration(60.0)
    """When the server ends the pause by itself."""

    def prepare(self, role: Role) -> Undo:
        with connected(role) as server:
            server.do("PING")
        return self.noting(
            role,
            Paused(),
            touches=f"{self.what} of every client of {role.name}",
            by_hand=shell(role, "client unpause"),
        )

    def inject(self, undo: Undo) -> None:
        milliseconds = max(1, round(self.longest.seconds * 1000))
        with connected(undo.role) as server:
            server.do("CLIENT", "PAUSE", milliseconds, "WRITE" if self.what == "writes" else "ALL")

    def undo(self, undo: Undo) -> None:
        wait_s = _MARGIN_S + (self.longest.seconds if self.what == "everything" else 0.0)
        with connected(undo.role, answer_within_s=wait_s) as server:
            server.do("CLIENT", "UNPAUSE")

    def gone(self, undo: Undo) -> bool | None:
        held = holds_back(undo.role)
        return None if held is None else held == "none"

    def healthy(self, role: Role) -> bool:
        return answers(role)
