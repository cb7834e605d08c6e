"""Greenlets that serve one arrival after the other, where nobody can tell them from new ones.

A greenlet's first call has the interpreter map 16 KiB for its frames, and its end has it unmapped: two system
calls and the page faults between, a fifth of what the generator itself does for an arrival. One that has
served rests, and is used again if nobody has kept anything that belongs to it: a reference (a time-out that
was left running would be raised in another user's arrival), a weak one (`gevent.local` and `threading.local`
keep one for what they hold), a context of variables, or an attribute. Otherwise it is left alone, and a new
one takes its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import getweakrefcount

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

MOST_RESTING = 256  # 4 MiB; who serves while more than that rest comes to an end
_EXAMPLE = [object()]
_ALONE = sys.getrefcount(_EXAMPLE[-1])  # what a list's last is counted as, by this Python, if it has no other


class Greenlets:
    """Those of one load. `serve` is what each arrival runs; `hub` gets control back."""

    def __init__(self, serve: Callable[..., None], hub: Any) -> None:
        self._serve = serve
        self._hub = hub
        self._resting: list[greenlet] = []
        self._most = MOST_RESTING

    @property
    def resting(self) -> int:
        """How many wait to be used again."""
        return len(self._resting)

    def start(self, *arrival: Any) -> None:
        """Serve an arrival from now on, in the hub, until it waits for something or is over."""
        resting = self._resting
        while resting:
            if _last_is_as_new(resting):
                resting.pop().switch(arrival)
                return
            resting.pop()
        greenlet(self._go_on, self._hub).switch(arrival)

    def leave(self) -> None:
        """No arrival is expected any more: those that rest end, and the others when they have served."""
        self._most = 0
        self._resting.clear()

    def _go_on(self, arrival: tuple[Any, ...]) -> None:
        resting, me = self._resting, getcurrent().__dict__
        while True:
            self._serve(*arrival)
            me.clear()
            if len(resting) >= self._most:
                return
            del arrival
            resting.append(getcurrent())
            arrival = self._hub.switch()


def _last_is_as_new(resting: list[greenlet]) -> bool:
    """Whether it is alive, and nobody has anything of it."""
    return (
        sys.getrefcount(resting[-1]) == _ALONE
        and not getweakrefcount(resting[-1])
        and resting[-1].gr_context is None
        and bool(resting[-1])
    )
