"""Finding the end of a ledger that its last writer may have left in the middle of a word.

A crash can only hurt what was written since the last fdatasync, and a writer syncs each group before it
writes the next one. So what a crash left is told from damage by three signs: it lies at the very end of the
last segment, it is no longer than one group, and no checkpoint covers it. Such a tail was never acknowledged:
it is moved to `cut/` and the log goes on. Anything else is damage, and a damaged log is not extended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.ledger.checkpoints import last_note
from seatrial.ledger.entry import GENESIS, LONGEST_LINE, Chain, Entry
from seatrial.ledger.layout import Damaged, Layout, read_subtrees, sync_directory
from seatrial.ledger.merkle import EMPTY_ROOT, Frontier, root_of
from seatrial.ledger.note import Checkpoint, NoteError, VerifierKey, open_checkpoint
from seatrial.ledger.segment import Replay, last_line, replay

GROUP_BYTES = 1 << 20
"""A group grows no further once it is this long, so it is never longer than this and one more line."""

LONGEST_TEAR = GROUP_BYTES + LONGEST_LINE
LONGEST_NOTE = 4096


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found and mended."""

    entries: int  # kept
    cut_bytes: int = 0  # of the torn tail
    cut_to: Path | None = None  # where it lies now


@dataclass(frozen=True, slots=True)
class Resumption:
    """All that a writer needs to go on."""

    chain: Chain
    full: Frontier  # the tree over the full segments
    tail: Frontier  # the tree over the entries of the segment that is not full
    signed: int  # size of the last checkpoint
    notes_end: int  # the byte after it in the file of checkpoints
    recovery: Recovery


def resume(layout: Layout, trusted: Callable[[], Sequence[VerifierKey]]) -> Resumption:
    """Check the end of the log against its last checkpoint, mend what a crash left. Raises Damaged.

    Only the segments from the last checkpoint on are read; `trusted` is only asked when there is one.
    Call with the lock held.
    """
    checkpoint, notes_end = _last_checkpoint(layout, trusted)
    firsts = layout.present()
    if firsts != [index << layout.height for index in range(len(firsts))]:
        raise Damaged(f"{layout.segments}: a segment is missing or has a wrong name; run verify")
    recorded = read_subtrees(layout)
    start = min(checkpoint.size >> layout.height, max(0, len(firsts) - 1), len(recorded))
    subtrees = recorded[:start]
    chain = Chain(start << layout.height, _head_before(layout, start))
    full, tail = Frontier(), Frontier()
    full.extend(subtrees, layout.height)
    cut_bytes, cut_to = 0, None
    for first in firsts[start:]:
        part = replay(layout, first, chain)
        _compare(layout, full, first, part.leaves, checkpoint)
        if part.complaint:
            harmless = first == firsts[-1] and chain.size >= checkpoint.size
            cut_bytes, cut_to = _cut_tear(layout, first, part, chain.size, harmless=harmless)
        if len(part.leaves) == layout.segment_size:
            subtrees.append(root_of(part.leaves))
            full.extend(subtrees[-1:], layout.height)
        else:
            tail.extend(part.leaves)
    if chain.size < checkpoint.size:
        raise Damaged(
            f"{layout.segments}: has {chain.size:,} of {checkpoint.size:,} signed entries; run verify"
        )
    if subtrees != recorded:
        _replace_subtrees(layout, subtrees)
    recovery = Recovery(chain.size, cut_bytes, cut_to)
    return Resumption(chain, full, tail, checkpoint.size, notes_end, recovery)


def _last_checkpoint(layout: Layout, trusted: Callable[[], Sequence[VerifierKey]]) -> tuple[Checkpoint, int]:
    """The newest checkpoint and the byte after it; the empty log's when there is none.

    What follows the last legible note is torn: its pages may have reached the disk in any order.
    """
    size = layout.checkpoints.stat().st_size if layout.checkpoints.exists() else 0
    note, end = last_note(layout.checkpoints)
    if size - end > LONGEST_NOTE:
        raise Damaged(f"{layout.checkpoints}: {size - end:,} bytes at its end are no checkpoints; run verify")
    if not note:
        return Checkpoint("", 0, EMPTY_ROOT), 0
    try:
        return open_checkpoint(note, trusted()), end
    except NoteError as error:
        raise Damaged(f"{layout.checkpoints}: the last one: {error}; the log is not extended") from error


def _head_before(layout: Layout, index: int) -> bytes:
    """The hash of the last entry before the segment of this index."""
    if index == 0:
        return GENESIS
    path = layout.segment((index - 1) << layout.height)
    try:
        return Entry.parse(last_line(path)).hash.encode()
    except ValueError as error:
        raise Damaged(f"{path}: its last line is not an entry; run verify") from error


def _compare(layout: Layout, full: Frontier, first: int, leaves: list[bytes], checkpoint: Checkpoint) -> None:
    """Hold the log to its last checkpoint, if that lies in this segment or at its edge."""
    if not first <= checkpoint.size <= first + len(leaves):
        return
    part = Frontier()
    part.extend(leaves[: checkpoint.size - first])
    if part.root(left=full) != checkpoint.root:
        raise Damaged(
            f"{layout.directory}: the first {checkpoint.size:,} entries are not the signed ones; run verify"
        )


def _cut_tear(layout: Layout, first: int, part: Replay, seq: int, *, harmless: bool) -> tuple[int, Path]:
    """Move a torn tail aside. Returns its length and where it lies. Raises Damaged if it is none."""
    path = layout.segment(first)
    length = path.stat().st_size - part.good_bytes
    if not harmless or length > LONGEST_TEAR:
        raise Damaged(f"{path}:{len(part.leaves) + 1}: entry {seq}: {part.complaint}; run verify")
    layout.cut.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDWR)
    try:
        tail = os.pread(descriptor, length, part.good_bytes)
        aside = layout.cut / f"{seq:020d}-{os.fstat(descriptor).st_mtime_ns}.torn"
        aside.write_bytes(tail)
        sync_directory(layout.cut)
        os.ftruncate(descriptor, part.good_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return length, aside


def _replace_subtrees(layout: Layout, roots: Sequence[bytes]) -> None:
    """Write the derived file anew, whole or not at all."""
    new = layout.subtrees.with_suffix(".new")
    with new.open("w") as file:
        file.writelines(f"{root.hex()}\n" for root in roots)
        file.flush()
        os.fsync(file.fileno())
    new.rename(layout.subtrees)
    sync_directory(layout.directory)
