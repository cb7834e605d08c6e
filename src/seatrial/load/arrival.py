"""The arrival that a virtual user serves, as whoever sends in its name needs to know it.

The first request of an arrival was due at the arrival's own instant, however late the generator came to it; a
further request is due when it is issued. So every client asks here when its next request is due, and what has
asked nothing by the end of the arrival has sent nothing.
"""

from __future__ import annotations

import time

_TOLD_TO_S = 1e-3  # clients tell times in whole milliseconds


class Arrival:
    """One virtual user's, from one arrival to the next. Instants are seconds after zero."""

    __slots__ = ("_due_s", "_over_s", "failed", "requests", "zero_s")

    def __init__(self, zero_s: float) -> None:
        """`zero_s`: time zero on the monotonic clock."""
        self.zero_s = zero_s
        self.requests = 0  # of the arrival under way
        self.failed = False  # one of them, and the service is to blame
        self._due_s: float | None = None
        self._over_s: float | None = None

    def begin(self, due_s: float) -> None:
        """A new one, due at `due_s`."""
        self._due_s = due_s
        self._over_s = None
        self.requests = 0
        self.failed = False

    def end(self) -> None:
        """It is over. Where nothing was sent so far, a report may still tell that something was."""
        if self._due_s is not None:
            self._over_s = time.monotonic() - self.zero_s

    def take_due(self) -> float:
        """When the request that is about to be made is due. Every request asks once."""
        self.requests += 1
        due_s = self._due_s
        if due_s is None or self._over_s is not None:
            return time.monotonic() - self.zero_s
        self._due_s = None
        return due_s

    def due_of(self, sent_s: float) -> float:
        """The same for a request that is told of afterwards, and went out at `sent_s` or a moment later.

        It may be told when the arrival is over: a client that waits for no answer hears of it by and by.
        """
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
