"""process.pause, kill and slow do the same to a process here, at another machine and in a container.

And the guardian undoes it there when whoever injected it was killed (here: see `tests/undo/test_kills.py`).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.support import crash_points
from tests.support.places import Ticking, elsewhere, everywhere, stands_still
from tests.support.waiting import wait_until

from seatrial.processes import tagged
from seatrial.undo import FaultSession, recover, registry
from seatrial.undo.journal import EntryState, Journal
from seatrial.undo.session import journal_path

PAUSE: Any = registry.build("process.pause", {})
KILL: Any = registry.build("process.kill", {})
SLOW: Any = registry.build("process.slow", {"to": "20%", "period": "100ms"})


@everywhere
def test_it_is_paused_and_verified_to_go_on(victim: Ticking, home: Path) -> None:
    with FaultSession(home, "shop", experiment="x", run="r") as session:
        prepared = session.inject(PAUSE, victim.role, ttl_s=30).prepared
        assert stands_still(victim)
        outcome = session.undo(prepared)
    assert (outcome.state, outcome.verified) == (EntryState.UNDONE, True)
    assert not stands_still(victim)


@everywhere
def test_it_is_killed_and_verified_to_be_back(victim: Ticking, home: Path) -> None:
    before = KILL.prepare(victim.role).state["processes"]
    with FaultSession(home, "shop", experiment="x", run="r") as session:
        prepared = session.inject(KILL, victim.role, ttl_s=30).prepared
        assert KILL.effective(prepared.undo)
        outcome = session.undo(prepared)
    assert (outcome.state, outcome.verified) == (EntryState.UNDONE, True)
    assert KILL.prepare(victim.role).state["processes"] != before
    assert not stands_still(victim)


@everywhere
def test_it_runs_part_of_the_time(victim: Ticking) -> None:
    undo = SLOW.prepare(victim.role)
    at_full_speed = speed(victim)
    SLOW.inject(undo)
    slowed = speed(victim)
    SLOW.undo(undo)
    assert 0 < slowed < 0.7 * at_full_speed
    assert tagged(undo.token) == []
    assert SLOW.gone(undo)
    assert SLOW.healthy(victim.role)


def speed(victim: Ticking) -> float:
    """Ticks a second, seen over some periods."""
    before, began_s = victim.ticks(), time.monotonic()
    time.sleep(2.5)  # a container is asked three times for each stop, so its periods are long
    return (victim.ticks() - before) / (time.monotonic() - began_s)


@elsewhere
@pytest.mark.parametrize("fault", ["process.pause", "process.kill", "process.slow"])
def test_the_guardian_undoes_it_there_when_the_conductor_was_killed(
    victim: Ticking, home: Path, fault: str
) -> None:
    conductor = conducting(home, victim, fault)
    conductor.send_signal(signal.SIGKILL)
    conductor.communicate()
    journal = Journal(journal_path(home))
    try:
        wait_until(lambda: not journal.open_entries(journal.sessions()[0].id), what="the guardian undoes it")
        (entry,) = journal.entries(journal.sessions()[0].id)
        assert entry.state is EntryState.UNDONE
        wait_until(lambda: not stands_still(victim), what="it goes on")
        wait_until(lambda: journal.entries(entry.session)[0].verified, what="it is verified")
    finally:
        journal.close()
    assert recover(home) == []


@elsewhere
def test_recover_undoes_it_there_when_nobody_was_left(victim: Ticking, home: Path) -> None:
    conductor = conducting(home, victim, "process.pause", guardian_step="journal.claim:before")
    conductor.send_signal(signal.SIGKILL)
    conductor.communicate()
    wait_until((home / "guardian.died").exists, what="the guardian dies as well")
    assert stands_still(victim)
    (recovered,) = recover(home)
    assert recovered.outcome.verified
    assert not stands_still(victim)


def conducting(home: Path, victim: Ticking, fault: str, guardian_step: str = "") -> subprocess.Popen[str]:
    """A conductor that has injected the fault, and would hold it for long."""
    order = {
        "home": str(home), "run": "r", "step": "", "guardian_step": guardian_step, "lease_s": 30.0, "hold_s": 60.0,
        "faults": [{"name": fault, "with": {}, "role": asdict(victim.role)}],
    }  # fmt: skip
    conductor = subprocess.Popen(
        [sys.executable, crash_points.__file__, "conductor", json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert conductor.stdout is not None
    assert [conductor.stdout.readline().strip() for _ in range(2)] == ["open", "active"]
    return conductor
