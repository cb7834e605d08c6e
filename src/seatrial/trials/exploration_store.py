"""Where what was tried on a target is kept: a file of lines under `$SEATRIAL_HOME`, one explorer at a time.

A line is durable before anything follows from it. The lock is an flock, so it is gone when its holder is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial import disk
from seatrial.explore.record import Finding, Record, Trial, line_of, record_of
from seatrial.home import private, private_directory
from seatrial.model.problems import Unavailable

_DIRECTORY = "explored"


def place_of(home: Path, target: str) -> Path:
    """The file of a target, whose name need not fit a file name."""
    digest = hashlib.sha256(target.encode()).hexdigest()[:8]
    kept = "".join(each if each.isalnum() or each in "-_." else "-" for each in target)[:40]
    return home / _DIRECTORY / f"{kept}-{digest}.jsonl"


def read_record(path: Path, slot_s: float) -> Record:
    """What was tried so far, on a grid of slots of `slot_s` seconds. Raises CannotStore."""
    with disk.storing("what was tried so far", path):
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    # a line ends at its line feed alone: what reasons quote may hold other ends that Unicode knows
    return record_of(text.split("\n"), slot_s)


@dataclass(frozen=True, slots=True)
class ExplorationStore:
    """The open file, and what it said when it was opened."""

    record: Record
    _file: int
    _path: Path
    _slot_s: float

    def keep(self, entry: Trial | Finding) -> None:
        """Append what was tried or found. Raises CannotStore."""
        with disk.storing("what was tried", self._path):
            data = line_of(entry, self._slot_s).encode() + b"\n"
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)


@contextlib.contextmanager
def held(home: Path, target: str, slot_s: float, *, anew: bool = False) -> Iterator[ExplorationStore]:
    """The record of a target, for the length of the block; `anew`: what was tried before is put aside.

    Raises Unavailable when somebody else explores that target, CannotStore for want of a disk.
    """
    path = place_of(home, target)
    with disk.storing("what was tried so far", path):
        private_directory(path.parent)
        lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _lock(lock, target)
            if anew and path.exists():
                path.rename(path.with_suffix(f".{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"))
            file = private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except BaseException:
            os.close(lock)
            raise
    try:
        _end_torn_line(file)
        yield ExplorationStore(read_record(path, slot_s), file, path, slot_s)
    finally:
        os.close(file)
        os.close(lock)


def _lock(descriptor: int, target: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unavailable(
            f"the target {target} is being explored already by another process; wait for it to end"
        ) from error


def _end_torn_line(file: int) -> None:
    """End a last line that a crash has torn, so that the next stands alone."""
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        os.write(file, b"\n")
