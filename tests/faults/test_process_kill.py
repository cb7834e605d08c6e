"""process.kill: the process is gone when it returns, and runs exactly once when it is undone."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.victims import Service, Tree
from tests.support.waiting import wait_until

from seatrial.model.problems import Unavailable, Unreachable
from seatrial.model.undo import PartlyUndone
from seatrial.processes import identify, is_running
from seatrial.undo import registry

KILL: Any = registry.build("process.kill", {})


def test_it_is_gone_and_comes_back(service: Service) -> None:
    before = service.process()
    undo = KILL.prepare(service.role)
    assert undo.touches == str(before)
    KILL.inject(undo)
    assert service.process() is None
    assert not KILL.gone(undo)
    KILL.undo(undo)
    wait_until(service.intact)
    assert KILL.gone(undo)
    assert service.process() != before
    KILL.undo(undo)  # idempotent
    assert service.starts() == 2


def test_two_who_undo_at_once_start_it_once(service: Service) -> None:
    undo = KILL.prepare(service.role)
    KILL.inject(undo)
    threads = [threading.Thread(target=KILL.undo, args=(undo,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(service.intact)
    assert service.starts() == 2


def test_the_undo_of_what_was_never_injected_does_nothing(service: Service) -> None:
    before = service.process()
    undo = KILL.prepare(service.role)
    KILL.undo(undo)
    assert KILL.gone(undo)
    assert service.process() == before
    assert service.starts() == 1


def test_one_of_two_that_is_back_is_a_part_of_it(service: Service, tmp_path: Path) -> None:
    other = Service(tmp_path / "other")
    files = ["service.pid", str(other.directory / "service.pid")]
    undo = KILL.prepare(replace(service.role, parameters={"pidfile": files}))
    KILL.inject(undo)
    assert not KILL.gone(undo)
    back = Service(service.directory)
    with pytest.raises(PartlyUndone, match=f"{other.directory}/service.pid of 2 name no process"):
        KILL.gone(undo)
    back.close()


def test_a_stranger_with_the_number_of_the_killed_is_not_the_service(service: Service) -> None:
    """The service did not come back, and its number, still in its pidfile, has gone to somebody else."""
    now = service.process()
    assert now is not None
    undo = KILL.prepare(service.role)
    killed = {"pid": now.pid, "started": now.started - 1, "boot": now.boot}
    with pytest.raises(Unreachable, match=f"service: pid {now.pid} is another process now"):
        KILL.gone(replace(undo, state={"processes": [killed]}))


def test_what_its_supervisor_has_started_is_not_started_again(service: Service) -> None:
    undo = KILL.prepare(service.role)
    KILL.inject(undo)
    other = Service(service.directory)  # the supervisor, faster than we
    KILL.undo(undo)
    assert service.starts() == 2
    assert service.process() == other.process()


def test_only_the_parent_dies_unless_told(tree: Tree) -> None:
    KILL.inject(KILL.prepare(tree.role))
    assert [is_running(process) for process in tree.born] == [False, True, True]
    tree.root.wait()
    for process in tree.born[1:]:
        assert identify(process.pid) == process


def test_children_too_when_told(tree: Tree) -> None:
    kill = registry.build("process.kill", {"children": True})
    kill.inject(kill.prepare(tree.role))
    assert not any(is_running(process) for process in tree.born)


def test_who_does_not_run_cannot_be_killed(service: Service) -> None:
    KILL.inject(KILL.prepare(service.role))
    with pytest.raises(Unavailable, match="no process runs"):
        KILL.prepare(service.role)


def test_a_start_command_that_is_not_there_is_told(service: Service) -> None:
    role = replace(service.role, parameters={**service.role.parameters, "start": "no-such-program --now"})
    undo = KILL.prepare(role)
    assert undo.by_hand == "no-such-program --now"
    KILL.inject(undo)
    with pytest.raises(Unavailable, match="there is no program no-such-program"):
        KILL.undo(undo)
