"""How a fault is undone, whoever does it: conductor, guardian or `recover`.

Claim in the journal, undo, say so, verify. Several may race, for an undo is idempotent; the claim only spares
them the trouble. Three rules make it safe:

* Reverse order of injection, each in its own thread: one that fails stops nobody, one that hangs delays the
  next by `patience_s` and no more.
* A fault that was never ACTIVE is not UNDONE while its conductor lives. The conductor may have been frozen
  between the journal and the effect, and may inject the moment it thaws. Such a fault stays UNDOING, and
  somebody comes back to it, until the conductor is gone or has itself said that it is done.
* A journal that cannot be written, because a frozen process has locked it or the disk is full, does not keep
  an effect in place: the undo goes ahead, and the journal learns of it when it can be written again.

A failure is an outcome and no exception: whoever asked tells it, with what to do by hand, and the guardian's
log has a line of it. Verified is what has answered two questions, `gone` and `healthy` (`protocol.Probe`),
within its time. What was given no way to tell is undone and not verified: that is said, and is no failure.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from seatrial.model.problems import SeatrialError
from seatrial.model.undo import UndoOutcome
from seatrial.processes import ProcessId, is_running
from seatrial.undo import calling, registry
from seatrial.undo.journal import Entry, EntryState, Journal
from seatrial.undo.journalfile import JournalError
from seatrial.undo.protocol import Fault, Undo
from seatrial.waiting import join_all, look_until

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # how long the next undo waits for the one before it
VERIFY_WITHIN_S = (
    30.0  # how long a role has to become well again: a database node starts, rewinds and follows
)
LONGEST_UNDO_S = 120.0  # nothing waits longer; the drivers have shorter limits of their own
LONGEST_LOOK_S = 60.0  # the same for one look of a probe
_PROBE_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of undoing one fault. `state` is UNDOING when it is left to another, or to a later pass."""

    entry: Entry
    state: EntryState
    verified: bool | None = None
    error: str = ""
    failure: UndoOutcome | None = None
    recorded: bool = True  # False: the undo has returned, and the journal could not be told

    @property
    def undone(self) -> bool:
        """Whether nobody needs to come back to it."""
        return self.state is EntryState.UNDONE

    @property
    def undo_outcome(self) -> UndoOutcome:
        """The same in one word."""
        if not self.recorded:
            return self.failure or UndoOutcome.UNRECORDED
        known = {"state": self.state, "verified": self.verified, "failure": self.failure}
        return replace(self.entry, **known).undo_outcome  # type: ignore[arg-type]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """What the journal says of it."""
        return cls(entry, entry.state, entry.verified, entry.error, entry.failure)

    def __str__(self) -> str:
        """One line: whose undo it is, and what is wrong with it."""
        undo = self.entry.undo
        why = " ".join(self.error.split()) or self.undo_outcome.value
        return f"{undo.fault} on {undo.role.name} is not undone: {why}"


