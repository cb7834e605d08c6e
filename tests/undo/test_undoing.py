"""Undoing goes on whatever the faults, the journal and the conductor do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from seatrial.model.problems import TooLate, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import PartlyUndone, UndoOutcome
from seatrial.processes import ProcessId, myself
from seatrial.undo import UndoFailedError
from seatrial.undo.journal import Entry, EntryState, Journal, SessionRecord
from seatrial.undo.journalfile import JournalError
from seatrial.undo.undoing import Undoer

STRANGER = ProcessId(1, 1, "boot")
ROLE = Role("another", "process", {}, (), ".")


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    journal = Journal(home / "faults.sqlite", patience_s=0.05)
    journal.open_session(SessionRecord("s", "shop", "crash", "run", myself()))
    journal.open_session(SessionRecord("theirs", "shop", "crash", "run", STRANGER))
    yield journal
    journal.close()


@pytest.fixture
def prepared(journal: Journal, scripted: type[Any], role: Role) -> Callable[..., Entry]:
    """A fault in the journal, ACTIVE unless told otherwise."""

    def prepare(session: str = "s", active: bool = True, on: Role = role, **parameters: Any) -> Entry:
        undo = scripted(**parameters).prepare(on)
        number = journal.prepare(session, "a fault", undo, 2**62)
        if active:
            now = journal.clock.now()
            assert journal.activate(number, now, now, 2**62)
        return journal.entry(number)

    return prepare


@pytest.fixture
def undoer(journal: Journal, build: Any) -> Undoer:
    return Undoer(journal, myself(), build=build, patience_s=0.1)


def test_the_last_is_undone_first(
    undoer: Undoer, prepared: Callable[..., Entry], scripted: type[Any]
) -> None:
    entries = [prepared(label=label) for label in "abc"]
    outcomes = undoer.undo_each(entries)
    assert scripted.told == ["undo c", "undo b", "undo a"]
    assert [outcome.state for outcome in outcomes] == [EntryState.UNDONE] * 3


def test_where_no_more_threads_start_all_is_undone_and_verified(
    undoer: Undoer, prepared: Callable[..., Entry], scripted: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    outcomes = undoer.undo_each([prepared(label=label) for label in "ab"])
    assert scripted.told == ["undo b", "undo a"]
    verified = undoer.verify_each(outcomes, within_s=0)
    assert [outcome.undo_outcome for outcome in verified] == [UndoOutcome.VERIFIED] * 2


def test_a_failure_stops_nobody_and_is_tried_again(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal
) -> None:
    entries = [prepared(label="a"), prepared(label="b", undo_fails=1), prepared(label="c")]
    outcomes = {outcome.entry.id: outcome for outcome in undoer.undo_each(entries)}
    failed = outcomes[entries[1].id]
    assert failed.state is EntryState.UNDO_FAILED
    assert failed.error.startswith("scripted: undo raised OSError: still broken (conftest.py:")
    assert "by hand: mend b" in str(UndoFailedError([failed]))
    assert [entry.id for entry in journal.open_entries("s")] == [entries[1].id]
    assert undoer.undo_each(journal.open_entries("s"))[0].undone


def test_one_that_hangs_stops_nobody(
    undoer: Undoer, prepared: Callable[..., Entry], scripted: type[Any], journal: Journal
) -> None:
    entries = [prepared(label="a"), prepared(label="b", undo_hangs=True)]

    def let_go() -> bool:
        wait_until(lambda: journal.entry(entries[0].id).state is EntryState.UNDONE)
        scripted.hanging.set()
        return True

    from threading import Thread

    watcher = Thread(target=let_go)
    watcher.start()
    outcomes = undoer.undo_each(entries)
    watcher.join()
    assert {outcome.state for outcome in outcomes} == {EntryState.UNDONE}


def test_a_fault_whose_code_is_gone_fails_alone(journal: Journal, prepared: Callable[..., Entry]) -> None:
    outcome = Undoer(journal, myself()).undo(prepared())  # the registry knows no "scripted"
    assert outcome.state is EntryState.UNDO_FAILED
    assert "unknown fault 'scripted'" in outcome.error


def test_a_fault_that_a_living_conductor_may_inject_yet_is_not_undone(
    journal: Journal, prepared: Callable[..., Entry], build: Any, scripted: type[Any]
) -> None:
    entry = prepared(session="theirs", active=False)
    assert (
        Undoer(journal, myself(), build=build, absent=lambda _: False).undo(entry).state is EntryState.UNDOING
    )
    assert journal.entry(entry.id).state is EntryState.UNDOING
    assert Undoer(journal, myself(), build=build).undo(entry).state is EntryState.UNDONE  # it is dead
    assert scripted.told == ["undo it", "undo it"]


def test_a_fault_in_effect_is_undone_though_its_conductor_lives(
    journal: Journal, prepared: Callable[..., Entry], build: Any
) -> None:
    entry = prepared(session="theirs")
    assert Undoer(journal, myself(), build=build, absent=lambda _: False).undo(entry).undone


def test_a_locked_journal_keeps_no_effect_in_place(
    home: Path,
    undoer: Undoer,
    prepared: Callable[..., Entry],
    scripted: type[Any],
    journal: Journal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = prepared()
    other = Journal(home / "faults.sqlite")
    other._db.execute("BEGIN IMMEDIATE")
    assert undoer.undo(entry).state is EntryState.UNDOING
    assert undoer.undo(entry).state is EntryState.UNDOING
    assert scripted.told == ["undo it"] * 2
    assert caplog.text.count("is undone unclaimed (told once)") == 1, "a log must not fill the disk"
    other._db.execute("ROLLBACK")
    other.close()
    assert undoer.undo(entry).undone
    assert journal.open_entries("s") == []


def test_who_has_been_claimed_is_left_alone_unless_by_force(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal, scripted: type[Any]
) -> None:
    entry = prepared()
    parent = myself()  # any process that lives and is not the claimant
    other = Undoer(journal, STRANGER)
    assert journal.claim(entry.id, parent, lambda _: False)
    assert other.undo(entry).state is EntryState.UNDOING
    assert scripted.told == []
    assert undoer.undo(entry, force=True).undone


LOOKED_AT = [  # what the probe says of this effect, and of the role; what that makes of the undo
    (True, True, EntryState.UNDONE, UndoOutcome.VERIFIED),
    (True, None, EntryState.UNDONE, UndoOutcome.VERIFIED),
    (
        None,
        True,
        EntryState.UNDONE,
        UndoOutcome.UNVERIFIED,
    ),  # a role that is well does not vouch for the effect
    (None, None, EntryState.UNDONE, UndoOutcome.UNVERIFIED),
    (False, True, EntryState.UNDO_FAILED, UndoOutcome.NOT_WELL),
    (True, False, EntryState.UNDO_FAILED, UndoOutcome.NOT_WELL),
    (None, False, EntryState.UNDO_FAILED, UndoOutcome.NOT_WELL),
]


@pytest.mark.parametrize(("is_gone", "well", "state", "came_out"), LOOKED_AT)
def test_an_undo_is_verified_by_two_questions(
    undoer: Undoer,
    prepared: Callable[..., Entry],
    journal: Journal,
    is_gone: bool | None,
    well: bool | None,
    state: EntryState,
    came_out: UndoOutcome,
) -> None:
    (outcome,) = undoer.verify_each([undoer.undo(prepared(is_gone=is_gone, well=well))], within_s=0)
    assert (outcome.state, outcome.undo_outcome) == (state, came_out)
    assert journal.entry(outcome.entry.id).undo_outcome is came_out


def test_a_role_under_another_fault_is_verified_when_that_one_is_gone(
    undoer: Undoer, prepared: Callable[..., Entry]
) -> None:
    first, second = prepared(label="a"), prepared(label="b")
    deferred = undoer.verify(undoer.undo(first))
    assert (deferred.state, deferred.verified) == (EntryState.UNDONE, None)
    found = undoer.verify_each([deferred, undoer.undo(second)])
    assert [outcome.undo_outcome for outcome in found] == [UndoOutcome.VERIFIED] * 2


def test_a_role_whose_other_fault_cannot_be_undone_is_not_held_against_this_one(
    undoer: Undoer, prepared: Callable[..., Entry]
) -> None:
    """Its role is ill because of the other, so nobody can tell; the other fails the run in any case."""
    first, second = prepared(label="a", well=False), prepared(label="b", undo_fails=9)
    assert undoer.undo(second).undo_outcome is UndoOutcome.FAILED
    assert undoer.verify(undoer.undo(first), within_s=0).undo_outcome is UndoOutcome.UNVERIFIED


RAISED = [
    (OSError("still broken"), UndoOutcome.FAILED),
    (Unavailable("its program failed with 3"), UndoOutcome.FAILED),
    (TooLate("not through within 5s"), UndoOutcome.TIMED_OUT),
    (TimeoutError("timed out"), UndoOutcome.TIMED_OUT),
    (Unreachable("connection refused"), UndoOutcome.TARGET_GONE),
    (ConnectionRefusedError("connection refused"), UndoOutcome.TARGET_GONE),
    (PartlyUndone("pid 7 of 2 still stopped"), UndoOutcome.PARTLY),
    (SystemExit(3), UndoOutcome.FAILED),
]


@pytest.mark.parametrize(("error", "came_out"), RAISED, ids=lambda value: repr(value)[:40])
def test_how_an_undo_failed_is_durable(
    undoer: Undoer,
    prepared: Callable[..., Entry],
    journal: Journal,
    scripted: type[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
    came_out: UndoOutcome,
) -> None:
    def fail(*_: object) -> None:
        raise error

    caplog.set_level("INFO")
    entry = prepared()
    monkeypatch.setattr(scripted, "undo", fail)
    outcome = undoer.undo(entry)
    assert outcome.undo_outcome is came_out
    assert outcome.undo_outcome.left_behind
    assert journal.entry(entry.id).undo_outcome is came_out
    (said,) = caplog.records
    assert said.exc_info is None, "a foreign program's failure is no reason for a traceback"
    assert "\n" not in said.getMessage()
    assert str(error) in said.getMessage()


@pytest.mark.parametrize(("error", "came_out"), RAISED, ids=lambda value: repr(value)[:40])
def test_a_probe_that_raises_has_not_verified(
    undoer: Undoer,
    prepared: Callable[..., Entry],
    scripted: type[Any],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    came_out: UndoOutcome,
) -> None:
    def fail(*_: object) -> bool:
        raise error

    undone = undoer.undo(prepared())
    monkeypatch.setattr(scripted, "gone", fail)
    expected = UndoOutcome.NOT_WELL if came_out is UndoOutcome.FAILED else came_out
    outcome = undoer.verify(undone, within_s=0)
    assert (outcome.undo_outcome, outcome.verified) == (expected, False)
    assert str(error) in outcome.error


def test_an_undo_that_does_not_return_has_timed_out(
    journal: Journal, build: Any, prepared: Callable[..., Entry], scripted: type[Any]
) -> None:
    undoer = Undoer(journal, myself(), build=build, patience_s=0.01, longest_undo_s=0.05)
    entry = prepared(undo_hangs=True)
    (outcome,) = undoer.undo_each([entry])
    assert outcome.undo_outcome is UndoOutcome.TIMED_OUT
    assert "has not returned within 0.05s" in outcome.error
    assert journal.entry(entry.id).undo_outcome is UndoOutcome.TIMED_OUT
    scripted.hanging.set()  # it returns after all, and then it is undone
    wait_until(lambda: journal.entry(entry.id).state is EntryState.UNDONE)


def test_a_probe_that_does_not_return_has_not_verified(
    journal: Journal, build: Any, prepared: Callable[..., Entry], scripted: type[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    undoer = Undoer(journal, myself(), build=build, longest_look_s=0.05)
    monkeypatch.setattr(scripted, "gone", lambda *_: scripted.hanging.wait(30))
    outcome = undoer.verify(undoer.undo(prepared()), within_s=0)
    assert outcome.undo_outcome is UndoOutcome.NOT_WELL
    assert "its probe has not returned" in outcome.error


def test_an_undo_that_the_journal_does_not_take_is_verified_all_the_same(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise JournalError("the disk is full")

    well, ill = prepared(label="a"), prepared(label="b", on=ROLE, is_gone=False)
    monkeypatch.setattr(journal, "undone", full)
    found = undoer.verify_each([undoer.undo(well), undoer.undo(ill)], within_s=0)
    assert [outcome.undo_outcome for outcome in found] == [UndoOutcome.UNRECORDED, UndoOutcome.NOT_WELL]
    assert [outcome.undone for outcome in found] == [False, False]


def test_what_was_surely_never_injected_has_nothing_to_fail(
    journal: Journal, build: Any, prepared: Callable[..., Entry], scripted: type[Any]
) -> None:
    undoer = Undoer(journal, myself(), build=build, untouched=lambda _: True)
    outcome = undoer.verify(undoer.undo(prepared(active=False, undo_fails=9, well=False)), within_s=0)
    assert (outcome.state, outcome.undo_outcome) == (EntryState.UNDONE, UndoOutcome.NOT_INJECTED)
    assert scripted.told == ["undo it"], "what was opened while it was prepared is closed"


def test_what_may_have_been_injected_counts(undoer: Undoer, prepared: Callable[..., Entry]) -> None:
    assert undoer.undo(prepared(active=False, undo_fails=9)).undo_outcome is UndoOutcome.FAILED


def test_who_has_claimed_it_and_does_not_say_that_it_is_done_has_it(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal
) -> None:
    entry = prepared()
    assert journal.claim(entry.id, myself(), lambda _: False)
    outcome = Undoer(journal, STRANGER).undo(entry)
    assert outcome.undo_outcome is UndoOutcome.LEFT_TO_ANOTHER
    assert prepared().undo_outcome is UndoOutcome.IN_EFFECT
