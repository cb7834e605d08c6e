"""What the conductor sees: nothing without lock, journal and guardian; everything undone at the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.victims import Service, Tree
from tests.support.waiting import wait_until

from seatrial.model.problems import BadInput, Interrupted, Unavailable
from seatrial.model.role import Role
from seatrial.model.undo import UndoOutcome
from seatrial.processes import is_running, is_stopped, send
from seatrial.undo import FaultSession, InjectionError, Undo, UndoFailedError, recover, registry, session
from seatrial.undo.journal import EntryState, Journal, SessionEnding, What
from seatrial.undo.journalfile import JournalError
from seatrial.undo.link import GUARDIAN_COMMAND
from seatrial.undo.session import journal_path
from seatrial.undo.undoing import Outcome, Undoer

PAUSE = registry.build("process.pause", {})


def a_session(home: Path, **options: Any) -> FaultSession:
    return FaultSession(home, "shop", experiment="crash", run="a-run", faults=["process.pause"], **options)


def no_thread_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine starts no more threads when it comes to this one."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, build: Callable[..., Any]) -> None:
    """Sessions whose conductor knows scripted faults; its guardian does not, and is not asked."""
    monkeypatch.setattr(session, "Undoer", lambda *given, **named: Undoer(*given, **named, build=build))
    monkeypatch.setattr(registry, "bind", lambda *_: None)


def test_what_an_injection_needs_is_made_ready_when_its_undo_is_durable(
    in_process: None, home: Path, role: Role, scripted: type[Any]
) -> None:
    durable: list[int] = []

    class Warmed(scripted):  # type: ignore[misc]
        def prepare(self, role: Role) -> Undo:
            self.told.append("prepare")
            return super().prepare(role)  # type: ignore[no-any-return]

        def warm(self, undo: Undo) -> None:
            self.told.append("warm")
            journal = Journal(journal_path(home))
            durable.extend(entry.id for entry in journal.entries(drill.id) if entry.undo.token == undo.token)
            journal.close()

    with a_session(home) as drill:
        drill.inject(Warmed(), role, ttl_s=30)
    assert scripted.told == ["prepare", "warm", "inject it", "undo it"]
    assert len(durable) == 1


def test_a_fault_comes_and_goes(home: Path, tree: Tree, service: Service) -> None:
    with a_session(home) as drill:
        paused = drill.inject(PAUSE, tree.role, ttl_s=30, label="freeze")
        assert all(is_stopped(process) for process in tree.born)
        assert paused.before.monotonic_ns < paused.after.monotonic_ns
        drill.observed(paused.prepared, paused.after)
        assert drill.undo(paused.prepared).verified
        assert tree.intact()
        killed = drill.inject(registry.build("process.kill", {}), service.role, ttl_s=30)
        assert service.process() is None
        assert killed.prepared.undo.by_hand.startswith("sh -c")
    assert [outcome.verified for outcome in drill.outcomes] == [True]
    assert service.intact()
    assert service.starts() == 2
    first, second = drill.history()
    assert (first.entry.label, first.entry.state, second.entry.state) == (
        "freeze",
        EntryState.UNDONE,
        EntryState.UNDONE,
    )
    assert first.instants[What.AFTER] == paused.after
    journal = Journal(journal_path(home))
    assert [each.ending for each in journal.sessions()] == [SessionEnding.CLOSED]
    journal.close()
    assert recover(home) == []


def test_children_born_after_the_look_are_stopped_too(home: Path, tree: Tree) -> None:
    with a_session(home) as drill:
        prepared = drill.prepare(PAUSE, tree.role, ttl_s=30)
        tree.grow()
        drill.fire(prepared)
        assert len(tree.all()) == 4
        assert all(is_stopped(process) for process in tree.all())
        (life,) = drill.history()
        assert len(life.entry.undo.state["processes"]) == 4  # durable, like all the rest
        assert life.entry.undo.token == prepared.undo.token
    assert not any(is_stopped(process) for process in tree.all())


def test_a_second_conductor_is_refused(home: Path) -> None:
    with (
        a_session(home),
        pytest.raises(Unavailable, match=f"by pid {os.getpid()}, running crash"),
        FaultSession(home, "shop", experiment="other", run="b-run"),
    ):
        pass
    with a_session(home):
        pass


def test_without_ready_there_is_no_session(home: Path) -> None:
    for command in ((sys.executable, "-c", "pass"), (sys.executable, "-c", "print('hello')")):
        with (
            pytest.raises(Unavailable, match="guardian did not start"),
            a_session(home, guardian_command=command),
        ):
            pass
    with a_session(home):  # and nothing stands in the way of the next
        pass


def test_without_a_durable_intent_nothing_is_injected(home: Path, tree: Tree) -> None:
    with a_session(home) as drill:
        database = drill._journal._db
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        huge = replace(tree.role, parameters={**tree.role.parameters, "note": "x" * 100_000})
        with pytest.raises(JournalError):
            drill.inject(PAUSE, huge, ttl_s=30)
        assert tree.intact()
        database.execute("PRAGMA max_page_count = 1073741823")


def test_what_cannot_be_prepared_leaves_no_trace(home: Path, role: Role) -> None:
    with a_session(home) as drill:
        with pytest.raises(BadInput, match="say where its process is"):
            drill.prepare(PAUSE, role, ttl_s=30)
        assert drill.history() == []


@pytest.mark.usefixtures("in_process")
def test_an_injection_that_fails_is_undone_at_once(home: Path, scripted: type[Any], role: Role) -> None:
    with a_session(home) as drill:
        with pytest.raises(InjectionError, match="no such luck"):
            drill.inject(scripted(inject_fails=True), role, ttl_s=30)
        assert scripted.told == ["inject it", "undo it"]
        assert [life.entry.state for life in drill.history()] == [EntryState.UNDONE]
    assert drill.outcomes == []


@pytest.mark.usefixtures("in_process")
def test_an_undo_that_fails_is_loud_and_tried_again_at_the_end(
    home: Path, scripted: type[Any], role: Role
) -> None:
    with a_session(home) as drill:
        injection = drill.inject(scripted(undo_fails=1), role, ttl_s=30)
        with pytest.raises(UndoFailedError, match="by hand: mend it"):
            drill.undo(injection.prepared)
    assert [outcome.undone for outcome in drill.outcomes] == [True]


@pytest.mark.usefixtures("in_process")
def test_an_injection_that_fails_and_cannot_be_undone_says_both(
    home: Path, scripted: type[Any], role: Role
) -> None:
    with a_session(home) as drill, pytest.raises(InjectionError) as caught:
        drill.inject(scripted(inject_fails=True, undo_fails=9), role, ttl_s=30)
    assert "inject raised OSError: no such luck" in str(caught.value)
    assert "is not undone: scripted: undo raised OSError: still broken" in str(caught.value)
    assert [life.undo for life in drill.history()] == [UndoOutcome.FAILED]


@pytest.mark.usefixtures("in_process")
def test_what_was_never_fired_is_not_left_behind(home: Path, scripted: type[Any], role: Role) -> None:
    """Its role may be ill, and its undo may find nobody there: nothing of ours is the reason."""
    with a_session(home) as drill:
        drill.prepare(scripted(undo_fails=9, well=False, is_gone=False), role, ttl_s=30)
    assert [(life.undo, life.error) for life in drill.history()] == [(UndoOutcome.NOT_INJECTED, "")]
    assert recover(home) == []


@pytest.mark.usefixtures("in_process")
def test_what_the_journal_could_not_be_told_is_known_to_the_run(
    home: Path, scripted: type[Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise JournalError("the disk is full")

    with a_session(home) as drill:
        drill.inject(scripted(), role, ttl_s=30)
        monkeypatch.setattr(drill._journal, "undone", full)
        monkeypatch.setattr(drill._journal, "end_session", full)
    assert "undo it" in scripted.told
    assert [life.undo for life in drill.history()] == [UndoOutcome.UNRECORDED]


@pytest.mark.usefixtures("in_process")
def test_a_look_beside_is_waited_for_at_the_end(
    home: Path, scripted: type[Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = threading.Event()

    def slow(*_: object) -> bool:
        looking.set()
        return bool(scripted.hanging.wait(10))

    monkeypatch.setattr(scripted, "gone", slow)
    told: list[UndoOutcome] = []
    with a_session(home) as drill:
        prepared = drill.inject(scripted(), role, ttl_s=30).prepared
        outcome = drill.take_back(prepared)
        assert outcome.undo_outcome is UndoOutcome.UNVERIFIED
        assert What.UNDONE in drill.life(prepared).instants
        drill.verify_beside(outcome, lambda found: told.append(found.undo_outcome))
        assert looking.wait(10)
        assert told == []
        scripted.hanging.set()
    assert told == [UndoOutcome.VERIFIED]
    assert [life.undo for life in drill.history()] == [UndoOutcome.VERIFIED]


@pytest.mark.usefixtures("in_process")
def test_a_look_beside_that_begins_as_the_session_ends_is_made_by_the_end(
    home: Path, scripted: type[Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    beginning, ending = threading.Event(), threading.Event()

    def start_late(thread: threading.Thread) -> None:
        if thread.name == "seatrial-verify":
            beginning.set()
            assert ending.wait(10)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_late)
    told: list[UndoOutcome] = []
    with a_session(home) as drill:
        first = drill.take_back(drill.inject(scripted(label="a"), role, ttl_s=30).prepared)
        threading.Thread(
            target=drill.verify_beside, args=(first, lambda each: told.append(each.undo_outcome))
        ).start()
        assert beginning.wait(10)
        undo_all = drill.undo_all

        def undo_all_and_let_begin() -> list[Any]:
            threading.Timer(0.05, ending.set).start()
            return undo_all()

        drill.undo_all = undo_all_and_let_begin  # type: ignore[method-assign]
    assert told == [UndoOutcome.VERIFIED]
    drill.verify_beside(first, lambda each: told.append(each.undo_outcome))
    assert told == [UndoOutcome.VERIFIED], "nobody is told after the end"
    assert [life.undo for life in drill.history()] == [UndoOutcome.VERIFIED]


def test_without_a_thread_for_its_pulse_there_is_no_session(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_thread_for("seatrial-pulse", monkeypatch)
    with pytest.raises(Unavailable, match="start new thread"), a_session(home):
        pytest.fail("it began")
    monkeypatch.undo()
    with a_session(home) as drill:
        assert drill.lost == ""


@pytest.mark.usefixtures("in_process")
def test_a_look_beside_that_no_thread_can_make_is_made_by_the_end(
    home: Path, scripted: type[Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_thread_for("seatrial-verify", monkeypatch)
    told: list[Outcome] = []
    with a_session(home) as drill:
        drill.verify_beside(drill.take_back(drill.inject(scripted(), role, ttl_s=30).prepared), told.append)
    assert told == []
    assert [life.undo for life in drill.history()] == [UndoOutcome.VERIFIED]


@pytest.mark.usefixtures("in_process")
def test_who_could_not_be_asked_before_is_asked_at_the_end(
    home: Path, scripted: type[Any], role: Role
) -> None:
    with a_session(home) as drill:
        first = drill.inject(scripted(label="a"), role, ttl_s=30).prepared
        drill.inject(scripted(label="b"), role, ttl_s=30)
        assert drill.undo(first).undo_outcome is UndoOutcome.UNVERIFIED, "another is on its role"
    assert [life.undo for life in drill.history()] == [UndoOutcome.VERIFIED] * 2


@pytest.mark.usefixtures("in_process")
def test_after_undo_all_nothing_more_is_injected(home: Path, scripted: type[Any], role: Role) -> None:
    with a_session(home) as drill:
        drill.inject(scripted(label="a"), role, ttl_s=30)
        later = drill.prepare(scripted(label="b"), role, ttl_s=30)
        drill.undo_all()
        assert scripted.told == ["inject a", "undo b", "undo a"]
        with pytest.raises(Interrupted):
            drill.fire(later)
        with pytest.raises(Interrupted):
            drill.prepare(scripted(), role, ttl_s=30)
    assert "inject b" not in scripted.told


@pytest.mark.usefixtures("in_process")
def test_an_injection_under_way_is_undone_when_it_is_through(
    home: Path, scripted: type[Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(self: Any, undo: Any) -> None:
        begun.set()
        assert go_on.wait(10)
        scripted.told.append("inject slowly")

    monkeypatch.setattr(scripted, "inject", slow)
    with a_session(home) as drill:
        prepared = drill.prepare(scripted(), role, ttl_s=30)
        firing = threading.Thread(target=drill.fire, args=(prepared,))
        firing.start()
        assert begun.wait(10)
        undoing = threading.Thread(target=drill.undo_all)
        undoing.start()
        wait_until(lambda: drill._closing)
        go_on.set()
        firing.join()
        undoing.join()
        assert scripted.told == ["inject slowly", "undo it"]
        assert [life.entry.state for life in drill.history()] == [EntryState.UNDONE]


def test_the_death_of_the_guardian_ends_the_session(home: Path, tree: Tree) -> None:
    lost: list[str] = []
    told = threading.Event()

    def on_lost(reason: str) -> None:
        lost.append(reason)
        told.set()

    with a_session(home, on_lost=on_lost) as drill:
        drill.inject(PAUSE, tree.role, ttl_s=30)
        send(drill._link.process, signal.SIGKILL)
        assert told.wait(10)
        assert tree.intact()  # undone before anybody was told
        with pytest.raises(Unavailable, match="the guardian is dead"):
            drill.inject(PAUSE, tree.role, ttl_s=30)
    assert lost == ["the guardian is dead"] == [drill.lost]
    journal = Journal(journal_path(home))
    assert [each.ending for each in journal.sessions()] == [SessionEnding.INTERRUPTED]
    journal.close()


def test_a_frozen_guardian_ends_the_session(home: Path, tree: Tree) -> None:
    told = threading.Event()
    with a_session(home, lease_s=0.6, on_lost=lambda _: told.set()) as drill:
        drill.inject(PAUSE, tree.role, ttl_s=30)
        send(drill._link.process, signal.SIGSTOP)
        assert told.wait(10)
        assert tree.intact()
        assert "does not answer" in drill.lost
        send(drill._link.process, signal.SIGCONT)
    assert not is_running(drill._link.process)


def test_a_fault_does_not_outlive_its_time_to_live(home: Path, tree: Tree) -> None:
    with a_session(home) as drill:
        injection = drill.inject(PAUSE, tree.role, ttl_s=0.2)
        wait_until(tree.intact, what="the guardian undoes it")
        wait_until(lambda: drill.history()[0].entry.state is EntryState.UNDONE)
        assert not drill.lost
        assert drill.undo(injection.prepared).undone  # the conductor's own undo comes late, and is harmless
        assert drill.history()[0].entry.claimant == drill._link.process


def test_the_guardian_is_nobody_elses_business(home: Path) -> None:
    with a_session(home) as drill:
        guardian = drill._link.process
        assert os.getsid(guardian.pid) == guardian.pid
        assert GUARDIAN_COMMAND[-1] == "seatrial.undo.guardian"
        os.kill(guardian.pid, signal.SIGINT)
        os.kill(guardian.pid, signal.SIGHUP)
    assert not drill.lost
    assert not is_running(guardian)


def test_a_guardian_that_is_told_to_end_undoes_everything(home: Path, tree: Tree) -> None:
    with a_session(home) as drill:
        drill.inject(PAUSE, tree.role, ttl_s=30)
        os.kill(drill._link.process.pid, signal.SIGTERM)
        wait_until(lambda: bool(drill.lost))
        wait_until(tree.intact)


def test_a_journal_that_cannot_be_read_any_more_keeps_no_effect_in_place(
    home: Path, in_process: None, scripted: Any, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise JournalError("the fault journal cannot be used: disk I/O error")

    drill = a_session(home)
    with drill:
        drill.inject(scripted(label="first"), role, ttl_s=30, label="first")
        drill.inject(scripted(label="second"), role, ttl_s=30, label="second")
        for name in ("open_entries", "entries", "entry", "claim", "undone"):
            monkeypatch.setattr(drill._journal, name, unreadable)
    assert scripted.told[2:4] == ["undo second", "undo first"]
    assert {(life.entry.label, life.entry.verified) for life in drill.history()} == {
        ("first", None),
        ("second", None),
    }
    assert {life.undo for life in drill.history()} == {UndoOutcome.UNRECORDED}
    assert all(life.error for life in drill.history()), "nobody may take them for undone on record"
    with a_session(home):  # the target was let go
        pass
