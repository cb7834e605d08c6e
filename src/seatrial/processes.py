"""Processes by identity, so that a signal never reaches a stranger who inherited a number.

A pid alone names nobody: numbers are reused, within seconds on a busy machine. A process is its pid *and*
the instant it started, within one boot. On Linux a signal goes through a pidfd that was opened before the
start time was compared, so that there is no moment at which the number could change hands.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seatrial.waiting import look_until, wait_until

TAG = "SEATRIAL_TAG"  # environment variable that marks the processes that we started
_GONE = frozenset("ZX")  # a zombie has its number still, but nothing else
_STOPPED = "T"
_PF_EXITING, _PF_KTHREAD = 0x4, 0x200000  # include/linux/sched.h
_EXECVE_WITHIN_S = 1.0  # a bound against looking for ever; it takes less than a millisecond
_SIGKILL_BIT = 1 << (signal.SIGKILL - 1)
_LOOK_EVERY_S = 0.0005  # while a signal takes its effect, which is what is timed


class ProcessState(StrEnum):
    """What has become of a process."""

    RUNNING = "running"
    STOPPED = "stopped"  # by a signal, or frozen with its container
    DYING = "dying"  # it has been sent SIGKILL, and the kernel is taking it apart
    GONE = "gone"


@functools.cache
def boot_id() -> str:
    """What tells this boot from every other: after a reboot, all process ids start anew."""
    if sys.platform == "linux":
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    import psutil  # noqa: PLC0415  # Linux says all that is needed by itself

    return str(round(psutil.boot_time()))


def monotonic_clock_id() -> str:
    """What tells the monotonic clock of this process from every other; "" where nothing does.

    Within one boot all processes read one clock, unless they are in time namespaces of their own (Linux).
    """
    try:
        return f"{boot_id()} {Path('/proc/self/ns/time').stat().st_ino}"
    except OSError:
        return ""


def same_clock_as(clock: str) -> bool:
    """Whether `clock`, a `monotonic_clock_id` of another process, is that of this one."""
    return bool(clock) and clock == monotonic_clock_id()


@dataclass(frozen=True, slots=True, order=True)
class ProcessId:
    """One process, for ever and wherever it runs: no other process at any time compares equal."""

    pid: int
    started: int  # clock ticks since boot on Linux, microseconds since the epoch elsewhere
    boot: str  # of its machine; of a container's process, the container's id

    def __str__(self) -> str:
        return f"pid {self.pid}"


@dataclass(frozen=True, slots=True)
class _Status:
    state: str
    parent: int
    started: int


def _stat_fields(pid: int) -> list[str]:
    """Linux: /proc/pid/stat from its third field (the state) on; see proc(5)."""
    text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return text[text.rindex(")") + 2 :].split()  # the name before it may hold spaces and brackets


def _status(pid: int) -> _Status | None:
    """What the kernel says about `pid` now, or None when there is no such process."""
    if sys.platform == "linux":
        try:
            fields = _stat_fields(pid)
        except (FileNotFoundError, ProcessLookupError):
            return None
        return _Status(fields[0], int(fields[1]), int(fields[19]))
    import psutil  # noqa: PLC0415

    try:
        process = psutil.Process(pid)
        states = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_DEAD: "X", psutil.STATUS_STOPPED: _STOPPED}
        return _Status(
            states.get(process.status(), "S"), process.ppid(), round(process.create_time() * 1_000_000)
        )
    except psutil.NoSuchProcess:
        return None


def everyone() -> list[ProcessId]:
    """All processes that there are, zombies left out."""
    return [process for pid in _numbers() if (process := identify(pid)) is not None]


def _numbers() -> list[int]:
    if sys.platform == "linux":
        return [int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal()]
    import psutil  # noqa: PLC0415

    return psutil.pids()


def identify(pid: int) -> ProcessId | None:
    """The process that has the number `pid` now, unless it is a zombie."""
    status = _status(pid)
    if status is None or status.state in _GONE:
        return None
    return ProcessId(pid, status.started, boot_id())


def myself() -> ProcessId:
    """This process."""
    process = identify(os.getpid())
    assert process is not None, "a process that runs can be identified"
    return process


def _status_of(process: ProcessId) -> _Status | None:
    if process.boot != boot_id():
        return None
    status = _status(process.pid)
    if status is None or status.started != process.started or status.state in _GONE:
        return None
    return status


def is_running(process: ProcessId) -> bool:
    """Whether it is still there; stopped counts, a zombie does not."""
    return _status_of(process) is not None


def is_stopped(process: ProcessId) -> bool:
    """Whether it is there and stopped by a signal."""
    status = _status_of(process)
    return status is not None and status.state == _STOPPED


def state_of(process: ProcessId) -> ProcessState:
    """What has become of it."""
    status = _status_of(process)
    if status is None:
        return ProcessState.GONE
    if _is_doomed(process.pid):
        return ProcessState.DYING
    return ProcessState.STOPPED if status.state == _STOPPED else ProcessState.RUNNING


def send(process: ProcessId, number: signal.Signals) -> bool:
    """Signal exactly `process`. False when it is gone, whoever has its number now."""
    if sys.platform != "linux":
        if not is_running(process):
            return False
        os.kill(process.pid, number)
        return True
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_running(process):
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def descendants(roots: Iterable[ProcessId]) -> list[ProcessId]:
    """Everything that descends from `roots`, parents before children, the roots themselves left out.

    Process groups do not help here: PostgreSQL's backends call setsid, and so do most daemons' children.
    """
    children: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pid in _numbers():
        status = _status(pid)
        if status is not None and status.state not in _GONE:
            children[status.parent].append((pid, status.started))
    boot = boot_id()
    known = [root for root in roots if is_running(root)]
    found: list[ProcessId] = []
    seen = {root.pid for root in known}
    pending = [root.pid for root in known]
    while pending:
        for pid, started in children.get(pending.pop(0), ()):
            if pid not in seen:
                seen.add(pid)
                pending.append(pid)
                found.append(ProcessId(pid, started, boot))
    return found


def await_gone(processes: Iterable[ProcessId], within_s: float) -> list[ProcessId]:
    """Wait until they are gone; those that are not by the end of `within_s`."""
    known = list(processes)

    def left() -> list[ProcessId]:
        return [process for process in known if is_running(process)]

    return [] if wait_until(lambda: not left(), within_s, _LOOK_EVERY_S) else left()


def _is_doomed(pid: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        flags = int(_stat_fields(pid)[6])
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    pending = re.findall(r"^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(flags & _PF_EXITING) or any(int(mask, 16) & _SIGKILL_BIT for mask in pending)


def tagged(token: str) -> list[ProcessId]:
    """The processes that were started with `token` as their TAG, and what they started in turn."""
    return [process for pid in _numbers() if (process := _if_tagged(pid, token)) is not None]


def _if_tagged(pid: int, token: str) -> ProcessId | None:
    process = identify(pid)
    # compared after the identity is known: a number that changes hands in between is then not ours to touch
    return process if process is not None and _tag(pid) == token and is_running(process) else None


def _tag(pid: int) -> str:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # somebody else's, or just gone
            found = re.search(rb"(?:^|\0)" + TAG.encode() + rb"=([^\0]*)", environment_of(pid))
            return found[1].decode(errors="replace") if found else ""
        return ""
    import psutil  # noqa: PLC0415

    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).environ().get(TAG, "")
    return ""


def environment_of(pid: int) -> bytes:
    """Linux: what a process was started with, `NAME=value` and a zero byte each. Raises OSError.

    While a process becomes another program (execve), the kernel shows it without an environment: it had one
    and will have it again, and whoever took it for a stranger would start what runs already once more.
    """
    path = Path(f"/proc/{pid}/environ")

    def look() -> bytes | None:
        return path.read_bytes() or (b"" if _has_no_environment(pid) else None)

    return look_until(look, lambda found: found is not None, _EXECVE_WITHIN_S, _LOOK_EVERY_S) or b""


def _has_no_environment(pid: int) -> bool:
    """Linux: whether there is none to come: of a kernel thread, of one that ends, of one started without."""
    fields = _stat_fields(pid)
    if fields[0] in _GONE or int(fields[6]) & (_PF_KTHREAD | _PF_EXITING):
        return True
    code, begin, end = int(fields[23]), int(fields[47]), int(fields[48])  # addresses, see proc(5)
    return code > 0 and begin == end  # execve tells where the code is last of all


def from_pidfile(path: Path) -> Iterator[ProcessId]:
    """The process whose number the first line of `path` holds; none when there is no file or no process."""
    try:
        first, *_ = path.read_text(errors="replace").splitlines() or [""]
    except (FileNotFoundError, NotADirectoryError):
        return
    if first.strip().isdecimal():
        process = identify(int(first))
        if process is not None:
            yield process
