"""Which of a name's addresses a new connection goes to, and how long an answer of DNS is good for.

Clients differ in this, and a failover shows it: one that takes the first address goes on asking a dead edge
while another is well, one that takes them in turn meets each edge equally often. Whatever comes first, the
others are tried after it if nobody can be connected to there, as clients do; nothing has been sent by then.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from gevent import socket

from seatrial.model.clients import Select

Address = tuple[int, Any]  # family, socket address
Resolve = Callable[[str, int], list[Address]]
FOLLOWED_WITHIN_S = 1.0  # a name that moves to another address, unless said otherwise


def resolved(host: str, port: int) -> list[Address]:
    """The addresses that the system knows. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Names:
    """The answers of DNS of one load. `ttl_s`: how long one is good for; it is asked for at a connection."""

    def __init__(
        self,
        select: Select = "first",
        ttl_s: float = FOLLOWED_WITHIN_S,
        seed: int = 0,
        *,
        resolve: Resolve = resolved,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._select = select
        self._ttl_s = ttl_s
        self._random = random.Random(seed)  # which of several is no secret
        self._resolve = resolve
        self._clock = clock
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._turns = 0

    def addresses(self, host: str, port: int) -> list[Address]:
        """All of them, in the order in which a new connection tries them. Raises OSError."""
        known = self._known.get((host, port))
        if known is None or known[0] < self._clock():
            known = (self._clock() + self._ttl_s, self._resolve(host, port))
            self._known[host, port] = known
        found = known[1]
        if self._select == "first" or len(found) < 2:
            return found
        if self._select == "random":
            return self._random.sample(found, len(found))
        first = self._turns % len(found)
        self._turns += 1
        return [*found[first:], *found[:first]]
