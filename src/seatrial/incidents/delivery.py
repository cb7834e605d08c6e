"""The delivery worker: takes messages out of the outbox and tells them, for as long as it takes.

It owns nothing that would be lost with it. Killed at any instant, it leaves a lease behind, and the next
worker tells the message again; the receivers fold the repetition by its dedup key.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.incidents.sink import Refused, Sink, TryLater, utc_now
from seatrial.model.problems import Unavailable
from seatrial.store import Outbox, QueuedMessage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after the n-th failure: first · 2^(n−1), at most `cap_s`, less up to half of it.

    The random part keeps many workers from returning at the same instant ("equal jitter": Brooker 2015,
    *Exponential Backoff and Jitter*). After `attempts` the message is parked; with the defaults that is
    after about a day and a half of trying.
    """

    first_s: float = 1.0
    cap_s: float = 900.0
    attempts: int = 200

    def delay_s(self, failures: int, draw: float) -> float:
        """Seconds until the next attempt; `draw` is uniform in [0, 1)."""
        full = min(self.cap_s, self.first_s * 2.0 ** min(failures - 1, 60))
        return full * (1.0 - draw / 2)


@dataclass(slots=True)
class Delivery:
    """Delivers messages of one outbox to the sinks that are on. Not to be shared between threads.

    `lease_s` must be longer than any sink's own deadline for one request.
    """

    outbox: Outbox
    sinks: Mapping[str, Sink]
    backoff: Backoff = field(default_factory=Backoff)
    lease_s: float = 60.0
    idle_s: float = 1.0
    now: Callable[[], datetime] = utc_now
    draw: Callable[[], float] = random.random
    _quiet_until: dict[str, datetime] = field(default_factory=dict)

    def deliver_next(self) -> bool:
        """Deliver one message; False when none is due. Raises Unavailable when the database is away."""
        now = self.now()
        open_sinks = [name for name in self.sinks if self._quiet_until.get(name, now) <= now]
        if not open_sinks:
            return False
        claimed = self.outbox.claim(open_sinks, now, timedelta(seconds=self.lease_s))
        if claimed is None:
            return False
        if claimed.message.kind == Kind.RESOLVE and self.outbox.trigger_was_parked(claimed):
            self._park(claimed, "its trigger could not be delivered, so there is nothing to resolve")
            return True
        self._tell(claimed)
        return True

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set."""
        while not stop.is_set():
            try:
                delivered = self.deliver_next()
            except Unavailable as error:
                _log.warning("%s; messages wait in the outbox", error)
                delivered = False
            if not delivered:
                stop.wait(self.idle_s)

    def drain(self) -> int:
        """Deliver what is due now, each message at most once more; how many were tried.

        For a command that is about to end: what does not work stays in the outbox for the next one.
        """
        tried = 0
        while self.deliver_next():
            tried += 1
        return tried

    def _tell(self, claimed: QueuedMessage) -> None:
        sink = self.sinks[claimed.message.sink]
        try:
            remark = sink.send(IncidentEvent.from_json(claimed.message.body), claimed.message.id)
        except Refused as error:
            self._park(claimed, str(error))
        except TryLater as error:
            self._put_off(claimed, error)
        except Exception as error:  # a defect in a sink must not stop the queue, and is no reason to lose it
            _log.exception("message %d to %s", claimed.number, sink.name)
            self._put_off(claimed, TryLater(f"{type(error).__name__}: {error}"))
        else:
            self.outbox.sent(claimed.number, self.now(), remark)

    def _put_off(self, claimed: QueuedMessage, error: TryLater) -> None:
        if claimed.attempts >= self.backoff.attempts:
            self._park(claimed, f"gave up after {claimed.attempts} attempts: {error}")
            return
        delay_s = self.backoff.delay_s(claimed.attempts, self.draw())
        if error.after_s is not None:
            delay_s = min(max(delay_s, error.after_s), 3600.0)
        until = self.now() + timedelta(seconds=delay_s)
        if error.whole_sink:
            self._quiet_until[claimed.message.sink] = until
        self.outbox.put_off(claimed.number, until, str(error))
        _log.info(
            "message %d to %s: %s; again in %.1f s", claimed.number, claimed.message.sink, error, delay_s
        )

    def _park(self, claimed: QueuedMessage, reason: str) -> None:
        self.outbox.park(claimed.number, reason)
        _log.error(
            "message %d to %s was not delivered: %s; mend the cause, then: seatrial incidents retry",
            claimed.number,
            claimed.message.sink,
            reason,
        )
