"""Nothing is left behind, whoever died before: processes, shared memory, sockets, directories.

The testbed's data is thrown away in any case, so there is one way to end it, and it is the way that must work
after a crash: kill everything that is ours, then remove what it left (Candea and Fox, *Crash-Only Software*,
HotOS 2003). A supervisor that lives is told to do so itself: it is the parent of all the others, and whom
their parent has not waited for stays a zombie for good where process 1 is no init.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
from pathlib import Path

from seatrial.model.problems import SeatrialError
from seatrial.processes import await_gone, is_stopped, send
from seatrial.testbed import network, state
from seatrial.testbed.parts.postgres import postmaster_pidfile
from seatrial.testbed.places import Places
from seatrial.testbed.processes import belonging_to, end
from seatrial.testbed.programs import servers

_IPC_RMID = 0
_SEGMENTS = Path("/proc/sysvipc/shm")
_ROUNDS = 5
_END_WITHIN_S = 5.0
_WIND_UP_WITHIN_S = 10.0
_libc = ctypes.CDLL(None, use_errno=True)


def clear(places: Places) -> int:
    """End every process of the testbed but the caller, and remove all but its logs. How many were ended."""
    at_first = len(belonging_to(places.root, servers()))
    _let_the_supervisor_end(places)
    ended = max(at_first, _end_all(places))
    network.remove(places.tag)
    for directory in places.parts.glob("*"):
        release_segment(postmaster_pidfile(directory))
    for directory in (places.parts, places.sockets, places.pids):
        if directory.is_dir() and not directory.is_symlink() and directory.stat().st_uid == os.geteuid():
            shutil.rmtree(directory)
    for file in (places.state, places.target, places.secrets):
        file.unlink(missing_ok=True)
    return ended


def exist(places: Places) -> bool:
    """Whether there is anything to clear."""
    own = (places.state, places.parts, places.sockets)
    return any(path.exists() for path in own) or bool(network.left(places.tag))


def _let_the_supervisor_end(places: Places) -> None:
    try:
        found = state.read(places.state)
    except (ValueError, KeyError, TypeError):  # half a record: who it was is not known any more
        return
    if found is None or found.supervisor.pid == os.getpid() or is_stopped(found.supervisor):
        return
    if send(found.supervisor, signal.SIGTERM):
        await_gone([found.supervisor], _WIND_UP_WITHIN_S)


def _end_all(places: Places) -> int:
    """A process may have been forking while it was listed: look again until nobody is found."""
    count = 0
    for _ in range(_ROUNDS):
        found = belonging_to(places.root, servers())
        if not found:
            return count
        count += len(found)
        if remaining := end(found, _END_WITHIN_S):
            pids = " ".join(str(process.pid) for process in remaining)
            raise SeatrialError(f"testbed: these processes do not end: {pids}; by hand: kill -9 {pids}")
    raise SeatrialError(
        f"testbed: new processes keep appearing in {places.root}; run `seatrial testbed down` again"
    )


def release_segment(pidfile: Path) -> bool:
    """Remove the System V segment of a PostgreSQL that was killed; whether there was one.

    Line 1 of postmaster.pid is the postmaster's pid, line 7 the segment's key and id. Ids are reused too: the
    segment is PostgreSQL's only if its key and its creator agree as well, and nobody is attached to it.
    """
    try:
        lines = pidfile.read_text().splitlines()
        creator, (key, identifier) = lines[0].strip(), lines[6].split()
        segments = _SEGMENTS.read_text().splitlines()[1:]
    except (OSError, IndexError, ValueError):  # it never came to run, or it ended cleanly
        return False
    for columns in (line.split() for line in segments):
        # key shmid perms size cpid lpid nattch …; the key is shown signed
        same_key = int(columns[0]) % 2**32 == int(key) % 2**32
        if columns[1] == identifier and same_key and columns[4] == creator and columns[6] == "0":
            return bool(_libc.shmctl(int(identifier), _IPC_RMID, None) == 0)
    return False
