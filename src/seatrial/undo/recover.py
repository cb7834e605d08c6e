"""Undo what runs that no longer exist have left behind. Harmless at any time, as often as one likes.

A conductor that lives and holds its target's lock is left alone, and so is what its faults do. A guardian
that is at work is given time to finish. Whatever is open after that is undone here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import Unavailable
from seatrial.processes import is_running, myself
from seatrial.undo.journal import Entry, EntryState, Journal, SessionEnding, SessionRecord
from seatrial.undo.lock import TargetLock
from seatrial.undo.session import journal_path
from seatrial.undo.undoing import VERIFY_WITHIN_S, Outcome, Undoer
from seatrial.waiting import wait_until

GUARDIAN_GRACE_S = 5.0
_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Recovered:
    """A fault that was found open, and what came of undoing it."""

    run: str
    target: str
    experiment: str
    outcome: Outcome

    @property
    def undone(self) -> bool:
        """Whether it is gone, and no probe contradicts that."""
        return self.outcome.undone

    def __str__(self) -> str:
        """One line: what has come of it, and whose it was."""
        undo = self.outcome.entry.undo
        if self.undone:
            seen = ", verified" if self.outcome.verified else ", not verified"
            return f"undone{seen}: {undo.fault} on {undo.role.name}, left by {self.run}"
        return f"NOT undone: {undo.fault} on {undo.role.name}, left by {self.run}: {_in_a_line(self.why)}"

    @property
    def why(self) -> str:
        """Why it is not undone."""
        return self.outcome.error or self.outcome.undo_outcome.value


class LeftBehindError(Unavailable):
    """An earlier run's fault is still there, so nothing that is measured now would be true."""


def require_undone(found: Sequence[Recovered]) -> None:
    """Raise LeftBehindError, in one line with the commands to run by hand, if anything is left."""
    left = [
        f"{undo.fault} on {undo.role.name}, left by {each.run}, is not undone ({_in_a_line(each.why)});"
        f" by hand: {_in_a_line(undo.by_hand)}"
        for each in found
        if not each.undone
        for undo in (each.outcome.entry.undo,)
    ]
    if left:
        raise LeftBehindError("; ".join(["nothing was started", *left, "and then: seatrial recover"]))


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def recover(
    home: Path,
    *,
    guardian_grace_s: float = GUARDIAN_GRACE_S,
    verify_within_s: float = VERIFY_WITHIN_S,
    open_journal: Callable[[Path], Journal] = Journal,
) -> list[Recovered]:
    """Undo the open faults of every run under `home` whose conductor is gone, the last injected first.

    Call it before anything that injects. Failures are in the result, with the command to run by hand in
    `outcome.entry.undo.by_hand`; they are tried again each time. Raises JournalError.
    """
    if not journal_path(home).exists():
        return []
    journal = open_journal(journal_path(home))
    try:
        not_undone = journal.sessions_not_undone()
        left = {
            session.id: session
            for session in journal.sessions()
            if (session.ending is None or session.id in not_undone) and not _at_work(home, session)
        }
        for session in left.values():
            _await_guardian(journal, session, guardian_grace_s)
        entries = [entry for session in left for entry in journal.open_entries(session)]
        undoer = Undoer(journal, myself(), absent=lambda _: True)
        outcomes = undoer.verify_each(undoer.undo_each(entries, force=True), verify_within_s)
        for session in left.values():
            journal.end_session(session.id, SessionEnding.INTERRUPTED)
        return [_recovered(left[outcome.entry.session], outcome) for outcome in outcomes]
    finally:
        journal.close()


def left_open(home: Path) -> list[tuple[SessionRecord, Entry]]:
    """Every fault of any run under `home` that is not undone, with its session. Raises JournalError."""
    path = journal_path(home)
    if not path.exists():
        return []
    journal = Journal(path)
    try:
        sessions = {session.id: session for session in journal.sessions()}
        return [(sessions[entry.session], entry) for entry in journal.all_open_entries()]
    finally:
        journal.close()


def _recovered(session: SessionRecord, outcome: Outcome) -> Recovered:
    return Recovered(session.run, session.target, session.experiment, outcome)


def _at_work(home: Path, session: SessionRecord) -> bool:
    """Whether its conductor lives and holds the target for it."""
    holder = TargetLock(home, session.target).holder()
    return holder is not None and holder.session == session.id


def _await_guardian(journal: Journal, session: SessionRecord, grace_s: float) -> None:
    def is_over() -> bool:
        guardian = session.guardian
        return (
            guardian is None
            or not is_running(guardian)
            or all(entry.state is EntryState.UNDO_FAILED for entry in journal.open_entries(session.id))
        )

    wait_until(is_over, grace_s, _LOOK_EVERY_S)
