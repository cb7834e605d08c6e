"""The arrival that a virtual user serves, as whoever sends in its name needs to know it.

The first request of an arrival was due at the arrival's own instant, however late the generator came to it; a
further request is due when it is issued. So every client asks here when its next request is due, and what has
asked nothing by the end of the arrival has sent nothing.

A client that waits for no answer tells of its request when that has come, perhaps with the user at its next
arrival. So arrivals without a request are remembered for a while, each with the time in which it can have
sent one. A late generator begins several at once, and one user serves them within a millisecond; which of
them a report is of cannot be told then, and it is taken for the one that was due first: that makes it later
than it may have been, never earlier.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TOLD_TO_S = 1e-3  # clients tell times in whole milliseconds
_MOST_REMEMBERED = 64  # arrivals of one user of which no request is known


@dataclass(frozen=True, slots=True)
class _Served:
    """An arrival that was served, and had no request so far. `what` it was to do."""

    due_s: float
    over_s: float
    what: Any

    def has_sent(self, at_s: float) -> bool:
        """Whether it can have sent something at that instant."""
        return self.due_s - _TOLD_TO_S <= at_s <= self.over_s + _TOLD_TO_S


class Arrival:
    """One virtual user's, from one arrival to the next. Instants are seconds after zero."""

    __slots__ = ("_due_s", "_earlier", "_over_s", "_what", "failed", "requests", "zero_s")

    def __init__(self, zero_s: float) -> None:
        """`zero_s`: time zero on the monotonic clock."""
        self.zero_s = zero_s
        self.requests = 0  # of the arrival under way
        self.failed = False  # one of them, and the service is to blame
        self._due_s: float | None = None
        self._over_s: float | None = None
        self._what: Any = None
        self._earlier: deque[_Served] = deque()

    def begin(self, due_s: float, what: Any = None) -> Sequence[Any]:
        """A new one, due at `due_s`, which is to do `what`.

        Gives what those were to do of which no request is expected any more: there are too many before it.
        """
        self._remember()
        self._due_s, self._over_s, self._what = due_s, None, what
        self.requests = 0
        self.failed = False
        return self._given_up(_MOST_REMEMBERED)

    def end(self) -> None:
        """It is over. Where nothing was sent so far, a report may still tell that something was."""
        if self._due_s is not None and self._over_s is None:
            self._over_s = self._now_s()

    def forget(self) -> None:
        """What became of it is on record otherwise: no request of it is missed."""
        self._due_s = None

    def give_up(self) -> Sequence[Any]:
        """What those were to do that have sent nothing as far as is known: it has come to the end."""
        self._remember()
        self._due_s = None
        return self._given_up(0)

    def take_due(self) -> float:
        """When the request that is about to be made is due. Every request asks once."""
        self.requests += 1
        due_s = self._due_s
        if due_s is None or self._over_s is not None:
            return self._now_s()
        self._due_s = None
        return due_s

    def due_of(self, sent_s: float) -> float:
        """The same for a request that is told of afterwards, and went out at `sent_s` or a moment later."""
        fitting = [each for each in self._earlier if each.has_sent(sent_s)]
        if fitting:
            first = min(fitting, key=lambda each: each.due_s)
            self._earlier.remove(first)
            return first.due_s
        self.requests += 1
        due_s, over_s = self._due_s, self._over_s
        if (
            due_s is None
            or sent_s < due_s - _TOLD_TO_S
            or (over_s is not None and sent_s > over_s + _TOLD_TO_S)
        ):
            return sent_s
        self._due_s = None
        return due_s

    def _remember(self) -> None:
        if self._due_s is not None and not self.requests:
            over_s = self._now_s() if self._over_s is None else self._over_s
            self._earlier.append(_Served(self._due_s, over_s, self._what))

    def _given_up(self, kept: int) -> Sequence[Any]:
        return [self._earlier.popleft().what for _ in range(len(self._earlier) - kept)]

    def _now_s(self) -> float:
        return time.monotonic() - self.zero_s
