"""The master's side of workers that share neither its clock nor its disk.

    ask ──────────────► what does your clock show?   so much of your rows is here, so large is an arrival
    ◄────────────── clock   who I am, what my clock shows, what my arrivals have made
    ◄────────────── rows    a chunk of my spool, at its place
    file ─────────────► data that is wanted, at its place       (before the start, see `supplies`)
    finish ───────────► no more arrivals; all of your rows, please

It asks all the time: before the start to know each clock, during the test to follow its drift, after it until
the last row is here. A question is also the lease: a worker that hears none stops sending by itself, and one
that answers none is lost from the instant it was last heard. What it learns goes on record (`fleetrecord`),
and whoever reads that judges.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from locust.runners import MasterRunner

from seatrial.load.agreement import Agreement
from seatrial.load.alarm import sleep_until
from seatrial.load.assignment import Assignment
from seatrial.load.clocks import MOST_DOUBT_S, Clock, RoundTrip
from seatrial.load.fleetrecord import FleetRecord, Loss, Member
from seatrial.load.shipping import Chunk, Inbound
from seatrial.load.supplies import Supplier, Supply
from seatrial.load.trust import (
    LEASE_S,
    MASTER,
    MESSAGE,
    SECRET,
    is_loopback,
    opened,
    sealed,
    wrong_with_listening,
)
from seatrial.load.versions import UNTOLD, ScenarioCode, versions
from seatrial.model.workers import OnLost
from seatrial.processes import same_clock_as
from seatrial.waiting import wait_until

_ASK_EVERY_S = 0.5
_ASK_AT_FIRST_S = 0.05
_FIRST_TRIPS = 8
_FIRST_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.05
_TAKEN_OVER_IN_S = 0.5  # until the order has reached those who go on
_TOLD_WITHIN_S = 0.2  # what arrivals have made, by workers that are well

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Worker:
    """What is known of one worker."""

    heard_s: float = -math.inf
    trips: list[RoundTrip] = field(default_factory=list)  # before the start; later ones are on record
    name: str = ""
    versions: str = ""
    scenario: ScenarioCode = UNTOLD  # what it has imported
    clock: str = ""  # which clock of which boot its process reads
    index: int | None = None  # of its share; None as long as it has none
    inbound: Inbound | None = None
    supplier: Supplier | None = None  # while it is brought files
    silent: bool = False  # nothing is heard of it
    lost: bool = False  # it was silent for a lease at least, or ended by itself


class Fleet:
    """The workers of one master, which has imported `scenario`.

    Raises ValueError when it must not listen where it does.
    """

    def __init__(
        self,
        runner: MasterRunner,
        key: bytes,
        on_lost: OnLost,
        abort: Callable[[], None],
        scenario: ScenarioCode = UNTOLD,
    ) -> None:
        if wrong := wrong_with_listening(runner.master_bind_host, key):
            raise ValueError(wrong)
        self._runner: Any = runner
        self._key = key
        self._on_lost = on_lost
        self._scenario = scenario
        self._abort = abort
        self._workers: dict[str, _Worker] = {}
        self._test = ""
        self._zero_s = math.nan
        self._ends_s = math.inf  # when the measured part is over, after zero
        self._record: FleetRecord | None = None
        self._every_s = _ASK_AT_FIRST_S
        self._closed = Event()
        self._strangers: set[str] = set()
        self._agreement: Agreement | None = None  # where the rate counts requests
        self._finishing = False
        self._runner.custom_messages.pop(MESSAGE, None)  # of the last test
        runner.register_message(MESSAGE, self._hear)
        gevent.spawn(self._ask_regularly)

    def close(self) -> None:
        """There is no test, or it is over: nobody is asked any more."""
        self._closed.set()

    # before the test

    def bring(self, supplies: Sequence[Supply], wanted: Sequence[str]) -> None:
        """See to it that these workers have these files. Raises ValueError for one that cannot, OSError.

        Nothing is sent to one that is not trusted, or runs another version.
        """
        self._hear_of(wanted, 1)
        in_the_open = not is_loopback(self._runner.master_bind_host)
        failures: list[Exception] = []

        def bring(client: str) -> None:
            worker = self._worker(client)
            worker.supplier = Supplier(worker.name, partial(self._say, client), in_the_open)
            try:
                worker.supplier.bring(supplies)
            except (ValueError, OSError) as error:
                failures.append(error)

        gevent.joinall([gevent.spawn(bring, client) for client in wanted])
        if failures:
            raise failures[0]

    def ahead_of_us(self, wanted: Sequence[str]) -> tuple[float, ...]:
        """How far the clocks of these workers are ahead, in seconds.

        Raises ValueError unless all can be trusted.
        """
        self._hear_of(wanted, _FIRST_TRIPS)
        return tuple(self._ahead(self._workers[each]) for each in wanted)

    def _hear_of(self, wanted: Sequence[str], trips: int) -> None:
        """Have so many round trips to each. Raises ValueError unless all can be trusted."""

        def all_known() -> bool:
            return all(len(self._worker(each).trips) >= trips for each in wanted)

        wait_until(all_known, _FIRST_WITHIN_S, _LOOK_EVERY_S, sleep=gevent.sleep)
        for each in wanted:
            self._require_trust(each)

    def _ahead(self, worker: _Worker) -> float:
        if same_clock_as(worker.clock):
            return 0.0
        clock, doubt_s = Clock.of(worker.trips), math.inf
        if clock.known:
            ahead, doubt = clock.ahead(clock.heard[-1:])
            doubt_s = float(doubt[0])
        if doubt_s > MOST_DOUBT_S:
            raise ValueError(
                f"the clock of worker {worker.name} cannot be told to {MOST_DOUBT_S * 1000:.0f} ms: round "
                "trips to it take too long, or it was set meanwhile; try again, or choose another machine"
            )
        return float(ahead[0])

    def _require_trust(self, client: str) -> None:
        worker = self._worker(client)
        if not worker.trips:
            why = "it gave no answer that could be trusted"
            raise ValueError(f"worker {client}: {why}; has it the same {SECRET}, and {versions()}?")
        if worker.versions != versions():
            raise ValueError(
                f"worker {worker.name} runs {worker.versions}, and the master {versions()}: install the same"
            )
        if worker.scenario.hash != self._scenario.hash:
            raise ValueError(
                f"worker {worker.name} has another scenario than the master; start it with -f -, "
                "and it gets the master's"
            )
        if others := self._scenario.other_modules(worker.scenario):
            raise ValueError(
                f"worker {worker.name} imports {', '.join(others)} from other files than the master's; "
                "put the same ones there"
            )

    # the test

    def begin(self, assignment: Assignment, length_s: float) -> None:
        """The test is assigned: put on record who takes part, and take their rows."""
        self._record = FleetRecord(assignment.place)
        self._test, self._zero_s, self._ends_s = (
            assignment.test,
            assignment.zero_monotonic_s,
            length_s,
        )
        members = []
        for index, client in enumerate(assignment.workers):
            worker = self._workers[client]
            worker.index, worker.inbound = index, Inbound(assignment.spool(index))
            members.append(Member(worker.name, same_clock_as(worker.clock)))
        self._record.begin(assignment.zero_monotonic_s, assignment.zero_unix_s, members)
        for worker in self._members():
            for trip in worker.trips:
                self._record.trip(worker.index or 0, trip)
        self._every_s = _ASK_EVERY_S

    def finish(self, within_s: float) -> None:
        """End the load of all workers, and wait until the last row is here or its worker is lost."""
        if self._record is None or self._finishing:
            return
        self._finishing = True
        self._record.ended(min(self._now_s(), self._ends_s))
        self._every_s = _ASK_AT_FIRST_S
        wait_until(self._is_over, within_s, _LOOK_EVERY_S, sleep=gevent.sleep)
        late = [worker for worker in self._members() if not worker.silent and not self._has_all(worker)]
        for worker in late:
            self._lose(worker, "its last rows did not come in time")
        self.close()

    def _is_over(self) -> bool:
        return all(self._has_all(worker) or worker.silent for worker in self._members())

    def _members(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.index is not None]

    @staticmethod
    def _has_all(worker: _Worker) -> bool:
        return worker.inbound is not None and worker.inbound.whole

    def _worker(self, client: str) -> _Worker:
        return self._workers.setdefault(client, _Worker())

    # what is said and heard

    def _ask_regularly(self) -> None:
        while not self._closed.wait(self._every_s):
            self._ask_all()
            self._look_for_losses()

    def _ask_all(self) -> None:
        for client in {*self._runner.clients, *self._workers}:
            self._ask(client)

    def _ask(self, client: str) -> None:
        inbound = self._worker(client).inbound
        has, whole = (inbound.size, inbound.whole) if inbound else (0, False)
        said = {"test": self._test, "has": has, "whole": whole, "finish": self._finishing}
        agreed = self._agreement.plain if self._agreement else []
        self._say(client, kind="ask", **said, agreed=agreed, asked=time.monotonic())

    def _say(self, client: str, **said: Any) -> None:
        self._runner.send_message(MESSAGE, sealed(self._key, MASTER, to=client, **said), client_id=client)

    def _hear(self, msg: Any, **_: Any) -> None:
        heard_s = time.monotonic()
        said = opened(self._key, msg.node_id, msg.data)
        if said is None:
            if msg.node_id not in self._strangers:
                self._strangers.add(msg.node_id)
                logger.error("%s sends what is not sealed by our %s; it is ignored", msg.node_id, SECRET)
            return
        worker = self._worker(msg.node_id)
        worker.heard_s = heard_s
        if said["kind"] == "clock" and said["asked"] <= heard_s:
            self._take_clock(worker, RoundTrip(said["asked"], said["shown"], heard_s), said)
        elif said["kind"] == "rows" and said["test"] == self._test:
            self._take_rows(msg.node_id, worker, Chunk(said["offset"], said["data"], said["last"]))
        elif said["kind"] == "has" and worker.supplier is not None:
            worker.supplier.hear(said)
        if worker.silent:
            self._found(worker)

    def _take_clock(self, worker: _Worker, trip: RoundTrip, said: Any) -> None:
        worker.name, worker.versions, worker.clock = said["name"], said["versions"], said["clock"]
        worker.scenario = ScenarioCode(
            said.get("scenario", ""), said.get("modules", {})
        )  # older ones do not tell
        if self._record is None or worker.index is None:
            worker.trips.append(trip)
        else:
            self._record.trip(worker.index, trip)
            if self._agreement is not None and (made := said.get("made")):
                self._agreement.hear(worker.index, made)
            if said["ended"] and not self._finishing and not worker.lost and self._now_s() < self._ends_s:
                self._lose(worker, said["ended"])

    def _take_rows(self, client: str, worker: _Worker, chunk: Chunk) -> None:
        if worker.inbound is None:
            return
        try:
            worker.inbound.put(chunk)
        except (OSError, ValueError) as error:
            logger.critical("The rows of worker %s cannot be kept: %s", worker.name, error)
            self._abort()
            return
        self._ask(client)

    # a rate of requests

    def agree(self, agreement: Agreement, refuse: Callable[[ValueError], None]) -> None:
        """See to it that all workers know in time how many requests an arrival makes.

        `refuse` is called when the warm-up has shown nothing.
        """
        self._agreement = agreement
        gevent.spawn(self._settle, agreement, refuse)

    def _settle(self, agreement: Agreement, refuse: Callable[[ValueError], None]) -> None:
        for at_s in agreement.settled_at_s:
            sleep_until(self._zero_s + at_s)
            asked_s = time.monotonic()
            self._ask_all()
            self._wait_for_answers(asked_s)
            if self._finishing or self._closed.is_set():
                return
            try:
                offer = agreement.settle()
            except ValueError as error:
                refuse(error)
                return
            assert self._record is not None
            self._record.offered(offer)
            self._ask_all()

    def _wait_for_answers(self, asked_s: float) -> None:
        def all_have_answered() -> bool:
            return all(each.heard_s >= asked_s or each.silent for each in self._members())

        wait_until(all_have_answered, _TOLD_WITHIN_S, _LOOK_EVERY_S / 5, sleep=gevent.sleep)

    # losses

    def _now_s(self) -> float:
        return time.monotonic() - self._zero_s

    def _look_for_losses(self) -> None:
        now_s = time.monotonic()
        for worker in self._members():
            if not worker.silent and not self._has_all(worker) and now_s - worker.heard_s > LEASE_S:
                worker.silent = True
                self._lose(worker, f"nothing was heard of it for {LEASE_S:g} s")

    def _lose(self, worker: _Worker, why: str) -> None:
        assert self._record is not None
        assert worker.index is not None
        worker.lost = True
        at_s = worker.heard_s - self._zero_s
        self._record.lost(Loss(worker.index, at_s, why))
        logger.error("Load worker %s was lost at %.1f s: %s", worker.name, at_s, why)
        if self._finishing:
            return
        if self._on_lost == "abort" or all(each.lost for each in self._members()):
            gevent.spawn(self._abort)
        elif self._on_lost == "redistribute":
            self._hand_over(worker.index)

    def _found(self, worker: _Worker) -> None:
        assert self._record is not None
        assert worker.index is not None
        worker.silent = False
        self._record.heard_again(worker.index, self._now_s())
        logger.warning("Load worker %s is heard again", worker.name)

    def _hand_over(self, index: int) -> None:
        """Those who are left take the lost share between them, from an instant that is still to come."""
        left = {client: worker for client, worker in self._workers.items() if worker in self._members()}
        heirs = [client for client, worker in left.items() if not worker.lost]
        from_s = self._now_s() + _TAKEN_OVER_IN_S
        assert self._record is not None
        self._record.taken_over(index, from_s, [left[client].index or 0 for client in heirs])
        for place, client in enumerate(heirs):
            self._say(
                client, kind="take", test=self._test, share=index, part=place, of=len(heirs), from_s=from_s
            )
