"""One conductor a target, for as long as it lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.model.problems import Unavailable
from seatrial.processes import myself
from seatrial.undo.lock import Holder, TargetLock

HOLD = """
import sys, time
from pathlib import Path
from seatrial.undo.lock import Holder, TargetLock
from seatrial.processes import myself
TargetLock(Path(sys.argv[1]), "shop").acquire(Holder(myself(), "s", "shop", "crash", "2026-01-01T00:00:00+00:00"))
print("held", flush=True)
time.sleep(600)
"""


def a_holder(target: str = "shop") -> Holder:
    return Holder(myself(), "session", target, "blue-green", "2026-01-01T00:00:00+00:00")


def test_the_second_is_refused_and_told_who_holds_it(home: Path) -> None:
    with TargetLock(home, "shop") as first:
        first.acquire(a_holder())
        with pytest.raises(Unavailable, match=r"drilled already, by pid \d+, running blue-green since 2026"):
            TargetLock(home, "shop").acquire(a_holder())
        TargetLock(home, "another shop").acquire(a_holder("another shop"))
        assert TargetLock(home, "shop").holder() == a_holder()
    assert TargetLock(home, "shop").holder() is None
    TargetLock(home, "shop").acquire(a_holder())


def test_it_is_gone_with_its_holder(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == b"held\n"
        lock = TargetLock(home, "shop")
        with pytest.raises(Unavailable, match=f"pid {child.pid}, running crash"):
            lock.acquire(a_holder())
        child.kill()
        child.wait()
        assert lock.holder() is None
        with lock:
            lock.acquire(a_holder())
