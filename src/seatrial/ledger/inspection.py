"""What a ledger looks like from outside, without verifying it: quick at any size, safe while it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.ledger.checkpoints import count_notes, last_note
from seatrial.ledger.entry import Entry
from seatrial.ledger.layout import SEGMENT_HEIGHT, Damaged, Layout
from seatrial.ledger.note import read_checkpoint
from seatrial.ledger.segment import last_line


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """What a ledger claims of itself."""

    origin: str  # the key's name; empty before the first checkpoint
    entries: int
    signed: int  # size of the last checkpoint
    checkpoints: int
    segments: int
    bytes: int  # of all segments
    head: str  # hash of the last entry; empty when there is none
    last_checkpoint: str  # the signed note, to be kept elsewhere


def inspect(directory: Path, *, segment_height: int = SEGMENT_HEIGHT) -> LedgerSummary:
    """Read the ends of a ledger. Raises BadInput when there is none, Damaged when they are not legible."""
    layout = Layout(directory, segment_height)
    layout.require()
    note, _ = last_note(layout.checkpoints)
    firsts = layout.present()
    line = next(filter(None, (last_line(layout.segment(first)) for first in reversed(firsts))), b"")
    try:
        last = Entry.parse(line) if line else None
    except ValueError as error:
        raise Damaged(f"{layout.segment(firsts[-1])}: the last line is not an entry; run verify") from error
    checkpoint = read_checkpoint(note) if note else None
    return LedgerSummary(
        origin=checkpoint.origin if checkpoint else "",
        entries=last.seq + 1 if last else 0,
        signed=checkpoint.size if checkpoint else 0,
        checkpoints=count_notes(layout.checkpoints),
        segments=len(firsts),
        bytes=sum(layout.segment(first).stat().st_size for first in firsts),
        head=last.hash if last else "",
        last_checkpoint=note.decode(),
    )


def read_entries(directory: Path, start: int = 0, *, segment_height: int = SEGMENT_HEIGHT) -> Iterator[Entry]:
    """The entries from `start` on, unverified. Ends before an unfinished last line. Raises Damaged."""
    layout = Layout(directory, segment_height)
    layout.require()
    for first in layout.present():
        if first + layout.segment_size <= start:
            continue
        with layout.segment(first).open("rb") as file:
            for number, line in enumerate(file, 1):
                if first + number <= start or not line.endswith(b"\n"):
                    continue
                try:
                    yield Entry.parse(line)
                except ValueError as error:
                    raise Damaged(f"{layout.segment(first)}:{number}: {error}; run verify") from error
