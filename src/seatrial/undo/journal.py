"""The write-ahead journal of faults: what must be undone is on disk before anything is done.

            ┌────────────────────────────────────────────────────────────┐
            ▼                                                            │ (tried again)
    PREPARED ──► ACTIVE ──► UNDOING ──► UNDONE ──(not verified)──► UNDO_FAILED
        └────────────────────▲ └───────────────────────────────────────▲

SQLite in WAL mode with synchronous=FULL: a committed row survives a power cut. Conductor, guardian and
`seatrial recover` write to it side by side; whoever moves a fault to UNDOING has claimed its undo, and the
claim is void when its holder is dead. The log is folded into the main file only when a session begins and
when the last user closes: in between the main file does not change, and a copy of both is a consistent past.

Whoever opens a session or prepares a fault first has the disk set aside what the rest of its life will write,
beyond the end of the log: on a disk that fills up in the middle of a run, every undo can still be recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

from seatrial.model.secrets import shown
from seatrial.model.undo import UndoOutcome
from seatrial.processes import ProcessId, boot_id
from seatrial.undo.clock import Instant
from seatrial.undo.journalfile import JournalFile
from seatrial.undo.protocol import Undo


class EntryState(StrEnum):
    """Where a fault is in its life."""

    PREPARED = "PREPARED"  # durable; the effect may or may not be there
    ACTIVE = "ACTIVE"  # the effect is there
    UNDOING = "UNDOING"  # somebody has claimed the undo
    UNDONE = "UNDONE"
    UNDO_FAILED = "UNDO_FAILED"  # a person is needed, or another try


class What(StrEnum):
    """The instants of a fault's life that are kept."""

    PREPARED = "prepared"
    BEFORE = "before"  # just before the effect was asked for
    AFTER = "after"  # just after it was there
    OBSERVED = "observed"  # when a probe first saw it
    CLAIMED = "claimed"  # its undo was begun
    UNDONE = "undone"
    FAILED = "failed"
    VERIFIED = "verified"


