"""The daemon: wakes, looks at the table of occurrences, and does what is due.

APScheduler only wakes it (an interval job in memory). It is trusted with nothing else: it forgets what was
due while it was down, loses a job that dies midway and runs a job twice when two processes share its store.
What was planned follows from the schedules; what became of it is in the database. A daemon holds no state
that a `kill -9` could lose, and any number of them may share one database.

All access to the database happens in `tick`, one at a time. When the database is away a tick ends early, and
the next one continues where the table says.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile

from seatrial.incidents.policy import Routes
from seatrial.model.problems import Problem, Unavailable
from seatrial.schedule.accounting import Decision, Step, decide
from seatrial.schedule.clock import Clock
from seatrial.schedule.execution import Execute, OccurrenceExecution
from seatrial.schedule.loading import LoadedSchedule
from seatrial.schedule.telling import Teller
from seatrial.store import Claim, Occurrence, OccurrenceEnding, OccurrenceState, RecordedOccurrence, Store

_log = logging.getLogger(__name__)

_MOST_A_TICK = 200  # occurrences of one schedule; a long absence is made up for over several ticks
_GIVE_UP_AT = 0.6  # of a lease: an owner that is not heard aborts before others may take over


@dataclass(frozen=True, slots=True)
class Options:
    """How a daemon behaves. Seconds of the monotonic clock."""

    routes: Routes  # which sinks hear of what
    tick_s: float = 5.0
    lease_s: float = 120.0  # an owner that is silent for so long is dead
    parallel: int = 1  # runs on one machine disturb each other's measurements


class Daemon:
    """Accounts for the planned instants of its schedules. `tick` is for one thread at a time."""

    def __init__(
        self,
        store: Store,
        schedules: Callable[[], Sequence[LoadedSchedule]],
        execute: Execute,
        clock: Clock,
        options: Options,
        since: datetime | None = None,
        problems: Callable[[], Mapping[str, Sequence[Problem]]] = dict,
    ) -> None:
        """`since`: from when a schedule that the database does not know yet is accounted for; default: now.

        `problems`: what is wrong with a schedule's files now, by its name; it is told when it changes.
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._identity = uuid.uuid4().hex[:12]
        self._store = store
        self._schedules = schedules
        self._execute = execute
        self._clock = clock
        self._options = options
        self._teller = Teller(store, options.routes)
        self._problems = problems
        self._told: dict[str, tuple[Problem, ...]] = {}  # what is known to be told of a schedule's files
        self._since = since if since is not None else clock.now()
        self._executions: list[OccurrenceExecution] = []
        self._heard_at = clock.monotonic()  # when the database last took our heartbeats
        # others' claims: the beat, and since when (on the monotonic clock) it has stood there
        self._watched: dict[str, tuple[int, float]] = {}
        self._obstacles: dict[str, str] = {}  # schedule → what stands in the way of its next occurrence
        self._waiting: set[str] = set()  # schedules with an occurrence that has come and has no row yet
        self._draining = False
        self._away = False

    @property
    def running(self) -> int:
        """How many occurrences this daemon runs now."""
        return len(self._executions)

    @property
    def away(self) -> bool:
        """Whether the database did not answer the last tick."""
        return self._away

    @property
    def idle(self) -> bool:
        """Whether the last tick left nothing to come back for: nothing runs, nothing waits to start."""
        return not (self._executions or self._waiting or self._away)

    def drain(self) -> None:
        """Start nothing more."""
        self._draining = True

    def abort_all(self, why: str, *, by_hand: bool = False) -> None:
        """Undo and end whatever is running. Nobody is told of what a person at a terminal ends `by_hand`."""
        for execution in self._executions:
            execution.abort(why, by_hand=by_hand)

    def tick(self) -> None:
        """Look once, and do what is due. When the database is away, the next tick continues."""
        schedules = self._schedules()
        now = self._clock.now()
        self._close_windows(now)
        try:
            self._beat()
            self._finish(now)
            self._bury(schedules, now)
            self._tell_of_files(schedules, now)
            if not self._draining:
                for loaded in schedules:
                    self._account(loaded, now)
            if self._away:
                _log.warning("the run database answers again")
            self._away = False
        except Unavailable as error:
            if not self._away:
                _log.warning("%s; runs that are under way go on, and it is asked again", error)
            self._away = True
        self._abort_unheard()

    def _close_windows(self, now: datetime) -> None:
        for execution in self._executions:
            reason = execution.loaded.allowance.blackout(now)
            if reason is not None:
                execution.abort(f"its window has closed ({reason})")

    def _beat(self) -> None:
        asked_at = self._clock.monotonic()
        mine = self._store.occurrences.heartbeat([execution.claim for execution in self._executions])
        self._heard_at = asked_at
        for execution in self._executions:
            if execution.claim not in mine:
                execution.abort("this daemon was not heard for a lease, and another declared it interrupted")

    def _abort_unheard(self) -> None:
        silent_s = self._clock.monotonic() - self._heard_at
        if silent_s > _GIVE_UP_AT * self._options.lease_s:
            self.abort_all(f"the run database has not answered for {silent_s:.0f} s; others may take over")

    def _finish(self, now: datetime) -> None:
        """Record what has ended. An execution is forgotten only after the database has its ending."""
        for execution in list(self._executions):
            ending = execution.ending()
            if ending is None:
                continue
            messages = self._teller.of_ending(
                execution.loaded, execution.occurrence, ending, now, execution.unproven
            )
            silent = execution.by_hand and ending.state is OccurrenceState.INTERRUPTED
            self._store.occurrences.finish(execution.claim, ending, now, () if silent else messages)
            self._executions.remove(execution)

    def _bury(self, schedules: Sequence[LoadedSchedule], now: datetime) -> None:
        """Declare interrupted what other daemons run that were not heard of for a lease by our clock."""
        mine = {execution.claim for execution in self._executions}
        others = [row for row in self._store.occurrences.running() if row.claim not in mine]
        monotonic = self._clock.monotonic()
        watched: dict[str, tuple[int, float]] = {}
        for row in others:
            beat, since = self._watched.get(row.claim, (row.beat, monotonic))
            watched[row.claim] = (row.beat, since if beat == row.beat else monotonic)
            if monotonic - watched[row.claim][1] > self._options.lease_s:
                self._interrupt(row, schedules, now)
        self._watched = watched

    def _interrupt(self, row: RecordedOccurrence, schedules: Sequence[LoadedSchedule], now: datetime) -> None:
        detail = f"the daemon {row.daemon} died, or was not heard for {self._options.lease_s:g} s"
        occurrence = Occurrence(row.schedule, row.planned_at, row.due_at, row.target)
        ending = OccurrenceEnding(OccurrenceState.INTERRUPTED, detail=detail)
        loaded = next((each for each in schedules if each.name == row.schedule), None)
        messages = self._teller.of_ending(loaded, occurrence, ending, now) if loaded else []
        if self._store.occurrences.interrupt(row, detail, now, messages):
            _log.error("%s, planned for %s: %s", row.schedule, row.planned_at.isoformat(), detail)

    def _tell_of_files(self, schedules: Sequence[LoadedSchedule], now: datetime) -> None:
        """Tell at once what would otherwise show when the next occurrence is due, at night."""
        found = self._problems()
        for loaded in schedules:
            problems = tuple(found.get(loaded.name, ()))
            if self._told.get(loaded.name) != problems:
                self._store.outbox.enqueue(self._teller.of_files(loaded, problems, now), now)
                self._told[loaded.name] = problems

    def _account(self, loaded: LoadedSchedule, now: datetime) -> None:
        """Give each planned instant up to now its row, in order."""
        cursor = self._store.occurrences.register(loaded.name, self._since)
        come = takewhile(lambda each: each.utc <= now, loaded.planned(cursor))
        occurrences = [loaded.occurrence(each.utc) for each in islice(come, _MOST_A_TICK + 1)]
        late_s = loaded.schedule.missed.late_s
        obstacle = self._obstacles.get(loaded.name, "")
        decisions = decide(occurrences, now, late_s, loaded.allowance.blackout, obstacle)[:_MOST_A_TICK]
        accounted = self._carry_out(loaded, decisions, now)
        if accounted:
            self._obstacles.pop(loaded.name, None)
            self._store.occurrences.accounted(loaded.name, decisions[accounted - 1].occurrence.planned_at)
        self._waiting.discard(loaded.name)
        if accounted < len(occurrences):
            self._waiting.add(loaded.name)

    def _carry_out(self, loaded: LoadedSchedule, decisions: Sequence[Decision], now: datetime) -> int:
        """How many of the occurrences have their row now, from the first on without a gap."""
        missed = [each for each in decisions if _is_missed(each)]
        if missed:
            _log.error("%s: missed %d: %s", loaded.name, len(missed), _told(missed[-1]))
        for accounted, decision in enumerate(decisions):
            occurrence, outcome = decision.occurrence, decision.outcome
            if isinstance(outcome, OccurrenceEnding):
                told = (
                    not _is_missed(decision) or decision is missed[-1]
                )  # of many missed at once, one page tells
                messages = self._teller.of_ending(loaded, occurrence, outcome, now) if told else []
                self._store.occurrences.close(occurrence, outcome, now, messages)
            elif outcome is Step.WAIT or not self._start(loaded, occurrence, now):
                return accounted
        return len(decisions)

    def _start(self, loaded: LoadedSchedule, occurrence: Occurrence, now: datetime) -> bool:
        claim = f"{self._identity}/{occurrence.schedule}/{occurrence.planned_at.isoformat()}"
        if any(execution.claim == claim for execution in self._executions):
            return True
        if len(self._executions) >= self._options.parallel:
            busy = ", ".join(execution.occurrence.schedule for execution in self._executions)
            self._obstacles[loaded.name] = f"the daemon {self.name} was busy with {busy}"
            return False
        won = self._store.occurrences.claim(occurrence, claim, self.name, now)
        if won is Claim.BUSY:
            self._obstacles[loaded.name] = f"something else was running on {occurrence.target}"
            return False
        if won is Claim.WON:
            self._executions.append(OccurrenceExecution(loaded, occurrence, claim, self._execute))
        return True


def _is_missed(decision: Decision) -> bool:
    outcome = decision.outcome
    return isinstance(outcome, OccurrenceEnding) and outcome.state is OccurrenceState.MISSED


def _told(decision: Decision) -> str:
    detail = decision.outcome.detail if isinstance(decision.outcome, OccurrenceEnding) else ""
    return f"planned for {decision.occurrence.planned_at:%Y-%m-%d %H:%M} UTC: {detail}"
