"""Which processes are the testbed's.

Every process of a testbed inherits MARKER from the supervisor. PostgreSQL and Valkey overwrite their
environment (their `ps` title goes there), so a process is ours too when it runs one of these servers, by the
path of its executable, inside our directory. A name proves nothing and is never looked at.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from seatrial.processes import ProcessId, await_gone, environment_of, everyone, send

MARKER = "SEATRIAL_TESTBED"  # environment variable; its value is the testbed's root directory
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def belonging_to(root: Path, servers: Collection[Path]) -> list[ProcessId]:
    """All processes of the testbed at `root`, its supervisor among them, never the caller.

    `servers`: executables whose processes may have lost the marker.
    """
    return [
        process
        for process in everyone()
        if process.pid != os.getpid()
        and (_is_marked(process.pid, root) or _is_server(process.pid, root, servers))
    ]


def working_in(directory: Path, root: Path, servers: Collection[Path]) -> list[ProcessId]:
    """Processes of the testbed at `root` whose working directory lies in `directory`: those of one part."""
    return [
        process
        for process in everyone()
        if _is_server(process.pid, directory, servers)
        or (_is_marked(process.pid, root) and _works_in(process.pid, directory))
    ]


# A process that has ended meanwhile, or is another user's, is not ours: reading about it fails with OSError.


def _is_marked(pid: int, root: Path) -> bool:
    try:
        environment = environment_of(pid)
    except OSError:
        return False
    return os.fsencode(f"{MARKER}={root}") in environment.split(b"\0")


def _is_server(pid: int, directory: Path, servers: Collection[Path]) -> bool:
    try:
        return Path(f"/proc/{pid}/exe").readlink() in servers and _works_in(pid, directory)
    except OSError:
        return False


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


def end(processes: Iterable[ProcessId], timeout_s: float) -> list[ProcessId]:
    """Kill processes (SIGKILL ends paused ones too) and wait; what is left is returned."""
    return await_gone([process for process in processes if send(process, signal.SIGKILL)], timeout_s)


def die_with_parent() -> None:
    """For a child before exec: the kernel kills it when its parent dies, however that happens."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def ended_children() -> Iterator[tuple[int, int]]:
    """Wait for every child that has ended by now, adopted ones too: pid and exit code, as Popen has it."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind (PostgreSQL daemonises), so that it is reaped."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
