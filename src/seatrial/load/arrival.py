"""The arrival that a virtual user serves, as whoever sends in its name needs to know it.

The first request of an arrival was due at the arrival's own instant, however late the generator came to it; a
further request is due when it is issued. So every client asks here when its next request is due, and what has
asked nothing by the end of the arrival has sent nothing.
"""

from __future__ import annotations

import time


class Arrival:
    """One virtual user's, from one arrival to the next. Instants are seconds after zero."""

    __slots__ = ("_due_s", "requests", "zero_s")

    def __init__(self, zero_s: float) -> None:
        """`zero_s`: time zero on the monotonic clock."""
        self.zero_s = zero_s
        self.requests = 0  # of the arrival under way
        self._due_s: float | None = None

    def begin(self, due_s: float) -> None:
        """A new one, due at `due_s`."""
        self._due_s = due_s
        self.requests = 0

    def take_due(self) -> float:
        """When the request that is about to be made is due. Every request asks once."""
        self.requests += 1
        due_s = self._due_s
        if due_s is None:
            return time.monotonic() - self.zero_s
        self._due_s = None
        return due_s
