"""Standard output and error that nothing can fail on, and that no run waits for.

A terminal is closed, an ssh connection drops, `| head` has read enough, a disk under a redirected stream is
full, a descriptor was closed before we began. Writing then fails with EPIPE, EIO, EBADF or ENOSPC, in
whatever thread says something next: the live view, a log line before an undo, the traceback of another error,
Python's own flush at exit. None of them is a reason to end a run, and none may change an exit code.

    print, rich, logging, warnings, tracebacks ──► text layer ──► Output: writes, notes the first failure,
                                                                  and takes everything after it in silence
                                           (stderr alone) ──► Aside: a thread between, so that a reader who
                                                                  neither reads nor leaves holds nothing up

The last is a terminal stopped with Ctrl-S, or at the other end of a dead network: a blocking write would keep
a run from ending and a fault from being undone. Results on stdout come when all that is over, and wait.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import queue
import select
import stat
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_UNREAD_BYTES = 1 << 20  # what is kept for a reader who does not read; more is dropped
_PATIENCE_S = 1.0  # at the end, with a reader who reads nothing


class Output(io.RawIOBase):
    """The writing end of a descriptor. Its first failure is its last: what follows is dropped."""

    def __init__(self, descriptor: int, first: Callable[[], None] | None = None) -> None:
        """`first` is called before each write: what was said on another stream shall stand before it."""
        self._descriptor = descriptor
        self._first = first
        self.failure: OSError | None = None

    @property
    def unsaid(self) -> str:
        """Why not everything could be written, when somebody may still be waiting for it; else empty."""
        if self.failure is None or self._reader_left(self.failure.errno):
            return ""
        return os.strerror(self.failure.errno or 0)

    def _reader_left(self, number: int | None) -> bool:
        """Whether it is a pipe without a reader, or a terminal that has hung up; EIO from a disk is not."""
        if number == errno.EIO:
            return stat.S_ISCHR(os.fstat(self._descriptor).st_mode)
        return number in (errno.EPIPE, errno.ECONNRESET)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of it, or none of what cannot be written; never raises."""
        if self._first is not None:
            self._first()
        left = memoryview(data).cast("B")
        size = len(left)
        while left and self.failure is None:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # whoever shares it with us has made it non-blocking
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.failure = error
        return size

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor, by which others ask for the width of the terminal."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)


class Aside(io.RawIOBase):
    """Hands everything to a thread that writes it to `output`, and never waits for it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._unread = 0  # bytes
        self._turn = threading.Condition()
        self._queue: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._pass_on, name="seatrial-stderr", daemon=True)

    def write(self, data: ReadableBuffer, /) -> int:
        """Take the text over at once, or drop it when too much is unread already."""
        text = bytes(memoryview(data))
        with self._turn:
            if self._unread + len(text) <= _UNREAD_BYTES:
                self._unread += len(text)
                self._queue.put(text)
            if self._thread.ident is None:
                self._thread.start()
        return len(text)

    def _pass_on(self) -> None:
        while True:
            text = self._queue.get()
            self._output.write(text)
            with self._turn:
                self._unread -= len(text)
                self._turn.notify_all()

    def drain(self) -> None:
        """Wait until all is written, as long as somebody reads."""
        with self._turn:
            while self._unread and self._turn.wait(_PATIENCE_S):
                pass

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor of what is behind."""
        return self._output.fileno()

    def isatty(self) -> bool:
        """Whether a terminal is behind."""
        return self._output.isatty()


def open_streams() -> None:
    """Put these in the place of the process's own streams, and something in the place of closed ones.

    Streams that somebody else has put there already (a test, an embedding program) are left to them.
    """
    _open_closed_descriptors()
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115  # a descriptor, for the life of the process
    aside = Aside(Output(2))
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(aside, sys.stderr)
        atexit.register(_finish, sys.stderr, aside)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(Output(1, first=aside.drain), sys.stdout)


def unsaid() -> str:
    """Why what was printed on stdout is not all there; empty when it is, or when its reader has left."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.unsaid if isinstance(raw, Output) else ""


def _finish(stream: TextIO, aside: Aside) -> None:
    stream.flush()
    aside.drain()


def _open_closed_descriptors() -> None:
    """A closed 0, 1 or 2 is what the next file or socket would get, and then what others print into."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(opened, True)


def _text(raw: io.RawIOBase, before: TextIO | None) -> TextIO:
    """A text stream like the one before it, which shows as \\x… what its encoding does not have."""
    is_error = raw.fileno() == 2
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",
        line_buffering=is_error or raw.isatty(),
    )
