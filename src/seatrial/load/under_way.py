"""What one virtual user has under way, and the way from there onto the record.

A request is under way from when it is due until somebody has decided about it: the client, the scenario in a
with-block, or the end of the arrival. Until then a generator that is killed has left it in its spool as sent
and unaccounted for; afterwards it is a row. Whatever measures, the HTTP client or `measure`, goes this way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from seatrial.load.arrival import Arrival


class Request(Protocol):
    """One request, as the record needs it. Instants are seconds after zero, NEVER if it did not come."""

    intended: float
    sent: float
    ended: float
    method: str
    name: str
    status_code: int
    key: str | None
    url: str
    context: dict[str, Any]

    @property
    def served_by(self) -> str:
        """Who answered, or ""."""

    @property
    def size(self) -> int:
        """Length of the answer in bytes."""

    def judge(self) -> tuple[bool, str, Exception | None]:
        """Whether it was answered well; if not, why, for the log and for Locust's statistics."""


Report = Callable[[Any], bool | None]  # whether the service has failed the request


class UnderWay:
    """The requests of one virtual user. `arrival` is the one that it serves."""

    def __init__(self, arrival: Arrival, deadline_s: float, report: Report) -> None:
        self.arrival = arrival
        self.deadline_s = deadline_s
        self._report = report
        self._open: list[Request] = []

    def open(self, request: Request) -> None:
        """It is due."""
        self._open.append(request)

    def decide(self, request: Request) -> None:
        """It is decided: put it on record, once."""
        if request in self._open:
            self._open.remove(request)
            if self._report(request):
                self.arrival.failed = True

    def depart(self) -> None:
        """The arrival is over: what the scenario has left undecided is decided as it stands."""
        while self._open:
            self.decide(self._open[0])
        self.arrival.end()

    def in_flight(self) -> list[Request]:
        """Requests that are not on record yet."""
        return self._open

    def off_record(self) -> None:
        """The load is over: what is sent from now on is no part of it."""
        self._report = _keep_to_oneself


def _keep_to_oneself(_: Request) -> None:
    """Report nothing."""
