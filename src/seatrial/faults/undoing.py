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
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from seatrial.faults import registry
from seatrial.faults.journal import Entry, Journal, JournalError, State
from seatrial.faults.processes import ProcessId, is_running
from seatrial.faults.protocol import Fault, Lagging, Probe, Role
from seatrial.model.problems import SeatrialError

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # how long the next undo waits for the one before it
VERIFY_WITHIN_S = 15.0  # how long a role has to become well again
_PROBE_EVERY_S = 0.1
_IN_EFFECT = frozenset({State.ACTIVE, State.UNDOING})
_LONGEST_UNDO_S = 120.0  # nothing waits longer; the drivers have shorter limits of their own


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of undoing one fault. `state` is UNDOING when it is left to another, or to a later pass."""

    entry: Entry
    state: State
    verified: bool | None = None
    error: str = ""

    @property
    def settled(self) -> bool:
        """Whether nobody needs to come back to it."""
        return self.state is State.UNDONE

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """What the journal says of it."""
        return cls(entry, entry.state, entry.verified, entry.error)


class UndoFailedError(SeatrialError):
    """A fault is still there, or may be. The message holds the command to run by hand."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = tuple(outcomes)
        super().__init__("\n".join(map(_plea, outcomes)))


def _plea(outcome: Outcome) -> str:
    undo = outcome.entry.undo
    return f"{undo.fault} on {undo.role.name} is not undone: {outcome.error}\n  by hand: {undo.by_hand}"


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
        build: Callable[[str, Mapping[str, Any]], Fault] = registry.build,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`absent(conductor)`: whether it can inject nothing any more."""
        self._journal = journal
        self._me = me
        self._absent = absent
        self._build = build
        self._patience_s = patience_s
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def undo(self, entry: Entry, *, force: bool = False) -> Outcome:
        """Claim it and undo it; with `force`, even if another who lives has claimed it.

        Never raises for what the fault's own code or the state of the journal does.
        """
        with self._locks[entry.id]:
            try:
                claimed = self._journal.claim(entry.id, self._me, lambda holder: force or gone(holder))
            except JournalError as error:
                _log.warning("%s is undone unclaimed: %s", entry.label, error)
                claimed = entry
            return self._undo(claimed) if claimed else Outcome.of(self._journal.entry(entry.id))

    def _undo(self, entry: Entry) -> Outcome:
        undo = entry.undo
        try:
            fault = self._build(undo.fault, undo.with_)
            fault.undo(undo)
            if isinstance(fault, Lagging) and not entry.activated:
                time.sleep(fault.lag_s)
                fault.undo(undo)
        except Exception as error:  # the next fault must be undone whatever this one's code does
            _log.exception("undo of %s on %s failed", entry.label, undo.role.name)
            reason = f"{type(error).__name__}: {error}"
            self._written(self._journal.failed, entry.id, reason)
            return Outcome(entry, State.UNDO_FAILED, error=reason)
        injected_no_more = entry.activated or entry.conductor == self._me or self._absent(entry.conductor)
        if injected_no_more and self._written(self._journal.undone, entry.id):
            return Outcome(entry, State.UNDONE)
        return Outcome(entry, State.UNDOING)

    def undo_each(self, entries: Sequence[Entry], *, force: bool = False) -> list[Outcome]:
        """Undo all, the last injected first, and verify nothing."""
        latest_first = sorted(entries, key=lambda entry: entry.id, reverse=True)
        outcomes: dict[int, Outcome] = {}

        def undo(entry: Entry) -> None:
            outcomes[entry.id] = self.undo(entry, force=force)

        threads = [threading.Thread(target=undo, args=(entry,), daemon=True) for entry in latest_first]
        for thread in threads:
            thread.start()
            thread.join(self._patience_s)
        deadline = time.monotonic() + _LONGEST_UNDO_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        late = f"its undo has not returned within {_LONGEST_UNDO_S:g}s"
        return [
            outcomes.get(entry.id) or Outcome(entry, State.UNDO_FAILED, error=late) for entry in latest_first
        ]

    def verify(self, outcome: Outcome, within_s: float = VERIFY_WITHIN_S) -> Outcome:
        """Ask the fault's probe, until it is content or the time is over; unchanged where there is none.

        A role on which another fault is in effect cannot be well: that one's undo will verify this one too.
        """
        entry = outcome.entry
        if outcome.state is not State.UNDONE:
            return outcome
        fault = self._build(entry.undo.fault, entry.undo.with_)
        if not isinstance(fault, Probe):
            return outcome
        same_role = [
            other
            for other in self._journal.entries(entry.session)
            if other.undo.role.name == entry.undo.role.name
        ]
        if any(other.id != entry.id and other.state in _IN_EFFECT for other in same_role):
            return outcome
        well, error = _ask(fault, entry.undo.role, within_s)
        if well is None:
            return outcome
        if well:
            for other in same_role:
                if other.state is State.UNDONE and other.verified is None:
                    self._written(self._journal.verified, other.id)
            return replace(outcome, verified=True)
        error = f"undone, yet not well within {within_s:g}s: {error}"
        _log.error("%s on %s: %s", entry.label, entry.undo.role.name, error)
        self._written(self._journal.not_verified, entry.id, error)
        return replace(outcome, state=State.UNDO_FAILED, verified=False, error=error)

    def verify_each(self, outcomes: Sequence[Outcome], within_s: float = VERIFY_WITHIN_S) -> list[Outcome]:
        """`verify` all within `within_s` in total; each is asked at least once."""
        deadline = time.monotonic() + within_s
        return [self.verify(outcome, max(0.0, deadline - time.monotonic())) for outcome in outcomes]

    def _written(self, change: Callable[..., None], *values: object) -> bool:
        """Whether the journal took `change`."""
        try:
            change(*values)
        except JournalError as error:
            _log.error("the journal does not know of it yet: %s", error)
            return False
        return True


def _ask(probe: Probe, role: Role, within_s: float) -> tuple[bool | None, str]:
    """Whether the role is well by the end of `within_s`, and why not; None when nobody can tell."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            well, error = probe.healthy(role), "its probe says no"
        except Exception as caught:  # whatever it is, the role was not shown to be well
            well, error = False, f"{type(caught).__name__}: {caught}"
        if well is not False or time.monotonic() >= deadline:
            return well, error
        time.sleep(_PROBE_EVERY_S)
