"""A conductor and a guardian that die at a named step. Run as programs, by `kill_campaign`.

A step is a call, `journal.prepare`, `inject`, `undo` …, and `:before`, `:after` or, where a fault sends several
signals, `:middle`. Whoever dies at a step writes the instant into a file first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatrial import processes
from seatrial.model.problems import SeatrialError
from seatrial.model.role import Role
from seatrial.undo import FaultSession, guardian, registry
from seatrial.undo.journal import Journal
from seatrial.undo.link import GuardianLink

JOURNAL_CALLS = ("open_session", "guarded_by", "prepare", "amend", "activate", "claim", "undone", "verified",
                 "end_session")  # fmt: skip


def die(obituary: Path) -> None:
    """SIGKILL to ourselves, after writing down when (nanoseconds, monotonic)."""
    obituary.write_text(str(time.monotonic_ns()))
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def arm(step: str, faults: list[str], obituary: Path) -> None:
    """Make this process die at `step`."""
    where, _, moment = step.partition(":")
    for call in JOURNAL_CALLS:
        if where == f"journal.{call}":
            _wrap(Journal, call, moment, obituary)
    if where == "leave":
        _wrap(GuardianLink, "leave", moment, obituary)
    for name in faults:
        declared = registry.find(name)
        if where not in ("inject", "undo"):
            continue
        if moment == "middle":
            _die_between_signals(declared, where, obituary)
        else:
            _wrap(declared, where, moment, obituary)


def _wrap(owner: Any, attribute: str, moment: str, obituary: Path) -> None:
    original: Callable[..., Any] = getattr(owner, attribute)

    def crashing(*arguments: Any, **named: Any) -> Any:
        if moment == "before":
            die(obituary)
        result = original(*arguments, **named)
        if moment == "after":
            die(obituary)
        return result

    setattr(owner, attribute, crashing)


def _die_between_signals(declared: Any, method: str, obituary: Path) -> None:
    """Die after the first signal that `method` sends; at its end where it sends none."""
    senders: list[Any] = [
        module for module in (sys.modules[declared.__module__], processes) if hasattr(module, "send")
    ]
    original: Callable[..., Any] = getattr(declared, method)
    send = processes.send

    def crashing_send(*arguments: Any) -> Any:
        send(*arguments)
        die(obituary)

    def crashing(*arguments: Any) -> Any:
        for module in senders:
            module.send = crashing_send
        original(*arguments)
        die(obituary)

    setattr(declared, method, crashing)


def conduct(order: dict[str, Any]) -> int:
    """Inject what is ordered, hold it, undo it. 0 when all went well, 3 when the session was lost."""
    home = Path(order["home"])
    names = [fault["name"] for fault in order["faults"]]
    for name in names:
        registry.find(name)  # loaded now, so that random instants fall into the lives of faults
    if order["step"]:
        arm(order["step"], names, home / "conductor.died")
    lost = threading.Event()
    session = FaultSession(
        home,
        "shop",
        experiment="kills",
        run=order["run"],
        faults=names,
        lease_s=order["lease_s"],
        on_lost=lambda _: lost.set(),
        guardian_command=(sys.executable, __file__, "guardian", order["guardian_step"], str(home)),
    )
    try:
        _hold(session, order, lost)
    except SeatrialError:
        if not session.lost:
            raise  # else it was taken for frozen in the middle of something, and rightly refuses to go on
    return 3 if session.lost else 0


def _hold(session: FaultSession, order: dict[str, Any], lost: threading.Event) -> None:
    home = Path(order["home"])
    with session:
        print("open", flush=True)  # noqa: T201  # the parent waits for it
        prepared = []
        for fault in order["faults"]:
            role = Role(**{**fault["role"], "allow": tuple(fault["role"]["allow"])})
            prepared.append(session.inject(registry.build(fault["name"], fault["with"]), role, 60).prepared)
        print("active", flush=True)  # noqa: T201
        if order["step"] == "idle":
            die(home / "conductor.died")
        lost.wait(order["hold_s"])
        for each in reversed(prepared):
            session.undo(each)


def main() -> int:
    """`crash_points.py conductor ORDER` or, started by it, `crash_points.py guardian STEP HOME …`."""
    if sys.argv[1] == "conductor":
        return conduct(json.loads(sys.argv[2]))
    step, home, *rest = sys.argv[2:]
    names = rest[rest.index("--faults") + 1 :]
    if step:
        arm(step, names, Path(home) / "guardian.died")
    guardian.main(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
