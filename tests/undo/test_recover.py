"""What dead runs left is undone once, what living ones do is left alone."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.support.victims import Tree
from tests.support.waiting import wait_until

from seatrial.model.role import Role
from seatrial.processes import ProcessId, identify, is_stopped, send
from seatrial.undo import FaultSession, Undo, recover, registry
from seatrial.undo.journal import EntryState, Journal, SessionEnding, SessionRecord
from seatrial.undo.session import journal_path

PAUSE = registry.build("process.pause", {})
DEAD = ProcessId(2**22 - 1, 1, "a boot long ago")


def leave_behind(home: Path, undo: Undo, *, active: bool) -> None:
    """The journal as a run leaves it that dies."""
    journal = Journal(journal_path(home))
    journal.open_session(SessionRecord("dead", "shop", "crash", "a-run", DEAD, guardian=DEAD))
    number = journal.prepare("dead", "freeze", undo, 2**62)
    if active:
        now = journal.clock.now()
        journal.activate(number, now, now, 2**62)
    journal.close()


def test_nothing_is_recovered_from_nothing(home: Path) -> None:
    assert recover(home) == []
    assert not journal_path(home).exists()


def test_what_was_left_is_undone_once(home: Path, tree: Tree) -> None:
    for active in (True, False):
        undo = PAUSE.prepare(tree.role)
        PAUSE.inject(undo)
        journal_path(home).unlink(missing_ok=True)
        leave_behind(home, undo, active=active)
        (found,) = recover(home)
        assert (found.run, found.target, found.experiment) == ("a-run", "shop", "crash")
        assert found.undone
        assert found.outcome.verified
        assert tree.intact()
        assert recover(home) == []
        journal = Journal(journal_path(home))
        assert [session.ending for session in journal.sessions()] == [SessionEnding.INTERRUPTED]
        journal.close()


def test_a_living_conductor_is_left_alone(home: Path, tree: Tree) -> None:
    with FaultSession(home, "shop", experiment="crash", run="r", faults=["process.pause"]) as drill:
        drill.inject(PAUSE, tree.role, ttl_s=30)
        assert recover(home) == []
        assert all(is_stopped(process) for process in tree.born)
    assert tree.intact()


def test_what_cannot_be_undone_stays_and_says_what_to_do(home: Path, role: Role) -> None:
    undo = Undo("no.such_fault", {}, role, {}, "something", "mend it with a hammer")
    leave_behind(home, undo, active=True)
    for _ in range(2):  # it is tried each time
        (found,) = recover(home)
        assert not found.undone
        assert found.outcome.state is EntryState.UNDO_FAILED
        assert found.outcome.entry.undo.by_hand == "mend it with a hammer"


def test_a_stranger_with_the_number_of_a_victim_is_not_touched(home: Path, tree: Tree) -> None:
    """The victim died, its number went to somebody who is stopped for reasons of his own."""
    undo = PAUSE.prepare(tree.role)
    stranger = tree.born[1]
    send(stranger, signal.SIGSTOP)
    wait_until(lambda: is_stopped(stranger))
    state: dict[str, Any] = {
        "processes": [{"pid": stranger.pid, "started": stranger.started - 1, "boot": stranger.boot}],
        "before": [],
    }
    leave_behind(home, Undo(undo.fault, {}, undo.role, state, "", ""), active=True)
    recover(home, verify_within_s=0)
    assert is_stopped(stranger)
    assert identify(stranger.pid) == stranger
