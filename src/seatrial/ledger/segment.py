"""Reading a segment against the chain, and writing one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.ledger.entry import Chain
from seatrial.ledger.layout import Layout, sync_directory

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Replay:
    """A segment as far as it continues the chain."""

    leaves: list[bytes]
    good_bytes: int  # where the first line that does not continue it begins
    complaint: str  # why that line does not; empty when the whole file is good
    torn: bool  # that line lacks its end and is the last: a write in progress, or a crash


def replay(layout: Layout, first: int, chain: Chain) -> Replay:
    """Follow the segment that begins with entry `first`. `chain` must stand there; it is moved on."""
    leaves: list[bytes] = []
    good_bytes = 0
    for lines in _batches(layout.segment(first)):
        found = chain.follow(lines[: layout.segment_size - len(leaves)])
        leaves += found
        good_bytes += sum(map(len, lines[: len(found)]))
        if len(found) < len(lines):
            bad = lines[len(found)]
            full = len(leaves) == layout.segment_size
            complaint = "the segment was full before it" if full else chain.complaint(bad)
            return Replay(leaves, good_bytes, complaint, torn=not full and not bad.endswith(b"\n"))
    return Replay(leaves, good_bytes, "", torn=False)


def last_line(path: Path) -> bytes:
    """The last complete line of a segment, or nothing."""
    line = b""
    for lines in _batches(path):
        complete = [each for each in lines[-2:] if each.endswith(b"\n")]
        line = complete[-1] if complete else line
    return line


def _batches(path: Path) -> Iterator[list[bytes]]:
    """Lines with their ends, about a megabyte at a time. The last may lack its end."""
    with path.open("rb") as file:
        while lines := file.readlines(_READ_BYTES):
            yield lines


class SegmentWriter:
    """The segment that entries are appended to. After an error it is of no more use: reopen the ledger."""

    def __init__(self, layout: Layout, first: int) -> None:
        """Opens the segment that begins with entry `first`; makes it durably present if it is new."""
        path = layout.segment(first)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        sync_directory(path.parent)

    def append(self, data: bytes) -> None:
        """Returns when `data` is durable."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)
