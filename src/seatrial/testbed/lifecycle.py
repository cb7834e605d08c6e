"""Up and down, for the command line and for runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from seatrial.extras import TESTBED
from seatrial.home import private_directory
from seatrial.model.problems import BadInput, Unavailable
from seatrial.testbed import leftovers, state
from seatrial.testbed.app.schema import MOST_TENANTS, TENANTS
from seatrial.testbed.parts.app import audit_mode
from seatrial.testbed.places import Places
from seatrial.testbed.processes import MARKER
from seatrial.testbed.state import TestbedState

Progress = Callable[[str], None]


def up(
    progress: Progress, home: Path | None = None, *, flat: bool = False, tenants: int | None = None
) -> TestbedState:
    """Bring the testbed of `home` up, or find it up; returns when it serves and its standby is synchronous.

    Regions are network namespaces where this machine allows them, unless `flat`; else all is on loopback.
    `tenants`: how many the shop has, four by default; one that is up has as many as it was brought up with.

    What an earlier testbed left is cleared first. Anything that goes wrong, Ctrl-C included, takes down again
    what was started. Raises Unavailable with the reason, or BadInput for what cannot be.
    """
    TESTBED.require("`seatrial testbed up`")
    audit_mode()
    if tenants is not None and not len(TENANTS) <= tenants <= MOST_TENANTS:
        raise BadInput(f"tenants: {len(TENANTS)} to {MOST_TENANTS} are possible, not {tenants}")
    places = Places.of_home(home)
    with _alone(places):
        found = state.read(places.state)
        if found is not None and found.phase == "ready":
            require_tenants(found, tenants)
            away = [f"{part.name} ({part.condition})" for part in found.parts if part.condition != "running"]
            progress("already up" + (f"; not running: {', '.join(away)}" if away else ""))
            return found
        if leftovers.exist(places):
            progress(f"cleared what an earlier testbed had left ({leftovers.clear(places)} processes)")
        try:
            with _timed("up", places):
                _start(places, progress, tenants or len(TENANTS), flat=flat)
            started = state.read(places.state)
        except BaseException:
            leftovers.clear(places)
            raise
    if started is None or started.phase != "ready":
        raise Unavailable(f"testbed: it ended right after it was ready; see {places.log('supervisor')}")
    return started


def require_tenants(found: TestbedState, wanted: int | None) -> None:
    """Raise BadInput when a testbed that is up has too few tenants."""
    has = found.topology.tenants
    if wanted is not None and has < wanted:
        mend = f"seatrial testbed down && seatrial testbed up --tenants {wanted}"
        raise BadInput(f"the testbed is up with {has} tenants, and {wanted} are wanted; to mend: {mend}")


def down(home: Path | None = None) -> bool:
    """Take the testbed of `home` down and leave nothing but its logs; whether there was anything."""
    places = Places.of_home(home)
    if not places.root.exists():
        return False
    with _alone(places):
        if not leftovers.exist(places):
            return leftovers.clear(places) > 0
        with _timed("down", places):
            leftovers.clear(places)
        return True


def usual_s(what: Literal["up", "down"], home: Path | None = None) -> float | None:
    """How long `up` or `down` took the last time in `home`; None when it never did."""
    took = _took(Places.of_home(home)).get(what)
    return took if isinstance(took, float) else None


def status(home: Path | None = None) -> TestbedState | None:
    """The testbed of `home` as it is now; None when there is none."""
    return state.read(Places.of_home(home).state)


def logs(home: Path | None = None) -> dict[str, Path]:
    """The log of each part and of the supervisor, by name; kept after `down` until the next `up`."""
    return {path.stem: path for path in sorted(Places.of_home(home).logs.glob("*.log"))}


def passwords(home: Path | None = None) -> dict[str, str]:
    """Values for the `${NAME}` references of the testbed's `target.yaml`."""
    path = Places.of_home(home).secrets
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def _timed(what: str, places: Places) -> Iterator[None]:
    """Note how long the block took, unless it fails. Nothing depends on it."""
    began_s = time.monotonic()
    yield
    took = _took(places) | {what: time.monotonic() - began_s}
    with contextlib.suppress(OSError):
        places.took.write_text(json.dumps(took))


def _took(places: Places) -> dict[str, Any]:
    try:
        took = json.loads(places.took.read_bytes())
    except (OSError, ValueError):
        return {}
    return took if isinstance(took, dict) else {}


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One `up` or `down` at a time in a home. The lock goes with the process that holds it."""
    try:
        private_directory(places.root)
        lock = places.lock.open("a+")
    except PermissionError as error:
        raise Unavailable(f"testbed: {places.root} is another user's; set SEATRIAL_HOME") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip()
            raise Unavailable(
                f"testbed: another `up` or `down` is at work in {places.root} (pid {holder}); wait for it"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _start(places: Places, progress: Progress, tenants: int, *, flat: bool) -> None:
    private_directory(places.logs)
    for old in places.logs.glob("*.log"):
        old.unlink()
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, places.log("supervisor").open("ab") as log:
            command = [sys.executable, "-P", "-m", "seatrial.testbed.supervisor"]
            subprocess.run(
                [*command, str(places.root), str(theirs.fileno()), str(tenants), *(["flat"] if flat else [])],
                cwd=places.root,
                env={**os.environ, MARKER: str(places.root)},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=True,
            )
        _follow(ours, places, progress)


def _follow(connection: socket.socket, places: Places, progress: Progress) -> None:
    """Pass the supervisor's progress on until it is ready. Raises Unavailable when it has failed or died."""
    with connection.makefile() as lines:
        for line in lines:
            message = json.loads(line)
            if "failed" in message:
                raise Unavailable(message["failed"])
            if "ready" in message:
                return
            progress(message["progress"])
    raise Unavailable(f"testbed: the supervisor died while starting; see {places.log('supervisor')}")
