"""Brings a worker's spool to the master's disk: the same bytes, in order, however often the way breaks.

    worker's disk ──► chunk at an offset ──► Locust's connection ──► master's disk
                            ▲                                            │
                            └────────── how much of it is there ◄────────┘

A spool only ever grows, so what is still to be brought is what lies behind the place that the master has.
One chunk is under way at a time, whatever the size of the spool: that bounds the memory of both, and what a
break costs is one chunk sent again.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from seatrial.home import private, private_directory

CHUNK = 256 * 1024  # bytes of the spool; rows shrink to a third or less
_LEVEL = 1  # of zlib: the processor is the load's


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a spool, as it is sent. `last`: nothing will ever come behind it."""

    offset: int
    data: bytes
    last: bool = False


class Outbound:
    """A worker's spool on its way. `brought` is how much of it the master has."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self.brought = 0
        self.complete = False  # nothing is added to the spool any more

    def next_chunk(self, up_to: int | None = None) -> Chunk | None:
        """What comes next, up to a place in the spool if one is given; None while there is nothing."""
        complete = self.complete  # asked before the file is looked at
        size = self._spool.stat().st_size
        most = CHUNK if up_to is None else min(CHUNK, up_to - self.brought)
        with self._spool.open("rb") as file:
            file.seek(self.brought)
            data = file.read(max(0, most))
        last = complete and self.brought + len(data) == size
        return Chunk(self.brought, zlib.compress(data, _LEVEL), last) if data or last else None


class Inbound:
    """Where the master puts a worker's spool. `size`: how much of it is there; `whole`: all there will be."""

    def __init__(self, spool: Path) -> None:
        private_directory(spool.parent)
        self._file = private(spool, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.size = 0
        self.whole = False

    def put(self, chunk: Chunk) -> None:
        """Take what is new of it. Raises OSError when the disk does not, ValueError for what is no chunk."""
        if chunk.offset != self.size:
            return  # it came twice, or before its turn
        try:
            data = memoryview(zlib.decompress(chunk.data))
        except zlib.error as error:
            raise ValueError(f"rows that cannot be unpacked: {error}") from error
        while data:
            written = os.pwrite(self._file, data, self.size)
            self.size += written
            data = data[written:]
        self.whole = chunk.last

    def close(self) -> None:
        """No more of it is taken."""
        os.close(self._file)
