"""process.pause: everything that descends from the role is stopped, and what others had stopped stays so."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from tests.support.victims import Tree
from tests.support.waiting import wait_until

from seatrial.faults.process_pause import ProcessPause
from seatrial.model.problems import Unreachable
from seatrial.model.undo import PartlyUndone
from seatrial.processes import is_stopped, send
from seatrial.undo import registry

PAUSE = ProcessPause()


def test_all_are_stopped_and_continued(tree: Tree) -> None:
    undo = PAUSE.prepare(tree.role)
    PAUSE.inject(undo)
    assert all(is_stopped(process) for process in tree.born)
    assert not PAUSE.healthy(tree.role)
    assert not PAUSE.gone(undo)
    assert undo.by_hand == "kill -CONT " + " ".join(str(process.pid) for process in tree.born)
    for _ in range(2):
        PAUSE.undo(undo)
        wait_until(tree.intact)
    assert PAUSE.healthy(tree.role)
    assert PAUSE.gone(undo)


def test_what_others_had_stopped_stays_stopped(tree: Tree) -> None:
    theirs = tree.born[1]
    send(theirs, signal.SIGSTOP)
    wait_until(lambda: is_stopped(theirs))
    undo = PAUSE.prepare(tree.role)
    PAUSE.inject(undo)
    PAUSE.undo(undo)
    wait_until(lambda: not is_stopped(tree.born[0]))
    assert is_stopped(theirs)
    assert PAUSE.gone(undo), "what others do is no effect of ours"
    assert not PAUSE.healthy(tree.role)


def test_one_that_stays_stopped_is_a_part_of_it(tree: Tree) -> None:
    undo = PAUSE.prepare(tree.role)
    PAUSE.inject(undo)
    for process in tree.born[1:]:
        send(process, signal.SIGCONT)
    with pytest.raises(PartlyUndone, match=f"pid {tree.born[0].pid} of 3 still stopped"):
        PAUSE.gone(undo)
    PAUSE.undo(undo)


def test_a_stranger_with_the_number_of_the_stopped_is_not_the_role(tree: Tree) -> None:
    undo = PAUSE.prepare(tree.role)
    root = tree.born[0]
    stopped = {"pid": root.pid, "started": root.started - 1, "boot": root.boot}
    with pytest.raises(Unreachable, match=f"tree: pid {root.pid} is another process now"):
        PAUSE.gone(replace(undo, state={"processes": [stopped], "before": []}))


def test_it_extends_to_the_newly_born_and_no_further(tree: Tree) -> None:
    undo = PAUSE.prepare(tree.role)
    assert PAUSE.extended(undo) is None
    tree.grow()
    wider = PAUSE.extended(undo)
    assert wider is not None
    assert wider.token == undo.token
    assert set(wider.state["processes"][-1]) == {"pid", "started", "boot"}
    assert len(wider.state["processes"]) == 4
    assert PAUSE.extended(wider) is None


def test_it_has_no_parameters() -> None:
    assert registry.build("process.pause", {}) == PAUSE
