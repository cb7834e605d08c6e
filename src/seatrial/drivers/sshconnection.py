"""A shell at another machine, by OpenSSH's client: requests go in, one a line, and lines come out.

    ssh … exec sh  ◄── processes.sh, once;  ◄── states 812:96541:… ; echo "$? NONCE"
                   ──► running   0 NONCE

One connection serves all requests, because a signal has to arrive within a millisecond and a handshake takes
a hundred. It ends with this process, whose death the shell sees as the end of its input, and after a minute
in which nobody asked.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from importlib.resources import files

from seatrial.model.problems import TooLate, Unavailable, Unreachable

_IDLE_S = 60.0
_ANSWER_WITHIN_S = 5.0
_OPEN_WITHIN_S = 15.0
_SCRIPT = files("seatrial.drivers").joinpath("processes.sh").read_text()
_NOBODY_THERE = (
    "refused",
    "timed out",
    "No route to host",
    "unreachable",
    "closed by remote host",
    "reset by",
)

Commands = Callable[[], Sequence[Sequence[str]]]


class Connection:
    """A connection that is opened when it is needed, and again when it was lost. May be shared by threads."""

    def __init__(self, who: str, commands: Commands) -> None:
        """`commands` gives what to run for each address that may be tried, at this moment."""
        self._who = who
        self._commands = commands
        self._lock = threading.Lock()
        self._shell: _Shell | None = None
        self._used_s = 0.0

    def ask(self, request: str) -> list[str]:
        """The lines of its answer. Raises Unavailable for one that fails, is late, or finds nobody.

        A request may be made twice, when the connection turns out to be lost: it must be idempotent.
        """
        with self._lock:
            if self._shell is not None:
                with contextlib.suppress(_LostError):
                    return self._ask(self._shell, request)
                self._close()
            self._shell = self._open()
            try:
                return self._ask(self._shell, request)
            except _LostError as error:
                self._close()
                raise Unreachable(f"{self._who}: {error}") from error

    def close(self) -> None:
        """End it; the next request opens another."""
        with self._lock:
            self._close()

    def _ask(self, shell: _Shell, request: str) -> list[str]:
        try:
            status, lines = shell.ask(request, _ANSWER_WITHIN_S)
        except TooLate:
            self._close()
            raise
        finally:
            self._used_s = time.monotonic()
        if status != 0:
            raise Unavailable(f"{self._who}: {' '.join(lines) or f'{request.split(maxsplit=1)[0]} failed'}")
        return lines

    def _open(self) -> _Shell:
        last: Unavailable = Unreachable(f"{self._who}: has no address")
        for command in self._commands():
            try:
                shell = _Shell(self._who, command)
            except Unreachable as error:
                last = error
            else:
                self._used_s = time.monotonic()
                threading.Thread(target=self._close_when_idle, args=(shell,), daemon=True).start()
                return shell
        raise last

    def _close_when_idle(self, shell: _Shell) -> None:
        while not shell.ended.wait(_IDLE_S / 4):
            with self._lock:
                if self._shell is shell and time.monotonic() - self._used_s > _IDLE_S:
                    self._close()

    def _close(self) -> None:
        if self._shell is not None:
            self._shell.close()
        self._shell = None


class _LostError(Exception):
    """The connection is gone."""


class _Shell:
    """One connection, ready for requests."""

    def __init__(self, who: str, command: Sequence[str]) -> None:
        """Raises Unreachable when nobody is there, Unavailable when whoever is there does not let us in."""
        self._who = who
        self._nonce = secrets.token_hex(8)
        self.ended = threading.Event()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )
        try:
            self.ask(_SCRIPT, _OPEN_WITHIN_S)  # what a login prints comes before its end, and is dropped
        except TooLate:
            self.close()
            raise
        except _LostError as error:
            self.close()
            there = not any(sign in str(error) for sign in _NOBODY_THERE)
            raise (Unavailable if there else Unreachable)(f"{who}: {error}") from error

    def ask(self, request: str, within_s: float) -> tuple[int, list[str]]:
        """Exit status and lines. Raises TooLate, and _LostError when the connection ends."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f'{request}\necho "$? {self._nonce}"\n'.encode())
            self._process.stdin.flush()
        except OSError as error:
            raise _LostError(self._complaint()) from error
        lines = self._read(time.monotonic() + within_s, within_s).decode(errors="replace").splitlines()
        return int(lines[-1].split()[0]), lines[:-1]

    def _read(self, deadline_s: float, within_s: float) -> bytes:
        assert self._process.stdout is not None
        end, said = f" {self._nonce}\n".encode(), b""
        while not said.endswith(end):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([self._process.stdout], [], [], left_s)[0]:
                raise TooLate(f"{self._who}: no answer by SSH within {within_s:g}s")
            received = os.read(self._process.stdout.fileno(), 65536)
            if not received:
                raise _LostError(self._complaint())
            said += received
        return said

    def _complaint(self) -> str:
        """The last of what the client said, which is why the connection is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip().splitlines()
        return said[-1].strip() if said else "the SSH connection ended without a word"

    def close(self) -> None:
        """Hang up. What was started there goes on."""
        if self.ended.is_set():
            return
        self.ended.set()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.kill()
        self._process.wait()
        self._complaints.close()


_connections: dict[Hashable, Connection] = {}
_connecting = threading.Lock()


def connection_to(place: Hashable, who: str, commands: Commands) -> Connection:
    """The one connection of this process to a place."""
    with _connecting:
        return _connections.setdefault(place, Connection(who, commands))


@atexit.register
def hang_up() -> None:
    """Close all connections."""
    for connection in tuple(_connections.values()):
        connection.close()
