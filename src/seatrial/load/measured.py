"""`with self.measure("SELECT order") as m:` puts anything on record as a request, of whatever protocol.

    with self.measure("insert order", key=order_id) as m:
        row = self.database.execute("INSERT …").fetchone()
        if row is None:
            m.failure("no order came back")

It is due like a request of `self.client` (the first of an arrival at the arrival's instant), is sent when the
block is entered and has ended when the block is left. An answer counts as good that came within the deadline
and that nobody rejected. What leaves the block as an exception decides:

| leaves the block                       | on record                | and then                               |
|----------------------------------------|--------------------------|----------------------------------------|
| an error of the system or of a library | a failure of the service | the iteration ends, unless it is caught|
| the deadline                           | never answered           | the same, as `Unanswered`              |
| Python's own (KeyError, assert …)      | the scenario's mistake   | counted as such: the run cannot pass   |
| `ResponseError`, Locust's rejection    | a failure of the service | the scenario goes on behind the block  |

A user whose iteration ended so is not met again: the next arrival gets one whose `on_start` runs, and whose
connections are new. So connect in `on_start`, in a measured block too, and an outage is told by every
arrival that falls into it. A user who was idle meanwhile still has a connection that the outage has cut: let
it look first, or each of them tells of the outage when it is over (`loadtests/protocols/sql_orders.py`).
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from greenlet import GreenletExit  # type: ignore[import-untyped]
from locust.exception import (
    InterruptTaskSet,
    LocustError,
    RescheduleTask,
    RescheduleTaskImmediately,
    ResponseError,
    StopTest,
    StopUser,
)

from seatrial.load import failure, foreign
from seatrial.load.deadlines import Deadlines
from seatrial.load.failure import RequestFailed, Unanswered
from seatrial.load.recorder import NEVER
from seatrial.load.under_way import UnderWay
from seatrial.load.user_pool import served_here
from seatrial.model.ownfailure import ABANDONED, OWN, STOPPED

_RETURNS = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser)


def measure(
    name: str, *, key: str | None = None, request_type: str = "", timeout: float | None = None
) -> Measured:
    """A block to be measured and put on record under `name`, in the name of the user that is served here.

    For users of any class, and for code that has no `self`; users of ours have a method of this name. `key`
    is the id of a write, recorded so that a check can ask for it afterwards. `timeout` (seconds) shortens the
    deadline of this request. Raises LocustError where no arrival is served.
    """
    virtual = served_here()
    if virtual is None:
        raise LocustError(
            f"measure('{name}'): no arrival is served here; it is for tasks, on_start, and greenlets that "
            "they start, while an open-model load goes on (--rate)"
        )
    return Measured(virtual.under_way, name, key, request_type, timeout)


class Measured:
    """One request, from the beginning of its with-block to the end.

    `key`, `name`, `status_code` (0 for protocols without), `served_by`, `size` (bytes of the answer) and
    `context` may be set as long as the block lasts.
    """

    __slots__ = (
        "_timer", "_under_way", "_verdict", "allowed_s", "context", "ended", "error", "intended", "key",
        "method", "name", "sent", "served_by", "size", "status_code", "url",
    )  # fmt: skip

    def __init__(
        self, under_way: UnderWay, name: str, key: str | None, request_type: str, timeout_s: float | None
    ) -> None:
        deadline_s = under_way.deadline_s
        self._under_way = under_way
        self._timer: Any = None
        self._verdict: bool | Exception | None = None
        self.name, self.key, self.method = name, key, request_type
        self.allowed_s = deadline_s if timeout_s is None else min(timeout_s, deadline_s)
        self.intended = self.sent = self.ended = NEVER
        self.status_code, self.size = 0, 0
        self.served_by = self.url = self.error = ""
        self.context: dict[str, Any] = {}

    def success(self) -> None:
        """Accept the answer. One that never came cannot be accepted."""
        self._verdict = True

    def failure(self, reason: str | Exception) -> None:
        """Reject the answer."""
        self._verdict = reason if isinstance(reason, Exception) else RequestFailed(str(reason))

    def judge(self) -> tuple[bool, str, Exception | None]:
        """Whether it was answered well; if not, why, for the log and for Locust's statistics."""
        verdict = self._verdict
        if self.error:
            return False, self.error, verdict if isinstance(verdict, Exception) else RequestFailed(self.error)
        if isinstance(verdict, RequestFailed):
            return False, foreign.told(str(verdict)), verdict
        if isinstance(verdict, Exception):
            return False, foreign.described(verdict), verdict
        return True, "", None

    def __enter__(self) -> Self:
        under_way, clock = self._under_way, time.monotonic
        self.intended = under_way.arrival.take_due()
        under_way.open(self)
        sent = clock() - under_way.arrival.zero_s
        if sent - self.intended >= self.allowed_s:
            self.error = failure.TOO_LATE
            raise self._decided_by(Unanswered(failure.TOO_LATE))
        self.sent = sent
        self._timer = Deadlines.here().start(self.allowed_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._timer.close()
        self.ended = time.monotonic() - self._under_way.arrival.zero_s
        expired = error is not None and error is self._timer.expired
        if error is not None and not expired and not isinstance(error, _RETURNS):
            self._left_by(error)
        if expired or self.ended - self.sent > self.allowed_s:
            self.ended, self.error = NEVER, failure.DEADLINE
        if expired:
            self._timer.expired = None  # it holds the scenario's frames, and they this
            raise self._decided_by(Unanswered(failure.DEADLINE)) from error
        self._under_way.decide(self)
        return isinstance(error, ResponseError)

    def _left_by(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            self.ended = NEVER
            self.error = STOPPED if isinstance(error, GreenletExit) else ABANDONED
            return
        rejected = isinstance(error, ResponseError)
        mistaken = not rejected and foreign.is_the_scenarios(error)
        if self._verdict is None:
            said = foreign.told(str(error)) if rejected else foreign.described(error)
            self.error = foreign.mistaken(error) if mistaken else said
            self._verdict = error
        if not mistaken and self._verdict is not True:
            failure.put_on_record(error)
        if self.error.startswith(OWN):
            self.ended = NEVER

    def _decided_by(self, error: Unanswered) -> Unanswered:
        self._under_way.decide(self)
        failure.put_on_record(error)
        return error
