"""The one writer of a ledger: group commit, rotation, checkpoints.

    append ─► queue ─► one group: chain ─► write ─► fdatasync ─► acknowledge
                                                     └─► offer (size, root) ─► signing thread ─► copies

Whoever calls `append` waits until its events are durable. Calls that come while a group is being written form
the next group together, so a hundred callers share one fdatasync instead of queueing for a hundred.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from seatrial.home import private_directory
from seatrial.ledger.canonical import Event, canonical
from seatrial.ledger.checkpoints import Checkpointer, CheckpointFile, CheckpointPolicy
from seatrial.ledger.copies import CheckpointCopy
from seatrial.ledger.layout import SEGMENT_HEIGHT, Layout, sync_directory
from seatrial.ledger.merkle import Frontier
from seatrial.ledger.note import VerifierKey
from seatrial.ledger.recovery import GROUP_BYTES, Recovery, Resumption, resume
from seatrial.ledger.segment import SegmentWriter
from seatrial.ledger.signer import Signer
from seatrial.model.problems import Unavailable

log = logging.getLogger(__name__)

GROUP_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """What to show of an open ledger."""

    durable: int  # entries acknowledged
    signed: int  # of these, covered by a checkpoint
    failure: str  # why signing fails at the moment; empty when it does not

    @property
    def backlog(self) -> int:
        """Durable entries that no checkpoint covers yet."""
        return self.durable - self.signed


class Ledger:
    """An open ledger. Safe to use from many threads; one process at a time."""

    def __init__(
        self,
        directory: Path,
        signer: Signer,
        *,
        copies: Sequence[CheckpointCopy] = (),
        policy: CheckpointPolicy | None = None,
        trusted: Sequence[VerifierKey] = (),
        segment_height: int = SEGMENT_HEIGHT,
    ) -> None:
        """Open the ledger in `directory`, made if it is missing, and mend what a crash left.

        `trusted`: earlier keys, after a change of keys. Raises Unavailable when another writer has it or the
        signer cannot tell its public key, Damaged when it is not what was signed.
        """
        self._layout = Layout(directory, segment_height)
        self._policy = policy or CheckpointPolicy()
        private_directory(self._layout.segments)
        self._lock = _take_lock(self._layout.lock)
        try:
            found = resume(self._layout, lambda: (signer.verifier_key(), *trusted))
            file = CheckpointFile(self._layout.checkpoints, found.notes_end)
            sync_directory(directory)
        except BaseException:
            os.close(self._lock)
            raise
        self._adopt(found)
        self._checkpointer = Checkpointer(file, signer, found.signed, self._policy, copies)
        self._offer()

    def _adopt(self, found: Resumption) -> None:
        self.recovery: Recovery = found.recovery
        self._chain, self._full, self._tail = found.chain, found.full, found.tail
        self._segment: SegmentWriter | None = None
        self._durable = self._queued = found.chain.size
        self._queue: list[bytes] = []
        self._queue_lock = threading.Lock()
        self._commit_lock = threading.Lock()
        self._broken: OSError | None = None
        self._closed = False
        if found.recovery.cut_bytes:
            log.warning("%s: a torn tail of %d bytes, never acknowledged, was cut off after %d entries",
                        self._layout.directory, found.recovery.cut_bytes, found.recovery.entries)  # fmt: skip

    def append(self, event: Event) -> int:
        """Append one event; its sequence number, when it is durable. Raises as `append_canonical`."""
        return self.append_canonical([canonical(event)])

    def append_all(self, events: Iterable[Event]) -> int:
        """Append events in order, all or, when one of them is none (InvalidEvent), not any."""
        return self.append_canonical([canonical(event) for event in events])

    def append_canonical(self, events: Sequence[bytes]) -> int:
        """Append what `canonical` or `parse` returned; the last one's sequence number, when all are durable.

        Raises Unavailable when the disk fails, or while more events are unsigned than the policy bears.
        """
        with self._queue_lock:
            self._refuse_if_unable(len(events))
            self._queue += events
            self._queued += len(events)
            last = self._queued
        with self._commit_lock:
            if self._durable < last:
                self._commit()
        return last - 1

    def status(self) -> LedgerStatus:
        """How far the log is durable and signed."""
        return LedgerStatus(self._durable, self._checkpointer.signed, self._checkpointer.failure)

    def checkpoint(self, timeout_s: float = 10.0) -> bool:
        """Have all that is durable signed now; whether that was done in time."""
        return self._checkpointer.flush(timeout_s)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Sign what is left and let go; whether all is signed. What is not will be after reopening."""
        with self._queue_lock:
            if self._closed:
                return self._checkpointer.signed == self._durable
            self._closed = True
        with self._commit_lock:
            complete = self._checkpointer.close(timeout_s)
            if self._segment is not None:
                self._segment.close()
            os.close(self._lock)
        return complete

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_if_unable(self, count: int) -> None:
        if self._closed:
            raise ValueError("the ledger is closed")
        if self._broken is not None:
            raise self._failed(self._broken) from self._broken
        backlog = self._queued + count - self._checkpointer.signed
        if self._checkpointer.failure and backlog > self._policy.largest_backlog:
            raise Unavailable(
                f"{self._layout.directory}: refused: {backlog:,} entries would be unsigned, "
                f"{self._policy.largest_backlog:,} are borne; {self._checkpointer.failure}"
            )

    def _commit(self) -> None:
        """Write all that is queued, group after group. Runs under the commit lock."""
        if self._broken is not None:
            raise self._failed(self._broken) from self._broken
        with self._queue_lock:
            events, self._queue = self._queue, []
        done = 0
        try:
            while done < len(events):
                count = self._group_length(events, done)
                self._write_group(events[done : done + count])
                done += count
        except OSError as error:
            self._broken = (
                error  # after a failed fdatasync nobody knows what is on the disk: reopening finds out
            )
            raise self._failed(error) from error

    def _group_length(self, events: Sequence[bytes], start: int) -> int:
        """How many events from `start` on form one group: it ends with the segment at the latest."""
        most = min(GROUP_EVENTS, len(events) - start, self._layout.segment_size - self._tail.size)
        size = 0
        for count in range(most):
            if size >= GROUP_BYTES:
                return count
            size += len(events[start + count])
        return most

    def _write_group(self, events: Sequence[bytes]) -> None:
        if self._segment is None:
            self._segment = SegmentWriter(self._layout, self._chain.size - self._tail.size)
        lines, leaves = zip(*self._chain.link(events), strict=True)
        self._segment.append(b"".join(lines))
        self._tail.extend(leaves)
        if self._tail.size == self._layout.segment_size:
            self._rotate()
        self._durable = self._chain.size
        self._offer()

    def _rotate(self) -> None:
        """Close the full segment and record its root. The next segment is made with its first entry."""
        assert self._segment is not None
        self._segment.close()
        self._segment = None
        root = self._tail.root()
        self._full.extend([root], self._layout.height)
        self._tail = Frontier()
        with self._layout.subtrees.open("a") as file:
            file.write(f"{root.hex()}\n")
            file.flush()
            os.fdatasync(file.fileno())

    def _offer(self) -> None:
        if self._durable:
            self._checkpointer.offer(self._durable, self._tail.root(left=self._full))

    def _failed(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._layout.directory}: entry {self._durable} and later ones could not be made durable "
            f"({error.strerror}); mend the disk and open the ledger again"
        )


def _take_lock(path: Path) -> int:
    """Become the one writer. Raises Unavailable. The kernel frees it however the process ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise Unavailable(f"{path}: another writer has this ledger (pid {holder})") from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
