"""A process is found, stopped, continued, killed and started alike here, at another machine, in a container."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.places import Ticking, everywhere, stands_still
from tests.support.waiting import wait_until

from seatrial.drivers.abilities import all_running, none_stopped, processes_of
from seatrial.drivers.host import all_gone, all_survive, kill, resume, stop, stopped
from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessState


@everywhere
def test_what_is_stopped_stands_still_and_goes_on_when_it_is_continued(victim: Ticking) -> None:
    processes = processes_of(victim.role)
    (found,) = processes.found()
    assert processes.host.states([found]) == [ProcessState.RUNNING]
    assert none_stopped(victim.role)
    stop(processes.host, [found])
    assert stands_still(victim)
    assert stopped(processes.host, [found]) == [found]
    assert not none_stopped(victim.role)
    assert all_running(victim.role), "it is there all the same"
    for _ in range(2):  # as often as one likes
        resume(processes.host, [found])
    assert not stands_still(victim)
    assert processes.is_back([found])


@everywhere
def test_what_is_killed_is_gone_and_another_after_it_is_started_again(victim: Ticking) -> None:
    processes = processes_of(victim.role)
    found = processes.found()
    assert all_survive(processes.host, found)
    kill(processes.host, found)
    assert all_gone(processes.host, found)
    assert not all_running(victim.role)
    assert not processes.is_back(found)
    with pytest.raises(Unavailable, match="worker"):
        processes.found()
    for _ in range(2):
        processes.start_again("token")
    wait_until(lambda: processes.is_back(found))
    assert not stands_still(victim)
    (again,) = processes.found()
    assert again not in found
    assert all_gone(processes.host, found), "another is not the one that was noted"


@everywhere
def test_a_signal_reaches_nobody_else(victim: Ticking) -> None:
    """Not whoever has the number now, nor one of another machine or container."""
    processes = processes_of(victim.role)
    (found,) = processes.found()
    strangers = [replace(found, started=found.started - 1), replace(found, boot="0" * len(found.boot))]
    assert processes.host.states(strangers) == [ProcessState.GONE, ProcessState.GONE]
    stop(processes.host, strangers)
    kill(processes.host, strangers)
    assert not stands_still(victim)
    assert processes.found() == [found]


@everywhere
def test_people_are_told_who_it_is_and_what_to_do(victim: Ticking) -> None:
    processes = processes_of(victim.role)
    (found,) = processes.found()
    assert f"pid {found.pid}" in processes.naming([found])
    assert {"kill -CONT", "unpause"} & set(_phrases(processes.resuming([found])))
    assert processes.starting()


def _phrases(command: str) -> list[str]:
    return [phrase for phrase in ("kill -CONT", "unpause") if phrase in command]
