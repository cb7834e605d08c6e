"""The conductor's end of the line to its guardian: start it, keep it reassured, notice when it is gone."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessId, identify
from seatrial.undo.guardian import BEAT, LEAVE, READY, REVOKED

_log = logging.getLogger(__name__)

GUARDIAN_COMMAND = (sys.executable, "-m", "seatrial.undo.guardian")
_BEATS_A_LEASE = 6
_READY_WITHIN_S = 20.0
_LEAVE_WITHIN_S = 5.0


class GuardianLink:
    """A running guardian. `on_lost` is called once, in another thread, with why there is none any more."""

    def __init__(
        self,
        journal: Path,
        session: str,
        *,
        lease_s: float,
        faults: Sequence[str],
        modules: Sequence[str] = (),
        on_lost: Callable[[str], None],
        command: Sequence[str] = GUARDIAN_COMMAND,
    ) -> None:
        """Start it and wait for its READY. Raises Unavailable, and leaves nothing behind, without one."""
        self._lease_s = lease_s
        self._on_lost = on_lost
        self._leaving = threading.Event()
        log = journal.resolve().parent / "guardian.log"
        try:
            self._channel, its = socket.socketpair()
        except OSError as error:
            raise Unavailable(f"the guardian cannot be started: {error.strerror}") from error
        with its:
            arguments = [
                *("--journal", str(journal.resolve()), "--session", session),
                *("--channel", str(its.fileno()), "--lease", str(lease_s), "--log", str(log)),
                *("--modules", *modules),
                *("--faults", *faults),
            ]
            self._process = self._start([*command, *arguments], its.fileno())
        process = self._await_ready()
        if process is None:
            self._end()
            raise Unavailable(f"the guardian did not start, so nothing may be injected; {log} may say why")
        self.process: ProcessId = process
        self._pulse = threading.Thread(target=self._beat_until_lost, name="seatrial-pulse", daemon=True)
        try:
            self._pulse.start()
        except RuntimeError as error:
            self._end()
            raise Unavailable(f"the guardian cannot be kept informed: {error}") from error

    def _start(self, command: Sequence[str], channel: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                pass_fds=[channel],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            self._channel.close()
            raise Unavailable(f"the guardian cannot be started: {error.strerror}") from error

    def _await_ready(self) -> ProcessId | None:
        self._channel.settimeout(_READY_WITHIN_S)
        try:
            ready = self._channel.recv(1) == READY
        except OSError:
            ready = False
        return identify(self._process.pid) if ready else None

    def leave(self) -> None:
        """Let the guardian go; it goes without undoing anything."""
        self._leaving.set()
        with contextlib.suppress(OSError):  # the dead need no leave
            self._channel.sendall(LEAVE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_WITHIN_S)
        self._end()
        self._pulse.join()

    def _end(self) -> None:
        if self._process.poll() is None:
            _log.warning("the guardian does not leave by itself; ending it")
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)  # wakes the pulse, which then sees that we are leaving
        self._channel.close()

    def _beat_until_lost(self) -> None:
        """Each beat is answered; when no answer came for a whole lease, the guardian is frozen."""
        heard = time.monotonic()
        reason = ""
        while not reason:
            reason, answered = self._beat()
            now = time.monotonic()
            heard = now if answered else heard
            if now - heard > self._lease_s:
                reason = reason or "the guardian does not answer"
        if not self._leaving.is_set():
            self._on_lost(reason)

    def _beat(self) -> tuple[str, bool]:
        """Beat, listen until the next is due, and return why the guardian is lost, and if it answered."""
        until = time.monotonic() + self._lease_s / _BEATS_A_LEASE
        answered = False
        try:
            self._channel.send(BEAT, socket.MSG_DONTWAIT)
            while (left := until - time.monotonic()) > 0:
                if not select.select([self._channel], [], [], left)[0]:
                    break
                received = self._channel.recv(4096)
                if not received:
                    return "the guardian is dead", False
                if REVOKED in received:
                    return "the guardian took this process for frozen and has undone everything", True
                answered = True
        except BlockingIOError:
            return "", False  # it reads nothing: the lease decides
        except (OSError, ValueError):  # closed under us, by either side
            return "the guardian is dead", False
        return "", answered