class UndoFailedError(SeatrialError):
    """A fault is still there, or may be. The message holds the command to run by hand."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = tuple(outcomes)
        super().__init__("\n".join(f"{each}\n  by hand: {each.entry.undo.by_hand}" for each in outcomes))


def gone(process: ProcessId) -> bool:
    """The claim of a dead process is void."""
    return not is_running(process)


class Undoer:
    """Undoes faults of one journal on behalf of one process; usable from all its threads."""

    def __init__(
        self,
        journal: Journal,
        me: ProcessId,
        *,
        absent: Callable[[ProcessId], bool] = gone,
        untouched: Callable[[Entry], bool] = lambda _: False,
        build: Callable[[Undo], Fault] = registry.rebuild,
        patience_s: float = PATIENCE_S,
        longest_undo_s: float = LONGEST_UNDO_S,
        longest_look_s: float = LONGEST_LOOK_S,
    ) -> None:
        """`absent(conductor)`: whether it can inject nothing any more.

        `untouched(entry)`: whether its effect was certainly never asked for. Such a fault is undone all the
        same, but there is nothing that could be left of it: neither a failure nor an ill role counts.
        """
        self._journal = journal
        self._me = me
        self._absent = absent
        self._untouched = untouched
        self._build = build
        self._patience_s = patience_s
        self._longest_undo_s = longest_undo_s
        self._longest_look_s = longest_look_s
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._told: set[tuple[int, str]] = set()  # of a fault; it is undone again and again while that is so

    # undoing

    def undo(self, entry: Entry, *, force: bool = False) -> Outcome:
        """Claim it and undo it; with `force`, even if another who lives has claimed it.

        Never raises for what the fault's own code or the state of the journal does.
        """
        with self._locks[entry.id]:
            try:
                claimed = self._journal.claim(entry.id, self._me, lambda holder: force or gone(holder))
            except JournalError as error:
                self._tell_once(entry.id, f"{entry.label} is undone unclaimed", error)
                claimed = entry
            return self._undo(claimed) if claimed else Outcome.of(self._journal.entry(entry.id))

    def _undo(self, entry: Entry) -> Outcome:
        try:
            self._take_back(entry)
        except SeatrialError as error:
            if not self._untouched(entry):
                return self._failed(entry, str(error), calling.outcome_of(error))
            _log.warning("%s was not injected, and so need not be undone: %s", entry.label, error)
        injected_no_more = entry.activated or entry.conductor == self._me or self._absent(entry.conductor)
        if not injected_no_more:
            return Outcome(entry, EntryState.UNDOING)
        if self._written(self._journal.undone, entry.id):
            return Outcome(entry, EntryState.UNDONE)
        return Outcome(entry, EntryState.UNDOING, error="the fault journal could not be told", recorded=False)

    def _take_back(self, entry: Entry) -> None:
        fault = calling.build(self._build, entry.undo)
        if not entry.activated:
            calling.cut_short(fault, entry.undo)
        calling.undo(fault, entry.undo)
        if not entry.activated and (lag_s := calling.lag_s(fault)):
            time.sleep(lag_s)
            calling.undo(fault, entry.undo)

    def _failed(self, entry: Entry, reason: str, how: UndoOutcome) -> Outcome:
        outcome = Outcome(entry, EntryState.UNDO_FAILED, error=reason, failure=how)
        _log.info("%s: %s", entry.label, outcome)
        self._written(self._journal.failed, entry.id, reason, how)
        return outcome

    def undo_each(self, entries: Sequence[Entry], *, force: bool = False) -> list[Outcome]:
        """Undo all, the last injected first, and verify nothing."""
        latest_first = sorted(entries, key=lambda entry: entry.id, reverse=True)
        outcomes: dict[int, Outcome] = {}

        def undo(entry: Entry) -> None:
            outcomes[entry.id] = self.undo(entry, force=force)

        threads = [threading.Thread(target=undo, args=(entry,), daemon=True) for entry in latest_first]
        for thread in threads:
            set_off(thread)
            join_all([thread], self._patience_s)
        join_all(threads, self._longest_undo_s)
        return [outcomes.get(entry.id) or self._hangs(entry) for entry in latest_first]

    def _hangs(self, entry: Entry) -> Outcome:
        """Of an undo that does not return. Should it do so later, the journal will be told that as well."""
        late = f"its undo has not returned within {self._longest_undo_s:g}s"
        return self._failed(entry, late, UndoOutcome.TIMED_OUT)

    # verifying

    def verify(self, outcome: Outcome, within_s: float = VERIFY_WITHIN_S) -> Outcome:
        """Ask whether it is gone and its role well, until both are so or the time is over.

        Unchanged where nobody can tell, and where another fault is on the same role: that role cannot be
        well, and whoever ends the session asks again.
        """
        return self.verify_each([outcome], within_s)[0]

    def verify_each(self, outcomes: Sequence[Outcome], within_s: float = VERIFY_WITHIN_S) -> list[Outcome]:
        """`verify` all side by side; each is asked at least once, and a probe that hangs has said no."""
        found: dict[int, Outcome] = {}

        def look(outcome: Outcome) -> None:
            found[outcome.entry.id] = self._verify(outcome, within_s)

        threads = [threading.Thread(target=look, args=(outcome,), daemon=True) for outcome in outcomes]
        for thread in threads:
            set_off(thread)
        join_all(threads, within_s + self._longest_look_s)
        late = _Finding(False, "its probe has not returned")
        return [found.get(each.entry.id) or self._noted(each, late, within_s) for each in outcomes]

    def _verify(self, outcome: Outcome, within_s: float) -> Outcome:
        entry = outcome.entry
        taken_back = outcome.state is EntryState.UNDONE or not outcome.recorded
        if not taken_back or self._untouched(entry):
            return outcome

        def look() -> _Finding | None:
            return None if self._crowded(entry) else self._look(entry)

        def is_told(found: _Finding | None) -> bool:
            return found is None or found.verified is not False

        finding = look_until(look, is_told, within_s, _PROBE_EVERY_S)
        if finding is None or (finding.verified is False and self._crowded(entry)):
            return outcome
        return self._noted(outcome, finding, within_s)

    def _look(self, entry: Entry) -> _Finding:
        """Both questions, once."""
        try:
            fault = calling.build(self._build, entry.undo)
            gone_ = calling.gone(fault, entry.undo)
            if gone_ is False:
                return _Finding(False, "its effect is still there")
            if calling.healthy(fault, entry.undo.role) is False:
                return _Finding(False, f"{entry.undo.role.name} is not well")
        except SeatrialError as error:
            how = calling.outcome_of(error)
            return _Finding(False, str(error), UndoOutcome.NOT_WELL if how is UndoOutcome.FAILED else how)
        return _Finding(gone_)  # that a role is well does not say that this effect is gone

    def _crowded(self, entry: Entry) -> bool:
        """Whether another fault is on the same role, or may be at any moment, or has not gone."""
        try:
            others = self._journal.entries(entry.session)
        except JournalError:
            return False
        role = entry.undo.role.name
        return any(
            other.id != entry.id and other.undo.role.name == role and other.state is not EntryState.UNDONE
            for other in others
        )

    def _noted(self, outcome: Outcome, finding: _Finding, within_s: float) -> Outcome:
        if finding.verified is None:
            return outcome
        if finding.verified:
            self._written(self._journal.verified, outcome.entry.id)
            return replace(outcome, verified=True)
        error = f"undone, yet not well within {within_s:g}s: {finding.error}"
        failed = replace(
            outcome, state=EntryState.UNDO_FAILED, verified=False, error=error, failure=finding.how
        )
        _log.info("%s: %s", outcome.entry.label, failed)
        self._written(self._journal.not_verified, outcome.entry.id, error, finding.how)
        return failed

    def _written(self, change: Callable[..., None], fault: int, *values: object) -> bool:
        """Whether the journal took `change` of a fault."""
        try:
            change(fault, *values)
        except JournalError as error:
            self._tell_once(fault, "the journal does not know of it yet", error)
            return False
        return True

    def _tell_once(self, fault: int, what: str, error: JournalError) -> None:
        if (fault, what) not in self._told:
            self._told.add((fault, what))
            _log.warning("%s (told once): %s", what, error)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one look found: True for gone and well, None when there is no way to tell."""

    verified: bool | None
    error: str = ""
    how: UndoOutcome = UndoOutcome.NOT_WELL


def set_off(thread: threading.Thread) -> None:
    """Start it. Where the machine starts no more threads it is done here: late is better than not undone."""
    try:
        thread.start()
    except RuntimeError as error:
        _log.warning("%s; going on without", error)
        thread.run()
