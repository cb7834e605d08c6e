"""Which processes are ours, and signals that reach no other.

A pid alone names nobody: it is reused. A process is its pid *and* its start time, and a signal goes through a
pidfd that was opened before the start time was compared, so it cannot reach a successor.

Every process of a testbed inherits MARKER from the supervisor. PostgreSQL and Valkey overwrite their
environment (their `ps` title goes there), so a process is ours too when it runs one of these servers, by the
path of its executable, inside our directory. A name proves nothing and is never looked at.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARKER = "SEATRIAL_TESTBED"  # environment variable; its value is the testbed's root directory
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for good: its pid, and its start in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has `pid` now; None when there is none, or only a zombie is left of it."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # The second field, the name in parentheses, may hold spaces and parentheses itself.
        fields = stat[stat.rindex(b")") + 2 :].split()
        return None if fields[0] in (b"Z", b"X") else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessId.of(self.pid) == self

    def paused(self) -> bool:
        """Whether it is stopped (SIGSTOP)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        except OSError:
            return False
        return stat[stat.rindex(b")") + 2 :][:1] == b"T"

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to this process and no other; False when it is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within `timeout_s`. Works for processes that are not our children."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return True
        try:
            return not self.alive() or bool(select.select([handle], [], [], timeout_s)[0])
        finally:
            os.close(handle)


def belonging_to(root: Path, servers: Collection[Path]) -> list[ProcessId]:
    """All processes of the testbed at `root`, its supervisor among them, never the caller.

    `servers`: executables whose processes may have lost the marker.
    """
    return [
        process
        for process in _everyone()
        if process.pid != os.getpid()
        and (_is_marked(process.pid, root) or _is_server(process.pid, root, servers))
    ]


def working_in(directory: Path, root: Path, servers: Collection[Path]) -> list[ProcessId]:
    """Processes of the testbed at `root` whose working directory lies in `directory`: those of one part."""
    return [
        process
        for process in _everyone()
        if _is_server(process.pid, directory, servers)
        or (_is_marked(process.pid, root) and _works_in(process.pid, directory))
    ]


def _everyone() -> list[ProcessId]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [process for pid in pids if (process := ProcessId.of(pid))]


# A process that has ended meanwhile, or is another user's, is not ours: reading about it fails with OSError.


def _is_marked(pid: int, root: Path) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
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
    victims = [process for process in processes if process.signal(signal.SIGKILL)]
    deadline = time.monotonic() + timeout_s
    return [process for process in victims if not process.wait(max(0.0, deadline - time.monotonic()))]


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
