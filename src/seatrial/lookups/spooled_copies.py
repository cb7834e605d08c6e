"""The copies of writes that a target told of, on their way to a check and into the evidence.

A night has three million, and each would take 200 bytes as Python's texts. What is more than a few megabytes
lies in a file without a name, in the run's directory, which is gone with the process whatever happens to it;
it is read as often as somebody asks.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile

from seatrial.drivers.stored import Copy

_PART = 1 << 13  # copies in a line of the file
_IN_MEMORY = 4 << 20  # bytes

Part = tuple[list[str], list[str | None]]  # ids, contents


class SpooledCopies(Iterable[Copy]):
    """What is read of `copies`, all at once. Raises OSError when `directory` does not take it."""

    def __init__(self, copies: Iterable[Copy], directory: Path) -> None:
        file = SpooledTemporaryFile(_IN_MEMORY, dir=str(directory))  # noqa: SIM115  # stays open
        self._file = file
        weakref.finalize(self, file.close)
        unread = iter(copies)
        while part := list(islice(unread, _PART)):
            file.write(json.dumps(list(zip(*part, strict=True))).encode() + b"\n")
        file.flush()  # a disk that is full is told of here

    def parts(self) -> Iterator[Part]:
        """Ids and contents, thousands at a time."""
        read = 0
        while line := self._line_at(read):
            read += len(line)
            ids, contents = json.loads(line)
            yield ids, contents

    def _line_at(self, place: int) -> bytes:
        self._file.seek(place)
        return self._file.readline()

    def __iter__(self) -> Iterator[Copy]:
        return (copy for ids, contents in self.parts() for copy in zip(ids, contents, strict=True))
