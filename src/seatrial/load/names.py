"""Which of a name's addresses a new connection goes to, and how long an answer of DNS is good for.

Clients differ in this, and a failover shows it: one that takes the first address goes on asking a dead edge
while another is well, one that takes them in turn meets each edge equally often. Whatever comes first, the
others are tried after it if nobody can be connected to there, as clients do; nothing has been sent by then.

The clients of a load are those of one caching resolver. When an answer has lapsed it is asked for once, and
whoever needs it meanwhile waits for the same answer: resolvers send no second question while one is under way
(RFC 5452, section 5). The old answer is not used any longer, for no resolver does so unless it is told to
(RFC 8767). The wait is the request's own, within its deadline: what waited so was sent in time.

What is on record when there is no address:

    the name had one in this load, and DNS says that it has none now   a bad request: all clients would see it
    it never had any here, or nobody answers about it                  ours, until shown otherwise: it may be
                                                                       this machine's resolver that fails
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from copy import copy
from typing import Any

import gevent
from gevent import socket

from seatrial.load.failure import NAME_LOST, Unanswered, while_resolving
from seatrial.model.allow import address_of
from seatrial.model.clients import Select

Address = tuple[int, Any]  # family, socket address
Resolve = Callable[[str, int], list[Address]]
Name = tuple[str, int]  # a host and the port that is wanted there
Answer = list[Address] | Exception
FOLLOWED_WITHIN_S = 1.0  # a name that moves to another address, unless said otherwise
_FAILURE_KEPT_S = (
    0.1  # resolvers keep one for a second or more (RFC 9520): it must not bring a storm of questions
)

# Said by a name server: no such name, or none with an address.
_HAS_NONE = frozenset(getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name))


def resolved(host: str, port: int) -> list[Address]:
    """The addresses that the system knows. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        socket.socket().close()  # glibc says "no such name" as well where it can open nothing: that raises
        raise
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
        self._known: dict[Name, tuple[float, Answer]] = {}  # until when it is good
        self._had_some: set[Name] = set()
        self._asking: dict[Name, gevent.Greenlet[..., Answer]] = {}
        self._turns = 0

    def addresses(self, host: str, port: int) -> list[Address]:
        """All of them, in the order in which a new connection tries them.

        Raises OSError when there is none, Unanswered when all clients would see that.
        """
        found = self._answer((host, port))
        if isinstance(found, Exception):
            raise copy(found)  # one that is raised by many would collect the places of all
        if self._select == "first" or len(found) < 2:
            return found
        if self._select == "random":
            return self._random.sample(found, len(found))
        first = self._turns % len(found)
        self._turns += 1
        return [*found[first:], *found[:first]]

    def _answer(self, name: Name) -> Answer:
        good_until_s, known = self._known.get(name, (float("-inf"), []))
        if self._clock() <= good_until_s:
            return known
        asking = self._asking.get(name)
        if asking is None:  # in a greenlet of its own: who gives up does not take the answer from the others
            asking = self._asking[name] = gevent.spawn(self._ask, name)
        try:
            found: Answer = asking.get()
            return found
        except gevent.Timeout as expired:
            while_resolving(expired)
            raise

    def _ask(self, name: Name) -> Answer:
        found: Answer
        try:
            found = self._resolve(*name)
            self._had_some.add(name)
            kept_s = self._ttl_s if address_of(name[0]) is None else float("inf")
        except Exception as error:  # it is raised to who asks
            gone = isinstance(error, socket.gaierror) and error.errno in _HAS_NONE
            found = Unanswered(NAME_LOST) if gone and name in self._had_some else error
            kept_s = min(self._ttl_s, _FAILURE_KEPT_S)
        self._known[name] = (self._clock() + kept_s, found)
        del self._asking[name]
        return found
