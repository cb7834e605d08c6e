"""A ledger written down from elsewhere: the same files, holding what somebody says their log is.

An audit log may live in a database. Written down in the ledger's layout, its lines and notes can be
verified, proven and read by the same tools, and by hand. Nothing is judged on the way: lines that do not
chain and notes that nobody signed are written as they were told, for `verify` to find. Nothing is
acknowledged to anybody either, so nothing waits for the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from seatrial.home import private_directory
from seatrial.ledger.layout import SEGMENT_HEIGHT, Layout
from seatrial.ledger.note import VerifierKey

KEYS = "keys.pub"
"""The verifier keys, beside what they verify: `seatrial ledger verify DIR --key DIR/keys.pub`."""


class Transcript:
    """Lines and notes on their way into a new directory."""

    def __init__(self, directory: Path, segment_height: int = SEGMENT_HEIGHT) -> None:
        self.entries = 0
        self._layout = Layout(directory, segment_height)
        private_directory(directory)
        self._layout.segments.mkdir(mode=0o700)

    def append(self, lines: Sequence[str]) -> None:
        """The next lines, without their ends."""
        done = 0
        while done < len(lines):
            room = self._layout.segment_size - self.entries % self._layout.segment_size
            part = lines[done : done + room]
            with self._layout.segment(self.entries).open("ab") as file:
                file.write(b"".join(line.encode() + b"\n" for line in part))
            done += len(part)
            self.entries += len(part)

    def finish(self, notes: Iterable[str], keys: Iterable[VerifierKey]) -> None:
        """The checkpoints, and the keys that they are to be held against."""
        blocks = (note.rstrip("\n").encode() + b"\n\n" for note in notes)
        self._layout.checkpoints.write_bytes(b"".join(blocks))
        (self._layout.directory / KEYS).write_text("".join(f"{key}\n" for key in keys))
