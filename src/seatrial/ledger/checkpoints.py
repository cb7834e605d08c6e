"""The file of checkpoints, and the thread that has them signed.

Signing may take a while or fail (an HSM restarts, a network goes), appending must not wait for it. The writer
offers every durable state of the log; this thread signs the newest one when it is due and forgets the ones in
between, since a signature over n entries covers all before. So catching up after an outage of any length is
one signature, and the backlog costs no memory.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seatrial.ledger.copies import CheckpointCopy, Copier
from seatrial.ledger.note import Checkpoint, NoteError, read_checkpoint, signed_note
from seatrial.ledger.signer import Signer, SignerUnavailable

log = logging.getLogger(__name__)

_LINES = 6  # origin, size, root, "", signature, ""
_SIGNATURE = "\n\n— ".encode()  # begins a note's signature, and nothing else
_LAST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """When durable entries are signed: after so many, or when the oldest of them is so old.

    The trigger lies below the promise (10,000 entries) by what may arrive before the thread has woken up.
    """

    every_events: int = 8_000
    every_s: float = 0.9
    retry_s: float = 0.5  # pause after a failed signature
    largest_backlog: int = 1_000_000  # durable, unsigned entries; beyond it appends are refused


@dataclass(frozen=True, slots=True)
class StoredNote:
    """A note in the file of checkpoints and where it stands: its first line, and the byte after it."""

    note: bytes
    line: int
    end: int


def read_notes(path: Path) -> tuple[list[StoredNote], int]:
    """The complete notes of a checkpoint file, and how many bytes of a torn one follow them.

    Every note takes six lines, so one with a damaged line costs only itself.
    """
    data = path.read_bytes() if path.exists() else b""
    lines = data.split(b"\n")[:-1]
    notes, end = [], 0
    for start in range(0, len(lines) - _LINES + 1, _LINES):
        block = b"\n".join(lines[start : start + _LINES])  # without its last newline: the sixth line is empty
        end += len(block) + 1
        notes.append(StoredNote(block, start + 1, end))
    return notes, len(data) - end


def last_note(path: Path) -> tuple[bytes, int]:
    """The last complete note of a checkpoint file and the byte after it; nothing and 0 when there is none.

    Reads the end of the file only. What follows that note, if anything, is torn.
    """
    if not path.exists():
        return b"", 0
    with path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES)
        file.seek(start)
        data = (b"\n\n" if start == 0 else b"") + file.read()
    shift = start - (2 if start == 0 else 0)
    signature = len(data)
    while (signature := data.rfind(_SIGNATURE, 0, signature)) >= 0:
        begin, end = data.rfind(b"\n\n", 0, signature), data.find(b"\n\n", signature + 2)
        if min(begin, end) >= 0 and _is_checkpoint(note := data[begin + 2 : end + 1]):
            return note, end + 2 + shift
    return b"", 0


def count_notes(path: Path) -> int:
    """How many notes a checkpoint file has."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(partial(file.read, 1 << 20), b"")) // _LINES


def _is_checkpoint(note: bytes) -> bool:
    try:
        read_checkpoint(note)
    except NoteError:
        return False
    return True


class CheckpointFile:
    """Appends notes durably."""

    def __init__(self, path: Path, end: int) -> None:
        """`end`: the byte after the last complete note; what follows it is cut off."""
        self._end = end
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.ftruncate(self._descriptor, end)

    def append(self, note: bytes) -> None:
        """Returns when the note is durable. After an OSError the next call overwrites what was torn."""
        block = memoryview(note + b"\n")
        written = 0
        while written < len(block):
            written += os.pwrite(self._descriptor, block[written:], self._end + written)
        os.ftruncate(self._descriptor, self._end + written)
        os.fdatasync(self._descriptor)
        self._end += written

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)


class Checkpointer:
    """The signing thread of one ledger."""

    def __init__(
        self,
        file: CheckpointFile,
        signer: Signer,
        signed: int,
        policy: CheckpointPolicy,
        copies: Sequence[CheckpointCopy] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`signed`: size of the last checkpoint in `file`."""
        self.signed = signed
        self.failure = ""  # why the last attempt failed; empty when it did not
        self._file = file
        self._signer = signer
        self._policy = policy
        self._copier = Copier(copies)
        self._clock = clock
        self._changed = threading.Condition()
        self._offered: Checkpoint | None = None
        self._unsigned_since = 0.0
        self._retry_at = 0.0
        self._urgent = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ledger-checkpoints", daemon=True)
        self._thread.start()

    def offer(self, size: int, root: bytes) -> None:
        """This much is durable now."""
        with self._changed:
            if self._offered is None or self._offered.size <= self.signed:
                self._unsigned_since = self._clock()
                self._changed.notify_all()
            elif size - self.signed >= self._policy.every_events:
                self._changed.notify_all()
            self._offered = Checkpoint(self._signer.name, size, root)

    def flush(self, timeout_s: float) -> bool:
        """Sign now what was offered; whether that was done in time."""
        deadline = self._clock() + timeout_s
        with self._changed:
            target = self._offered.size if self._offered else 0
            self._urgent, self._retry_at = True, 0.0
            self._changed.notify_all()
            while self.signed < target and self._thread.is_alive():
                remaining = deadline - self._clock()
                if remaining <= 0 or not self._changed.wait(remaining):
                    break
            self._urgent = False
            return self.signed >= target

    def close(self, timeout_s: float) -> bool:
        """Sign what is left, deliver its copies, end the thread; whether everything is signed."""
        complete = self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()  # bounded: a signer keeps its deadline
        self._copier.close(timeout_s)
        self._file.close()
        return complete

    def _run(self) -> None:
        for checkpoint in self._due():
            failure = self._attempt(checkpoint)
            with self._changed:
                if failure:
                    self._retry_at = self._clock() + self._policy.retry_s
                else:
                    self.signed = checkpoint.size
                    self._unsigned_since = self._clock()
                if failure != self.failure:
                    log.warning("checkpoints: %s", failure or "the signer is back; signing has caught up")
                self.failure = failure
                self._changed.notify_all()

    def _attempt(self, checkpoint: Checkpoint) -> str:
        """Sign, store and hand out one checkpoint. Returns why it failed, or nothing."""
        try:
            signature = self._signer.sign(checkpoint.text)
            note = signed_note(checkpoint.text, self._signer.verifier_key(), signature)
            self._file.append(note)
        except (SignerUnavailable, OSError) as error:
            return f"not signed at {checkpoint.size:,} entries: {error}"
        self._copier.offer(note)
        return ""

    def _due(self) -> Iterator[Checkpoint]:
        """Each state that must be signed, at the time it must be."""
        while True:
            with self._changed:
                while (wait_s := self._wait_s()) != 0:
                    if self._closing:
                        return
                    self._changed.wait(wait_s)
                assert self._offered is not None
                checkpoint = self._offered
            yield checkpoint

    def _wait_s(self) -> float | None:
        """Seconds until the newest state is due: 0 for now, None for not before something changes."""
        if self._closing or self._offered is None or self._offered.size <= self.signed:
            return None
        now = self._clock()
        due = self._unsigned_since + self._policy.every_s
        if self._urgent or self._offered.size - self.signed >= self._policy.every_events:
            due = now
        return max(0.0, due - now, self._retry_at - now)
