"""What a program says while it runs: kept in the evidence when wanted, without secrets, and bounded.

A deploy script says a few lines, or a build's whole log. The first part and the last lines are kept: the
beginning tells what was done, the end how it came out.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from pathlib import Path
from typing import Self

from seatrial.home import touch_private
from seatrial.model.secrets import shown

KEPT_BYTES = 1 << 20
_LAST_LINES = 50
_LINE_BYTES = 1 << 16  # a line without an end is cut into pieces of this size
_READ_WITHIN_S = 1.0  # after its end: a child that outlives it may hold the pipe open

_wanted: dict[str, Path] = {}


def keep(token: str, path: Path) -> None:
    """From now on, append what programs tagged with `token`, or with `token-…`, say to the file `path`."""
    _wanted[token] = path


class Said:
    """The last lines that a program has said; shown, never as they came."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)

    def add(self, line: str) -> None:
        """One more."""
        self._lines.append(line)

    def last(self, lines: int) -> list[str]:
        """So many of them, the empty ones left out."""
        return [line.strip() for line in self._lines if line.strip()][-lines:]


class Pipe:
    """What a program writes into, and what is read from it by a thread, so that it never waits for a reader.

    A service that the program leaves behind may hold the pipe for as long as it runs: it is read on then, and
    nobody waits for its end.
    """

    def __init__(self, token: str) -> None:
        """`token`: the tag of the program that will write."""
        reading, self.writing = os.pipe()
        self.said = Said()
        path = _wanted.get(token.partition("-")[0])
        self._reader = threading.Thread(target=_read, args=(reading, self.said, path), daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Once the program is started: the writing end is its own."""
        os.close(self.writing)

    def finish(self) -> Said:
        """After the program's end: what it said."""
        self._reader.join(_READ_WITHIN_S)
        return self.said


def _read(reading: int, said: Said, path: Path | None) -> None:
    with contextlib.ExitStack() as files:
        pipe = files.enter_context(open(reading, "rb"))  # a descriptor, not a path
        kept = files.enter_context(_Kept(path)) if path else None
        while line := pipe.readline(_LINE_BYTES):
            text = shown(line.decode(errors="replace"))
            said.add(text)
            if kept:
                kept.write(text)


class _Kept:
    """The file: its first KEPT_BYTES, and the last lines of what came after them."""

    def __init__(self, path: Path) -> None:
        touch_private(path)
        self._file = path.open("a", encoding="utf-8")
        self._room = KEPT_BYTES - self._file.tell()
        self._rest: deque[str] = deque(maxlen=_LAST_LINES)
        self._beyond = 0

    def __enter__(self) -> _Kept:
        return self

    def write(self, text: str) -> None:
        if self._beyond or len(text) > self._room:
            self._beyond += 1
            self._rest.append(text)
            return
        self._room -= len(text)
        self._file.write(text)
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        left_out = self._beyond - len(self._rest)
        with contextlib.suppress(OSError):  # a full disk costs the output, not the run
            if left_out:
                self._file.write(f"[{left_out} lines left out]\n")
            self._file.writelines(self._rest)
            self._file.close()
