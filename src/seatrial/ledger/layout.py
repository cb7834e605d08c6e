"""Where a ledger keeps what, and why.

    DIR/
      segments/00000000000000000000.jsonl   entries 0 … 65,535, one a line (see `entry`)
      segments/00000000000000065536.jsonl   the next 65,536; named by the first entry's sequence number
      checkpoints.txt                       signed notes, one after the other, an empty line between
      subtrees.txt                          one line a full segment: the root over its entries, hexadecimal
      cut/                                  torn tails that were cut off on opening, kept for the curious
      lock                                  held by the one writer

Text, because evidence is read by people who have `jq` and `sha256sum` and not this program. JSON lines,
because everything reads them. A segment is full after a fixed power of two of entries and so is one perfect
subtree of the Merkle tree: entry n is in the file whose name is n rounded down, a proof needs the entries of
at most two segments, and a writer resumes from `subtrees.txt` without reading the log again. That file is
derived data: it is checked before it is believed, and rewritten when it is short.

Entries are durable (fdatasync) before they are acknowledged, and checkpoints sign only what is durable. A
segment file is durable in its directory before an entry in it is acknowledged. So a crash can leave: a torn
last line, a full segment without its line in `subtrees.txt`, a torn last note. `writer` mends all three.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from seatrial.model.problems import BadInput, SeatrialError

SEGMENT_HEIGHT = 16
_NAME = re.compile(r"([0-9]{20})\.jsonl")
_ROOT = re.compile(rb"[0-9a-f]{64}")


class Damaged(SeatrialError):  # noqa: N818  # what it is, as in BadInput
    """The ledger is not as its writer left it. It is not extended; `verify` tells what is wrong."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one ledger. `height`: a full segment has 2^height entries."""

    directory: Path
    height: int = SEGMENT_HEIGHT

    @property
    def segment_size(self) -> int:
        """Entries in a full segment."""
        return 1 << self.height

    @property
    def segments(self) -> Path:
        """The directory of segment files."""
        return self.directory / "segments"

    @property
    def checkpoints(self) -> Path:
        """Signed notes."""
        return self.directory / "checkpoints.txt"

    @property
    def subtrees(self) -> Path:
        """Roots of full segments."""
        return self.directory / "subtrees.txt"

    @property
    def cut(self) -> Path:
        """Torn tails."""
        return self.directory / "cut"

    @property
    def lock(self) -> Path:
        """Held by the writer."""
        return self.directory / "lock"

    def segment(self, seq: int) -> Path:
        """The file that entry `seq` is in."""
        return self.segments / f"{seq >> self.height << self.height:020d}.jsonl"

    def require(self) -> None:
        """Raise BadInput if there is no ledger here."""
        if not self.segments.is_dir():
            raise BadInput(f"{self.directory}: no ledger here (there is no {self.segments.name}/ in it)")

    def present(self) -> list[int]:
        """The first sequence numbers of the segments that exist, ascending. Other files are let be."""
        matches = (_NAME.fullmatch(path.name) for path in self.segments.iterdir() if path.is_file())
        return sorted(int(match[1]) for match in matches if match)

    def entry_bytes(self) -> int:
        """How long all segments are together."""
        return sum(self.segment(first).stat().st_size for first in self.present())


def read_subtrees(layout: Layout) -> list[bytes]:
    """Roots of full segments as far as they are recorded and legible: a crash may have torn the last line."""
    lines = layout.subtrees.read_bytes().split(b"\n")[:-1] if layout.subtrees.exists() else []
    legible = takewhile(_ROOT.fullmatch, lines)
    return [bytes.fromhex(line.decode()) for line in legible]


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
