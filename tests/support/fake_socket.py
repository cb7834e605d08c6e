"""A socket that does what it is told: what it gives, when it is silent, how much it takes at a time.

    FakeSocket(b"HTTP/1.1 200 OK\r\n", SILENCE, ConnectionResetError())

Its descriptor is an eventfd, which the loop finds readable and writable as a socket's would be, so that what
waits for it really waits.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from enum import Enum
from socket import MSG_PEEK


class Wait(Enum):
    """The peer says nothing more."""

    SILENCE = "until the test says so"
    ASKED = "until it is sent something"


SILENCE, ASKED = Wait
END = b""  # the peer closes

Step = bytes | BaseException | Wait

_QUIET, _TALKING, _FULL = 0, 1, 0xFFFF_FFFF_FFFF_FFFE  # an eventfd's count: not readable, both, not writable


class FakeSocket:
    """`steps`: what each read gives, in order; after the last one silence. `takes`: bytes, of each send; then all.

    A send that takes 0 would block. One of `None` blocks for ever: the peer reads no more.
    """

    def __init__(self, *steps: Step, takes: list[int | None] | None = None) -> None:
        self._steps = deque(steps)
        self._takes = deque(takes or [])
        self.sent = bytearray()
        self.reads = 0
        self.is_closed = False
        self._fd = os.eventfd(0, os.EFD_NONBLOCK)
        self._count = 0
        self._tell()

    # what a connection calls

    def settimeout(self, seconds: float) -> None:
        assert seconds == 0.0, "a connection does its own waiting"

    def fileno(self) -> int:
        return self._fd

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.reads += 1
        step = self._steps[0] if self._steps else SILENCE
        if isinstance(step, Wait):
            raise BlockingIOError
        if not (flags & MSG_PEEK or step == END):
            self._steps.popleft()
        if isinstance(step, BaseException):
            self._tell()
            raise step
        given, left = step[:size], step[size:]
        if left and not flags & MSG_PEEK:
            self._steps.appendleft(left)
        self._tell()
        return given

    def send(self, data: memoryview | bytes) -> int:
        taken = self._takes[0] if self._takes else len(data)
        if taken is None:
            self._tell()
            raise BlockingIOError
        if self._takes:
            self._takes.popleft()
        if taken and self._steps and self._steps[0] is ASKED:
            self._steps.popleft()
        self._tell()
        if not taken:
            raise BlockingIOError
        self.sent += bytes(data[:taken])
        return min(taken, len(data))

    def close(self) -> None:
        assert not self.is_closed, "closed twice"
        self.is_closed = True
        os.close(self._fd)

    # what a test does

    def say(self, *steps: Step) -> None:
        """The peer goes on, after its next silence or now."""
        if SILENCE in self._steps:
            self._steps.remove(SILENCE)
        self._steps.extend(steps)
        self._tell()

    def _tell(self) -> None:
        """Make the descriptor as ready as the next step."""
        wanted = _TALKING if self._steps and not isinstance(self._steps[0], Wait) else _QUIET
        if self._takes and self._takes[0] is None:
            wanted = _FULL
        if wanted != self._count:
            if self._count:
                os.eventfd_read(self._fd)
            if wanted:
                os.eventfd_write(self._fd, wanted)
            self._count = wanted


class FakeTlsSocket(FakeSocket):
    """The same, secured: what it has decrypted already, the descriptor does not show."""

    def pending(self) -> int:
        return len(self._steps[0]) if self._steps and isinstance(self._steps[0], bytes) else 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        assert not flags, "TLS knows no peeking"
        try:
            return super().recv(size)
        except BlockingIOError:
            raise ssl.SSLWantReadError from None

    def send(self, data: memoryview | bytes) -> int:
        try:
            return super().send(data)
        except BlockingIOError:
            raise ssl.SSLWantWriteError from None

    def _tell(self) -> None:
        if not self.pending():
            super()._tell()
        elif self._count:
            os.eventfd_read(self._fd)
            self._count = _QUIET
