"""Where processes run, and how they are looked at and signalled there: here, at another host, in a container.

                      ┌─ ThisMachine    /proc and pidfds
    fault ──► Host ◄──┼─ SshMachine     a small shell script over one SSH connection   (drivers/ssh.py)
                      └─ Engine         the API of a container engine                  (drivers/container.py)

A fault knows three things of a host: what has become of processes, how to signal them, and what descends from
them. A signal reaches exactly the process that was named: whose place that is compares its identity first.
"""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from seatrial import processes
from seatrial.drivers.launch import detach_once
from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessId, ProcessState, from_pidfile
from seatrial.waiting import wait_until

_DIE_WITHIN_S = 5.0
_STOP_WITHIN_S = 2.0
_LOOKS = 3
_LOOK_AGAIN_S = 0.005
_LOOK_EVERY_S = 0.0005  # while a signal takes its effect, which is what is timed


class Host(Protocol):
    """A place where processes run. Every method raises Unavailable when it cannot be asked."""

    def states(self, wanted: Sequence[ProcessId]) -> list[ProcessState]:
        """What has become of each, in the same order."""

    def signal(self, wanted: Sequence[ProcessId], number: signal.Signals) -> None:
        """To each, in this order, unless it is gone, whoever has its number now."""

    def descendants(self, roots: Sequence[ProcessId]) -> list[ProcessId]:
        """Everything that descends from `roots`, parents before children, the roots themselves left out."""


class Machine(Host, Protocol):
    """A host with files and programs of its own, which knows processes by their pidfiles."""

    place: str  # for people, after who is there: " at web-1"

    def named(self, pidfile: str) -> ProcessId | None:
        """The process whose number a file holds; None when there is no file or no process."""

    def start_once(self, arguments: Sequence[str], token: str, log: str) -> None:
        """Start a program that outlives us, unless one that is tagged with `token` runs already."""

    def typed(self, arguments: Sequence[str]) -> str:
        """What a person would type here to run this there."""


class ThisMachine:
    """The machine that we run on; relative paths start at `directory`."""

    place = ""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def states(self, wanted: Sequence[ProcessId]) -> list[ProcessState]:
        return [processes.state_of(process) for process in wanted]

    def signal(self, wanted: Sequence[ProcessId], number: signal.Signals) -> None:
        for process in wanted:
            processes.send(process, number)

    def descendants(self, roots: Sequence[ProcessId]) -> list[ProcessId]:
        return processes.descendants(roots)

    def named(self, pidfile: str) -> ProcessId | None:
        return next(from_pidfile(self._directory / pidfile), None)

    def start_once(self, arguments: Sequence[str], token: str, log: str) -> None:
        with (self._directory / log).open("ab") as output:
            detach_once(arguments, token, directory=self._directory, output=output.fileno())

    def typed(self, arguments: Sequence[str]) -> str:
        return shlex.join(arguments)


def kill(host: Host, victims: Sequence[ProcessId]) -> None:
    """SIGKILL to each, in this order; returns when they are gone. Raises Unavailable for one that stays."""
    host.signal(victims, signal.SIGKILL)
    _await(host, victims, {ProcessState.GONE}, _DIE_WITHIN_S, "did not die")


def stop(host: Host, victims: Sequence[ProcessId]) -> None:
    """SIGSTOP to each, in this order; returns when they stand still. Raises Unavailable for one that runs."""
    host.signal(victims, signal.SIGSTOP)
    _await(host, victims, {ProcessState.STOPPED, ProcessState.GONE}, _STOP_WITHIN_S, "did not stop")


def resume(host: Host, stopped: Sequence[ProcessId]) -> None:
    """SIGCONT to each, children before parents, when they are in the order of `descendants`.

    Whatever their state: a stop may be on its way, and SIGCONT takes back those that are pending as well.
    """
    host.signal(list(reversed(stopped)), signal.SIGCONT)


def _await(
    host: Host, victims: Sequence[ProcessId], wanted: set[ProcessState], within_s: float, what: str
) -> None:
    def others() -> list[ProcessId]:
        return [
            each for each, state in zip(victims, host.states(victims), strict=True) if state not in wanted
        ]

    if not wait_until(lambda: not others(), within_s, _LOOK_EVERY_S) and (left := others()):
        raise Unavailable(f"{', '.join(map(str, left))} {what}; waiting for a disk, perhaps")


def stopped(host: Host, wanted: Sequence[ProcessId]) -> list[ProcessId]:
    """Those of them that are stopped."""
    states = host.states(wanted)
    return [each for each, state in zip(wanted, states, strict=True) if state is ProcessState.STOPPED]


def all_gone(host: Host, wanted: Sequence[ProcessId]) -> bool:
    """Whether none of them runs, as the process that it was."""
    return all(state is ProcessState.GONE for state in host.states(wanted))


def all_survive(host: Host, wanted: Sequence[ProcessId]) -> bool:
    """Whether all of them run and stay so: one that has been sent SIGKILL and is on its way out does not.

    Between the signal and the kernel's work is an instant at which nothing shows, hence the second look.
    """
    for _ in range(_LOOKS):
        wait_until(lambda: ProcessState.DYING not in host.states(wanted), _DIE_WITHIN_S, _LOOK_AGAIN_S)
        if not {ProcessState.RUNNING, ProcessState.STOPPED}.issuperset(host.states(wanted)):
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True
