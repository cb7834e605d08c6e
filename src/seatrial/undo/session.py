"""What the conductor injects through: nothing without the journal, the guardian and the target's lock.

    with FaultSession(home, "shop", experiment="crash", run="…", faults=["process.pause"]) as session:
        prepared = session.prepare(fault, role, ttl_s=20)   # durable; may take a moment
        injection = session.fire(prepared)                  # the effect, at the planned instant
        session.undo(prepared)                              # or leave it to the end of the block

`undo` takes the effect back and verifies that. Who has an instant to keep calls `take_back`, and has it
verified beside (`verify_beside`); the end of the block waits for that, and asks again whoever could not be
asked before, because another fault was on the same role.

The session is lost, and everything is undone, when the guardian dies or freezes, or when it has taken this
process for frozen and revoked the session. A lost session injects nothing more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from seatrial.model.problems import Interrupted, SeatrialError, Unavailable
from seatrial.model.role import Role
from seatrial.processes import myself
from seatrial.undo import calling, registry
from seatrial.undo.clock import Clock, Instant, SystemClock
from seatrial.undo.injection import Injection, InjectionError, Life, Prepared
from seatrial.undo.journal import Entry, EntryState, Journal, SessionEnding, SessionRecord
from seatrial.undo.journalfile import JournalError
from seatrial.undo.link import GUARDIAN_COMMAND, GuardianLink
from seatrial.undo.lock import Holder, TargetLock
from seatrial.undo.protocol import Fault
from seatrial.undo.undoing import VERIFY_WITHIN_S, Outcome, Undoer, UndoFailedError
from seatrial.waiting import look_until

_log = logging.getLogger(__name__)

LEASE_S = 3.0
_INJECT_WITHIN_S = 60.0  # an injection that takes longer, beyond its time to live, is undone while it lasts
_WAIT_FOR_OTHER_S = 10.0
_LOOK_EVERY_S = 0.02


def journal_path(home: Path) -> Path:
    """Where the journal is, under $SEATRIAL_HOME."""
    return home / "faults.sqlite"


class FaultSession:
    """A conductor's exclusive, guarded hold on one target. Usable from all threads of one process."""

    def __init__(
        self,
        home: Path,
        target: str,
        *,
        experiment: str,
        run: str,
        faults: Iterable[str] = (),
        modules: Iterable[str] = (),
        lease_s: float = LEASE_S,
        clock: Clock | None = None,
        on_lost: Callable[[str], None] | None = None,
        guardian_command: Sequence[str] = GUARDIAN_COMMAND,
        verify_within_s: float = VERIFY_WITHIN_S,
    ) -> None:
        """`faults`: declared names that the guardian loads beforehand; `modules`: what else undoing needs.

        `verify_within_s`: how long a role has to become well; with 0 its probe is asked once.

        `on_lost` is told, in another thread, why the session was lost, once everything has been undone.
        """
        self._home = home
        self._clock = clock or SystemClock()
        self._me = myself()
        self._session = SessionRecord(uuid.uuid4().hex, target, experiment, run, self._me)
        self._faults = sorted(set(faults))
        self._modules = sorted(set(modules))
        self._lease_s = lease_s
        self._on_lost = on_lost
        self._guardian_command = guardian_command
        self._verify_within_s = verify_within_s
        self._lock = TargetLock(home, target)
        self._turn = threading.Condition()  # guards the six below
        self._in_flight: set[int] = set()
        self._fired: set[int] = set()
        self._closing = False
        self._lost = ""
        self._verifying: list[threading.Thread] = []
        self._asking_the_rest = False
        self._ended: list[Life] | None = None
        self._unrecorded: dict[int, Outcome] = {}
        self._known: dict[int, Entry] = {}  # what was prepared, for when the journal cannot be read any more
        self.outcomes: list[Outcome] = []  # of the faults that `undo_all` or the end had to undo

    @property
    def id(self) -> str:
        """The session's id in the journal."""
        return self._session.id

    @property
    def lost(self) -> str:
        """Why nothing more can be injected; empty while all is well."""
        return self._lost

    def history(self) -> list[Life]:
        """Every fault of this session, in the order of injection, also after the session's end."""
        if self._ended is not None:
            return self._ended
        return [self._life(entry) for entry in self._journal.entries(self.id)]

    def life(self, prepared: Prepared) -> Life:
        """The one of a fault that is under way. Raises JournalError."""
        return self._life(self._journal.entry(prepared.id))

    def _life(self, entry: Entry) -> Life:
        outcome = Outcome.of(entry)
        if not outcome.undone:
            outcome = self._unrecorded.get(entry.id, outcome)
        return Life(entry, self._journal.instants(entry.id), outcome.undo_outcome, outcome.error)

    # beginning and end

    def __enter__(self) -> Self:
        """Lock the target, open the journal, start the guardian. Raises Unavailable; then nothing is left."""
        with contextlib.ExitStack() as on_error:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            self._lock.acquire(
                Holder(self._me, self.id, self._session.target, self._session.experiment, since)
            )
            on_error.callback(self._lock.release)
            self._journal = Journal(journal_path(self._home), self._clock)
            on_error.callback(self._journal.close)
            self._undoer = Undoer(self._journal, self._me, untouched=self._untouched)
            self._journal.open_session(self._session)
            on_error.callback(self._journal.end_session, self.id, SessionEnding.CLOSED)
            self._link = GuardianLink(
                self._journal.path,
                self.id,
                lease_s=self._lease_s,
                faults=self._faults,
                modules=self._modules,
                on_lost=self._lose,
                command=self._guardian_command,
            )
            on_error.callback(self._link.leave)
            self._journal.guarded_by(self.id, self._link.process)
            on_error.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo everything, verify it, let the guardian go. `outcomes` and `history` tell what came of it."""
        ending = SessionEnding.CLOSED if error is None and not self._lost else SessionEnding.INTERRUPTED
        with contextlib.ExitStack() as leaving:  # from the last to the first; one that fails stops no other
            leaving.callback(self._lock.release)
            leaving.callback(self._journal.close)
            leaving.callback(self._remember)
            leaving.callback(self._end_in_the_journal, ending)
            leaving.callback(self._link.leave)
            leaving.callback(self._verify_the_rest)
            self.undo_all()

    def _end_in_the_journal(self, ending: SessionEnding) -> None:
        try:
            self._journal.end_session(self.id, ending)
        except JournalError as unwritable:  # `recover` ends it; what the run has measured stands
            _log.error("the end of session %s is not recorded: %s", self.id, unwritable)

    def _remember(self) -> None:
        """Keep what the journal knows for `history`; if it cannot be read any more, what was seen of each."""
        try:
            self._ended = self.history()
        except JournalError as error:
            _log.error("what became of the faults is not on record: %s", error)
            unrecorded = "the fault journal could not be read afterwards, so its undo is not on record"
            last = {outcome.entry.id: outcome for outcome in self.outcomes}
            self._ended = [
                Life(outcome.entry, {}, outcome.undo_outcome, outcome.error or unrecorded)
                for _, outcome in sorted(last.items())
            ]

    # injecting

    def prepare(self, fault: Fault, role: Role, ttl_s: float, label: str = "") -> Prepared:
        """Look the role up, make the undo durable, and what the injection needs ready.

        Raises BadInput, Unavailable or JournalError.

        ttl_s: seconds after the effect when the guardian undoes it, should nobody have done so by then.
        """
        registry.bind(fault, role)
        with self._turn:
            self._require_ours()
        undo = calling.prepare(fault, role)
        expires_ns = self._clock.now().boottime_ns + round((ttl_s + _INJECT_WITHIN_S) * 1e9)
        number = self._journal.prepare(self.id, label or fault.name, undo, expires_ns)
        self._known[number] = self._journal.entry(number)
        calling.warm(fault, undo)
        return Prepared(number, fault, undo, ttl_s)

    def fire(self, prepared: Prepared) -> Injection:
        """Bring the effect about. Raises InjectionError when it failed (it is undone then) or Unavailable."""
        with self._turn:
            self._require_ours()
            self._in_flight.add(prepared.id)
            self._fired.add(prepared.id)
        try:
            before = self._clock.now()
            calling.inject(prepared.fault, prepared.undo)
            self._spread(prepared)
            after = self._clock.now()
            expires_ns = after.boottime_ns + round(prepared.ttl_s * 1e9)
            ours = self._journal.activate(prepared.id, before, after, expires_ns)
        except SeatrialError as error:
            left = self._take_back(prepared)
            what = f"{prepared.fault.name} on {prepared.undo.role.name}: {error}"
            raise InjectionError("; ".join(filter(None, [what, left]))) from error
        finally:
            with self._turn:
                self._in_flight.discard(prepared.id)
                self._turn.notify_all()
        if not ours:
            left = self._take_back(prepared)
            why = f"{prepared.fault.name}: {self._lost or 'its undo had begun already'}"
            raise Unavailable("; ".join(filter(None, [why, left])))
        return Injection(prepared, before, after)

    def _spread(self, prepared: Prepared) -> None:
        """Let the fault reach what it finds on the way, each part durable before it is touched."""
        fault, undo = prepared.fault, prepared.undo
        while (wider := calling.extended(fault, undo)) is not None:
            if not self._journal.amend(prepared.id, wider):
                return
            calling.inject(fault, wider)
            undo = wider

    def inject(self, fault: Fault, role: Role, ttl_s: float, label: str = "") -> Injection:
        """`prepare` and `fire` in one."""
        return self.fire(self.prepare(fault, role, ttl_s, label))

    def observed(self, prepared: Prepared, instant: Instant) -> None:
        """Note when a probe first saw the effect."""
        self._journal.observed(prepared.id, instant)

    def _require_ours(self) -> None:
        if self._lost:
            raise Unavailable(f"nothing more is injected: {self._lost}")
        if self._closing:
            raise Interrupted("nothing more is injected: everything is being undone")

    # undoing

    def take_back(self, prepared: Prepared) -> Outcome:
        """Undo one fault, and look at nothing yet. Raises UndoFailedError with the command to run by hand."""
        outcome = self._awaited(self._undoer.undo(self._journal.entry(prepared.id)))
        if not outcome.recorded:
            self._unrecorded[prepared.id] = outcome
        if outcome.state is EntryState.UNDO_FAILED:
            raise UndoFailedError([outcome])
        return outcome

    def undo(self, prepared: Prepared) -> Outcome:
        """Undo one fault and verify it. Raises UndoFailedError."""
        outcome = self._undoer.verify(self.take_back(prepared), self._verify_within_s)
        if outcome.state is EntryState.UNDO_FAILED:
            raise UndoFailedError([outcome])
        return outcome

    def verify_beside(self, outcome: Outcome, tell: Callable[[Outcome], None]) -> None:
        """Verify it in a thread of its own; `tell` is given, in that thread, what has come of it.

        Nobody is told once the session has begun to end, nor where the machine starts no more threads: the
        end asks all who were not asked.
        """

        def look() -> None:
            tell(self._undoer.verify(outcome, self._verify_within_s))

        thread = threading.Thread(target=look, name="seatrial-verify", daemon=True)
        with self._turn:
            if self._asking_the_rest:
                return
            try:
                thread.start()
            except RuntimeError as error:
                _log.warning("%s is verified at the end: %s", outcome.entry.label, error)
                return
            self._verifying.append(thread)

    def _verify_the_rest(self) -> None:
        """Wait for whoever is being looked at beside, and ask whoever could not be asked before."""
        with self._turn:
            self._asking_the_rest = True
        for thread in self._verifying:
            thread.join()  # each look has its limit
        try:
            entries = self._journal.entries(self.id)
        except JournalError as error:  # what `undo_all` has seen of each is all that will be known
            _log.error("nobody can be asked again: %s", error)
            return
        unasked = [each for each in entries if each.state is EntryState.UNDONE and each.verified is None]
        self._undoer.verify_each([Outcome.of(entry) for entry in unasked], self._verify_within_s)

    def undo_all(self) -> list[Outcome]:
        """Undo whatever is there, the last first, and inject nothing more. A failure is an outcome."""
        with self._turn:
            self._closing = True
            in_flight = set(self._in_flight)
        outcomes = self._undo_open(but=in_flight)
        with self._turn:
            self._turn.wait_for(lambda: not self._in_flight, _INJECT_WITHIN_S)
        if in_flight:
            outcomes += self._undo_open(but=set())
        verified = self._undoer.verify_each(outcomes, self._verify_within_s)
        self._unrecorded.update({each.entry.id: each for each in verified if not each.recorded})
        self.outcomes += verified
        return verified

    def _undo_open(self, but: set[int]) -> list[Outcome]:
        try:
            left = self._journal.open_entries(self.id)
        except JournalError as error:
            _log.error("everything prepared is undone, open or not: %s", error)
            left = list(self._known.values())
        entries = [entry for entry in left if entry.id not in but]
        return [self._awaited(outcome) for outcome in self._undoer.undo_each(entries)]

    def _awaited(self, outcome: Outcome) -> Outcome:
        """Wait for another who has claimed the undo, and take it over when that takes too long."""
        if outcome.state is not EntryState.UNDOING:
            return outcome

        def as_told() -> Outcome:
            try:
                return Outcome.of(self._journal.entry(outcome.entry.id))
            except JournalError:  # nobody can say whether another is at it: we do it
                return replace(outcome, recorded=False)

        def is_ours(told: Outcome) -> bool:
            return told.state is not EntryState.UNDOING or not told.recorded

        if outcome.recorded:
            outcome = look_until(as_told, is_ours, 0.0 if self._lost else _WAIT_FOR_OTHER_S, _LOOK_EVERY_S)
        return (
            self._undoer.undo(outcome.entry, force=True) if outcome.state is EntryState.UNDOING else outcome
        )

    def _untouched(self, entry: Entry) -> bool:
        """Whether it is ours and was never fired."""
        with self._turn:
            return entry.session == self.id and entry.id not in self._fired

    def _take_back(self, prepared: Prepared) -> str:
        """What is wrong when it could not be done."""
        outcome = self._undoer.undo(self._journal.entry(prepared.id), force=True)
        if not outcome.recorded:
            self._unrecorded[prepared.id] = outcome
        return str(outcome) if outcome.state is EntryState.UNDO_FAILED else ""

    def _lose(self, reason: str) -> None:
        _log.error("session %s is lost: %s; undoing everything", self.id, reason)
        with self._turn:
            self._lost = reason
        self.undo_all()
        if self._on_lost is not None:
            self._on_lost(reason)
