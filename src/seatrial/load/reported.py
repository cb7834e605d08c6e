"""What a scenario's own client reports becomes a row: any protocol that Locust has a client for.

    a client ─► events.request.fire(request_type, name, response_time, exception, …) ─► here ─► the spool

Locust's clients for MQTT, PostgreSQL, MongoDB, Socket.IO …, those of its plugins and those that people write
themselves tell of a request when it is over. When it was due is known here: the first of an arrival was due
at the arrival's instant, a later one when it was sent. When it was sent follows from how long it took, or
from `start_time` where the client tells it. What our own client has measured comes by here as well, and is
left alone: it is in the log already (`reporter.Recorded`).

What counts is what Locust counts: a report with an exception is a failure. An answer that comes after the
deadline is bad here all the same, and what is never reported is no row; the generator then says that the
arrival sent nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isfinite
from typing import Any

from seatrial.load import foreign
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.reporter import Recorded, whose
from seatrial.load.spool import SpoolHeader
from seatrial.load.user_pool import served_here
from seatrial.model.ownfailure import OWN, is_ours


def listen(event: Any, recorder: Recorder, header: SpoolHeader) -> Callable[[], None]:
    """Put on record what `event`, Locust's events.request, tells from now on; call the result to end it."""
    begin_s = -header.offer.warmup_s

    def heard(
        request_type: str = "",
        name: str = "",
        response_time: Any = None,
        exception: Any = None,
        context: Any = None,
        start_time: Any = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        if isinstance(context, Recorded):
            return
        now_s = time.monotonic() - header.zero_monotonic_s
        sent_s, ended_s = instants(now_s, time.time(), response_time, start_time, begin_s)
        virtual = served_here()
        due_s = virtual.arrival.due_of(sent_s) if virtual is not None else sent_s
        error = foreign.told(exception) if exception else ""
        if error.startswith(OWN):
            ended_s = NEVER
        status, title = _whole(getattr(response, "status_code", 0)), str(name) or str(request_type)
        if virtual is not None and exception and not is_ours(error):
            virtual.arrival.failed = True
        recorder.add(
            due_s, max(sent_s, due_s), ended_s, not exception, status, title, "", error, tenant=whose(context)
        )

    event.add_listener(heard)
    return lambda: event.remove_listener(heard)


def instants(
    now_s: float, now_unix_s: float, took_ms: Any, started_unix_s: Any, begin_s: float
) -> tuple[float, float]:
    """When a request was sent and when it ended, seconds after zero; it is told of at `now_s`.

    A start on the wall clock is read as an age, so that only a clock that is set meanwhile spoils it. One
    that lies before the load (`begin_s`) or in the future is no time of day, and is left out of account.
    """
    took_s = took_ms / 1e3 if _is_number(took_ms) and took_ms >= 0 else 0.0
    if _is_number(started_unix_s):
        sent_s = now_s - (now_unix_s - started_unix_s)
        if begin_s <= sent_s <= now_s:
            return sent_s, min(sent_s + took_s, now_s) if took_ms is not None else now_s
    return max(now_s - took_s, begin_s), now_s


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= 999 else 0
