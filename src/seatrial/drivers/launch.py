"""Programs that a fault starts: each tagged with the fault's token, so that any process can find them again.

Whoever injects or undoes a fault may die at any instant, and the next one must neither start a second copy
nor overlook the first. A program is known by the tag in its environment, which appears only when it is
executed. A lock closes the gap: it is held from before the look until the program's exec, by whichever of the
processes on the way to it is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from seatrial.drivers import output
from seatrial.drivers.script import out_of_sight
from seatrial.model.problems import TooLate, Unavailable
from seatrial.model.role import Role
from seatrial.processes import TAG, ProcessId, await_gone, is_running, myself, send, tagged
from seatrial.waiting import wait_until, wait_while

_END_WITHIN_S = 5.0
_DETACH_WITHIN_S = 10.0
_START_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.005
_WATCH_EVERY_S = 0.1
_LINES_TOLD = 3  # of what a program that failed has said last
# Argument 1 is the locked descriptor; that it is closed on exec tells that the program is there. A service
# starts with signals as they are by default: what we, or who started us, ignore is no affair of its.
_DETACH = """
import os, signal, sys
os.fork() and os._exit(0)
os.setsid()
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
os.set_inheritable(int(sys.argv[1]), False)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def require_program(program: str, directory: Path) -> None:
    """Raise Unavailable unless `program` can be executed in `directory`."""
    if shutil.which(program) is None and shutil.which(directory / program) is None:
        raise Unavailable(f"there is no program {program} on PATH or in {directory}")


def detach_once(arguments: Sequence[str], token: str, *, directory: Path, output: int) -> None:
    """Start a program that outlives us and is nobody's child, unless one tagged with `token` runs already.

    output: descriptor for what it prints. Raises Unavailable when there is no such program.
    """
    require_program(arguments[0], directory)
    arguments, hidden = out_of_sight(arguments)
    with starting(directory) as lock:
        if not tagged(token):
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", _DETACH, str(lock), *arguments],
                check=True,
                timeout=_DETACH_WITHIN_S,
                cwd=directory,
                env={**os.environ, **hidden, TAG: token},
                pass_fds=[lock],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def run_tagged(
    arguments: Sequence[str],
    token: str,
    *,
    directory: Path,
    within_s: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end. Raises Unavailable when it fails or has to be ended after `within_s`.

    `variables` are added to its environment, which is the place for a secret.
    """
    require_program(arguments[0], directory)
    arguments, hidden = out_of_sight(arguments)
    with starting(directory), output.Pipe(token) as pipe:
        process = subprocess.Popen(
            arguments,
            cwd=directory,
            env={**os.environ, **hidden, **(variables or {}), TAG: token},
            stdin=subprocess.DEVNULL,
            stdout=pipe.writing,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with process:
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired as error:
            end_tagged(token, directory)
            raise TooLate(f"{arguments[0]} was not through within {within_s:g}s, and was ended") from error
        finally:
            said = pipe.finish()
    if process.returncode != 0:
        last = " | ".join(said.last(_LINES_TOLD))
        raise Unavailable(": ".join(filter(None, [f"{arguments[0]} failed with {process.returncode}", last])))


def run_for(role: Role, program: Sequence[str], token: str, within_s: float) -> None:
    """`run_tagged`, of a program that a role's experiment names: where its target file stands, filled in."""
    run_tagged(role.resolved(list(program)), token, directory=Path(role.directory), within_s=within_s)


def typed(role: Role, *commands: str) -> str:
    """The line that a person types to do the same, where the target file of `role` stands."""
    return " && ".join([f"cd {shlex.quote(role.directory)}", *commands])


def answer_of(arguments: Sequence[str], *, directory: Path, within_s: float) -> str:
    """What a program prints that only looks. Raises Unavailable when it fails, or says nothing in time."""
    require_program(arguments[0], directory)
    arguments, hidden = out_of_sight(arguments)
    try:
        done = subprocess.run(
            arguments,
            cwd=directory,
            env={**os.environ, **hidden},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within_s,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise TooLate(f"{arguments[0]} was not through within {within_s:g}s, and was ended") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(": ".join([f"{arguments[0]} failed with {done.returncode}", *last]))
    return done.stdout


def end_tagged(token: str, directory: Path) -> None:
    """SIGKILL to every program that `token` tags, and wait until they are gone. Raises Unavailable if not."""
    with starting(directory):
        programs = tagged(token)
    for program in programs:
        send(program, signal.SIGKILL)
    left = await_gone(programs, _END_WITHIN_S)
    if left:
        raise Unavailable(f"{', '.join(map(str, left))} cannot be ended")


@contextlib.contextmanager
def starting(directory: Path) -> Iterator[int]:
    """Hold the right to start tagged programs in `directory`: an flock on it, which leaves nothing behind.

    A child has the descriptor too until its exec, so the lock outlasts the death of whoever took it. Raises
    Unavailable when it is not free within a few seconds: its holder is frozen.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not wait_until(lambda: _locked(descriptor), _START_WITHIN_S, _LOOK_EVERY_S):
            raise Unavailable(f"another process has been starting programs in {directory} for long")
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start_companion(
    module: str, arguments: Sequence[str], token: str, *, directory: Path, within_s: float
) -> None:
    """Start one of our own modules as the program that keeps an effect up, and wait for its "ready".

    It is told who we are, and ends itself when we die. Raises Unavailable with what it complained of.
    """
    reading, writing = os.pipe()
    me = myself()
    try:
        command = [sys.executable, "-m", module, f"{me.pid}:{me.started}:{me.boot}", *arguments]
        detach_once(command, token, directory=directory, output=writing)
    finally:
        os.close(writing)
    said = b""
    deadline = time.monotonic() + within_s
    with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123  # a descriptor, not a path
        while (left := deadline - time.monotonic()) > 0 and select.select([pipe], [], [], left)[0]:
            received = pipe.read(4096)
            said += received
            if b"ready\n" in said:
                return
            if not received:
                break
    complaint = said.decode(errors="replace").strip().splitlines()[-1:]
    raise Unavailable(
        f"{module} is not ready within {within_s:g}s: {' '.join(complaint) or 'it said nothing'}"
    )


class Starter:
    """For a companion: whether the process that started it lives."""

    def __init__(self, written: str) -> None:
        pid, started, boot = written.split(":")
        self._process = ProcessId(int(pid), int(started), boot)

    def lives(self) -> bool:
        """False as soon as it is gone, whoever has its number now."""
        return is_running(self._process)

    def outlive(self) -> None:
        """Return when it is gone."""
        wait_while(self.lives, math.inf, _WATCH_EVERY_S)


def say_ready() -> None:
    """For a companion: the effect is there."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"ready\n")
