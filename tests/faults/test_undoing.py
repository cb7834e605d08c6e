"""Undoing goes on whatever the faults, the journal and the conductor do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.faults import Role, UndoFailedError
from seatrial.faults.journal import Entry, Journal, Session, State
from seatrial.faults.processes import ProcessId, myself
from seatrial.faults.undoing import Outcome, Undoer

STRANGER = ProcessId(1, 1, "boot")


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    journal = Journal(home / "faults.sqlite", patience_s=0.05)
    journal.open_session(Session("s", "shop", "crash", "run", myself()))
    journal.open_session(Session("theirs", "shop", "crash", "run", STRANGER))
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
    assert [outcome.state for outcome in outcomes] == [State.UNDONE] * 3


def test_a_failure_stops_nobody_and_is_tried_again(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal
) -> None:
    entries = [prepared(label="a"), prepared(label="b", undo_fails=1), prepared(label="c")]
    outcomes = {outcome.entry.id: outcome for outcome in undoer.undo_each(entries)}
    failed = outcomes[entries[1].id]
    assert (failed.state, failed.error) == (State.UNDO_FAILED, "OSError: still broken")
    assert "by hand: mend b" in str(UndoFailedError([failed]))
    assert [entry.id for entry in journal.open_entries("s")] == [entries[1].id]
    assert undoer.undo_each(journal.open_entries("s"))[0].settled


def test_one_that_hangs_stops_nobody(
    undoer: Undoer, prepared: Callable[..., Entry], scripted: type[Any], journal: Journal
) -> None:
    entries = [prepared(label="a"), prepared(label="b", undo_hangs=True)]
    late = time.monotonic() + 10

    def let_go() -> bool:
        while journal.entry(entries[0].id).state is not State.UNDONE:
            assert time.monotonic() < late
            time.sleep(0.01)
        scripted.hanging.set()
        return True

    from threading import Thread

    watcher = Thread(target=let_go)
    watcher.start()
    outcomes = undoer.undo_each(entries)
    watcher.join()
    assert {outcome.state for outcome in outcomes} == {State.UNDONE}


def test_a_fault_whose_code_is_gone_fails_alone(journal: Journal, prepared: Callable[..., Entry]) -> None:
    outcome = Undoer(journal, myself()).undo(prepared())  # the registry knows no "scripted"
    assert outcome.state is State.UNDO_FAILED
    assert "unknown fault 'scripted'" in outcome.error


def test_a_fault_that_a_living_conductor_may_inject_yet_is_not_undone(
    journal: Journal, prepared: Callable[..., Entry], build: Any, scripted: type[Any]
) -> None:
    entry = prepared(session="theirs", active=False)
    assert Undoer(journal, myself(), build=build, absent=lambda _: False).undo(entry).state is State.UNDOING
    assert journal.entry(entry.id).state is State.UNDOING
    assert Undoer(journal, myself(), build=build).undo(entry).state is State.UNDONE  # it is dead
    assert scripted.told == ["undo it", "undo it"]


def test_a_fault_in_effect_is_undone_though_its_conductor_lives(
    journal: Journal, prepared: Callable[..., Entry], build: Any
) -> None:
    entry = prepared(session="theirs")
    assert Undoer(journal, myself(), build=build, absent=lambda _: False).undo(entry).settled


def test_a_locked_journal_keeps_no_effect_in_place(
    home: Path, undoer: Undoer, prepared: Callable[..., Entry], scripted: type[Any], journal: Journal
) -> None:
    entry = prepared()
    other = Journal(home / "faults.sqlite")
    other._db.execute("BEGIN IMMEDIATE")
    assert undoer.undo(entry).state is State.UNDOING
    assert scripted.told == ["undo it"]
    other._db.execute("ROLLBACK")
    other.close()
    assert undoer.undo(entry).settled
    assert journal.open_entries("s") == []


def test_who_has_been_claimed_is_left_alone_unless_by_force(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal, scripted: type[Any]
) -> None:
    entry = prepared()
    parent = myself()  # any process that lives and is not the claimant
    other = Undoer(journal, STRANGER)
    assert journal.claim(entry.id, parent, lambda _: False)
    assert other.undo(entry).state is State.UNDOING
    assert scripted.told == []
    assert undoer.undo(entry, force=True).settled


@pytest.mark.parametrize(
    ("well", "state", "verified"),
    [(True, State.UNDONE, True), (False, State.UNDO_FAILED, False), (None, State.UNDONE, None)],
)
def test_an_undo_is_verified(
    undoer: Undoer,
    prepared: Callable[..., Entry],
    journal: Journal,
    well: bool | None,
    state: State,
    verified: bool | None,
) -> None:
    (outcome,) = undoer.verify_each([undoer.undo(prepared(well=well))], within_s=0)
    assert (outcome.state, outcome.verified) == (state, verified)
    assert Outcome.of(journal.entry(outcome.entry.id)).state is state
    assert journal.entry(outcome.entry.id).verified is verified


def test_a_role_under_another_fault_is_verified_with_that_one(
    undoer: Undoer, prepared: Callable[..., Entry], journal: Journal
) -> None:
    first, second = prepared(label="a"), prepared(label="b")
    outcome = undoer.verify(undoer.undo(first))
    assert (outcome.state, outcome.verified) == (State.UNDONE, None)
    undoer.verify(undoer.undo(second))
    assert [journal.entry(entry.id).verified for entry in (first, second)] == [True, True]