class SessionEnding(StrEnum):
    """How a session ended."""

    CLOSED = "closed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One conductor's hold on one target."""

    id: str
    target: str
    experiment: str
    run: str
    conductor: ProcessId
    guardian: ProcessId | None = None
    ending: SessionEnding | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault as the journal has it."""

    id: int
    session: str
    label: str
    undo: Undo
    state: EntryState
    expires_ns: int  # on CLOCK_BOOTTIME of the conductor's boot
    activated: bool  # it was ACTIVE once, so whoever injected it is done injecting
    conductor: ProcessId
    claimant: ProcessId | None
    verified: bool | None
    error: str
    failure: UndoOutcome | None = None  # how the undo failed, when it did

    @property
    def undo_outcome(self) -> UndoOutcome:
        """How its undo came out, as far as the journal knows."""
        match self.state:
            case EntryState.PREPARED:
                return UndoOutcome.NOT_INJECTED
            case EntryState.ACTIVE:
                return UndoOutcome.IN_EFFECT
            case EntryState.UNDOING:
                return UndoOutcome.LEFT_TO_ANOTHER
            case EntryState.UNDO_FAILED:
                return self.failure or UndoOutcome.FAILED
        if not self.activated:
            return UndoOutcome.NOT_INJECTED
        unseen = UndoOutcome.LASTING if self.undo.lasting else UndoOutcome.UNVERIFIED
        return UndoOutcome.VERIFIED if self.verified else unseen

    def expired(self, now: Instant) -> bool:
        """Whether its time to live is over; a reboot ends it too."""
        return self.conductor.boot != boot_id() or now.boottime_ns >= self.expires_ns


class Journal(JournalFile):
    """The journal at `path`; one object a process, usable from all its threads."""

    # sessions

    def open_session(self, session: SessionRecord) -> None:
        """Record that a conductor has begun."""
        with self._translated():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._reserve()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO session (id, target, experiment, run, conductor, opened_ns)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (session.id, session.target, session.experiment, session.run,
                 _pack(session.conductor), self.clock.now().wall_ns),
            )  # fmt: skip

    def guarded_by(self, session: str, guardian: ProcessId) -> None:
        """Record which process watches over the session."""
        with self._transaction() as db:
            db.execute("UPDATE session SET guardian = ? WHERE id = ?", (_pack(guardian), session))

    def end_session(self, session: str, ending: SessionEnding) -> None:
        """Record how it ended; the first to say so is believed."""
        with self._transaction() as db:
            db.execute(
                "UPDATE session SET ending = ?, ended_ns = ? WHERE id = ? AND ending IS NULL",
                (ending, self.clock.now().wall_ns, session),
            )

    def sessions(self) -> list[SessionRecord]:
        """All sessions, oldest first."""
        with self._lock, self._translated():
            rows = self._db.execute(
                "SELECT id, target, experiment, run, conductor, guardian, ending FROM session"
                " ORDER BY opened_ns"
            ).fetchall()
        return [
            SessionRecord(
                *(id_, target, experiment, run, _unpack(conductor)),
                guardian=_unpack(guardian) if guardian else None,
                ending=SessionEnding(ending) if ending else None,
            )
            for id_, target, experiment, run, conductor, guardian, ending in rows
        ]

    # a fault's life

    def prepare(self, session: str, label: str, undo: Undo, expires_ns: int) -> int:
        """Make the intent durable, and return the fault's number. Until this has returned, inject nothing."""
        self._reserve()
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO fault (session, label, undo, state, expires_ns) VALUES (?, ?, ?, ?, ?)",
                (session, label, undo.to_json(), EntryState.PREPARED, expires_ns),
            )
            assert cursor.lastrowid is not None
            self._note(cursor.lastrowid, What.PREPARED, self.clock.now())
            return cursor.lastrowid

    def activate(self, fault: int, before: Instant, after: Instant, expires_ns: int) -> bool:
        """The effect is there. False when the undo was claimed meanwhile: then it must be undone again."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE fault SET state = ?, activated = 1, expires_ns = ? WHERE id = ? AND state = ?",
                (EntryState.ACTIVE, expires_ns, fault, EntryState.PREPARED),
            ).rowcount
            self._note(fault, What.BEFORE, before)
            self._note(fault, What.AFTER, after)
            return changed == 1

    def amend(self, fault: int, undo: Undo) -> bool:
        """Make a wider intent durable. False when the undo was claimed meanwhile: then inject no more."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE fault SET undo = ? WHERE id = ? AND state = ?",
                (undo.to_json(), fault, EntryState.PREPARED),
            ).rowcount
            return changed == 1

    def observed(self, fault: int, instant: Instant) -> None:
        """A probe saw the effect."""
        with self._transaction():
            self._note(fault, What.OBSERVED, instant)

    def claim(self, fault: int, claimant: ProcessId, void: Callable[[ProcessId], bool]) -> Entry | None:
        """Take on the undo. None when it is undone, or in the hands of one whose claim is not `void`."""
        with self._transaction() as db:
            (entry,) = self._entries("fault.id = ?", fault)
            holder = entry.claimant if entry.state is EntryState.UNDOING else None
            if entry.state is EntryState.UNDONE:
                return None
            if holder == claimant:
                return entry
            if holder is not None and not void(holder):
                return None
            db.execute(
                "UPDATE fault SET state = ?, claimant = ? WHERE id = ?",
                (EntryState.UNDOING, _pack(claimant), fault),
            )
            self._note(fault, What.CLAIMED, self.clock.now())
            return entry

    def undone(self, fault: int) -> None:
        """The effect was taken back."""
        self._advance(fault, (EntryState.UNDOING, EntryState.UNDO_FAILED), EntryState.UNDONE, What.UNDONE)

    def failed(self, fault: int, error: str, how: UndoOutcome = UndoOutcome.FAILED) -> None:
        """It could not be taken back; `error` says why."""
        self._advance(
            fault, (EntryState.UNDOING,), EntryState.UNDO_FAILED, What.FAILED, error=error, failure=how
        )

    def verified(self, fault: int) -> None:
        """A probe found the role well again."""
        self._advance(fault, (EntryState.UNDONE,), EntryState.UNDONE, What.VERIFIED, verified=True)

    def not_verified(self, fault: int, error: str, how: UndoOutcome = UndoOutcome.NOT_WELL) -> None:
        """The undo went through, and yet the effect is not gone, or the role not well."""
        self._advance(
            *(fault, (EntryState.UNDONE,), EntryState.UNDO_FAILED, What.FAILED),
            verified=False,
            error=error,
            failure=how,
        )

    def _advance(
        self,
        fault: int,
        before: tuple[EntryState, ...],
        after: EntryState,
        what: What,
        *,
        verified: bool | None = None,
        error: str = "",
        failure: UndoOutcome | None = None,
    ) -> None:
        with self._transaction() as db:
            (entry,) = self._entries("fault.id = ?", fault)
            if entry.state not in before:
                return  # another who undid it too has said so already
            db.execute(
                "UPDATE fault SET state = ?, verified = ?, error = ?, failure = ? WHERE id = ?",
                (after, verified, shown(error), failure or "", fault),
            )
            self._note(fault, what, self.clock.now())

    def _note(self, fault: int, what: What, at: Instant) -> None:
        self._db.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
            (fault, what, at.monotonic_ns, at.wall_ns, at.boottime_ns),
        )

    # reading

    def entry(self, fault: int) -> Entry:
        """One fault."""
        (entry,) = self._entries("fault.id = ?", fault)
        return entry

    def entries(self, session: str) -> list[Entry]:
        """A session's faults in the order of injection."""
        return self._entries("fault.session = ?", session)

    def open_entries(self, session: str) -> list[Entry]:
        """Those of a session's faults that are not undone yet, in the order of injection."""
        return self._entries("fault.state != 'UNDONE' AND fault.session = ?", session)

    def all_open_entries(self) -> list[Entry]:
        """The faults of all sessions that are not undone yet, in the order of injection."""
        return self._entries("fault.state != 'UNDONE'")

    def sessions_not_undone(self) -> set[str]:
        """Sessions with a fault that is not undone."""
        return {entry.session for entry in self.all_open_entries()}

    def instants(self, fault: int) -> dict[What, Instant]:
        """When what happened to a fault; the last time, where it happened more than once."""
        with self._lock, self._translated():
            rows = self._db.execute(
                "SELECT what, monotonic_ns, wall_ns, boottime_ns FROM event WHERE fault = ? ORDER BY rowid",
                (fault,),
            ).fetchall()
        return {What(what): Instant(*clocks) for what, *clocks in rows}

    def _entries(self, where: str, *values: object) -> list[Entry]:
        with self._lock, self._translated():
            rows = self._db.execute(
                "SELECT fault.id, fault.session, fault.label, undo, state, expires_ns, activated,"  # noqa: S608  # `where` is one of the constants above
                " conductor, claimant, verified, error, failure"
                f" FROM fault JOIN session ON session.id = fault.session WHERE {where} ORDER BY fault.id",
                values,
            ).fetchall()
        return [_entry(row) for row in rows]


def _entry(row: tuple[object, ...]) -> Entry:
    (number, session, label, undo, state, expires_ns, activated, conductor, claimant, verified, error,
     failure) = row  # fmt: skip
    return Entry(
        id=int(str(number)),
        session=str(session),
        label=str(label),
        undo=Undo.from_json(str(undo)),
        state=EntryState(str(state)),
        expires_ns=int(str(expires_ns)),
        activated=bool(activated),
        conductor=_unpack(str(conductor)),
        claimant=_unpack(str(claimant)) if claimant else None,
        verified=None if verified is None else bool(verified),
        error=str(error),
        failure=UndoOutcome(str(failure)) if failure else None,
    )


def _pack(process: ProcessId) -> str:
    return json.dumps(asdict(process))


def _unpack(text: str) -> ProcessId:
    return ProcessId(**json.loads(text))
