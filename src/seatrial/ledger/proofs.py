"""Proofs that a third party checks with nothing but the verifier key.

An inclusion proof is written in the form of c2sp.org/tlog-proof: the entry's body as extra data, its index,
the siblings on the way to the root, and the signed checkpoint whose root that is. A proof reads the two
segments at most that hold the entry and the log's end; of the others their recorded roots suffice. Those are
derived data, and a proof built on a wrong one would not lead to the signed root, so each proof is checked
before it is given.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from seatrial.ledger.checkpoints import last_note
from seatrial.ledger.entry import Chain, Entry
from seatrial.ledger.layout import SEGMENT_HEIGHT, Damaged, Layout, read_subtrees
from seatrial.ledger.merkle import (
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from seatrial.ledger.note import Checkpoint, NoteError, VerifierKey, open_checkpoint, read_checkpoint
from seatrial.ledger.segment import replay
from seatrial.model.problems import BadInput

_FORM = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That `body` is entry `seq` of the log that `note` is a checkpoint of."""

    seq: int
    body: bytes  # what the entry's hash is the hash of
    path: tuple[bytes, ...]  # siblings, from the leaf's up
    note: bytes

    def __str__(self) -> str:
        head = [_FORM, f"extra {base64.b64encode(self.body).decode()}", f"index {self.seq}"]
        siblings = [base64.b64encode(sibling).decode() for sibling in self.path]
        return "\n".join([*head, *siblings, "", self.note.decode()])

    @classmethod
    def parse(cls, text: str) -> InclusionProof:
        """Read the text form. Raises BadInput."""
        head, _, note = text.partition("\n\n")
        try:
            form, extra, index, *siblings = head.split("\n")
            if form != _FORM or not extra.startswith("extra ") or not index.startswith("index "):
                raise ValueError
            body = base64.b64decode(extra.removeprefix("extra "), validate=True)
            path = tuple(base64.b64decode(sibling, validate=True) for sibling in siblings)
            return cls(int(index.removeprefix("index ")), body, path, note.encode())
        except (ValueError, binascii.Error) as error:
            raise BadInput(f"not a proof of the form {_FORM} with an entry in its extra line") from error

    def check(self, keys: Sequence[VerifierKey]) -> Checkpoint:
        """The signed checkpoint that the entry is under. Raises NoteError when nothing is proven."""
        checkpoint = open_checkpoint(self.note, keys)
        if not verify_inclusion(self.seq, checkpoint.size, leaf_hash(self.body), self.path, checkpoint.root):
            raise NoteError(f"entry {self.seq} is not under the root that {checkpoint.origin} signed")
        return checkpoint


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the log of `older` is the beginning of the log of `newer`."""

    older: bytes  # signed notes
    newer: bytes
    path: tuple[bytes, ...]

    def check(self, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, Checkpoint]:
        """Both checkpoints. Raises NoteError when nothing is proven."""
        old, new = open_checkpoint(self.older, keys), open_checkpoint(self.newer, keys)
        if not verify_consistency(old.size, new.size, old.root, new.root, self.path):
            raise NoteError(f"the log at {new.size} entries does not begin with the log at {old.size}")
        return old, new


def prove(
    directory: Path, seq: int, keys: Sequence[VerifierKey] = (), *, segment_height: int = SEGMENT_HEIGHT
) -> InclusionProof:
    """A proof of entry `seq` under the last checkpoint, which one of `keys`, if given, must have signed.

    Raises BadInput when no checkpoint covers the entry, Damaged when the log is not what was signed.
    """
    log = _Log(Layout(directory, segment_height))
    note, checkpoint = log.last_checkpoint(keys)
    if not 0 <= seq < checkpoint.size:
        raise BadInput(f"{directory}: entry {seq} is not one of the {checkpoint.size:,} signed ones")
    path = inclusion_path(seq, checkpoint.size, log.range_hash)
    body = log.body(seq)
    if not verify_inclusion(seq, checkpoint.size, leaf_hash(body), path, checkpoint.root):
        raise Damaged(f"{directory}: the entries are not those that were signed; run verify")
    return InclusionProof(seq, body, tuple(path), note)


def prove_consistency(
    directory: Path,
    older: bytes,
    keys: Sequence[VerifierKey] = (),
    *,
    segment_height: int = SEGMENT_HEIGHT,
) -> ConsistencyProof:
    """A proof that the log has only grown since the signed note `older`. Raises as `prove`."""
    log = _Log(Layout(directory, segment_height))
    newer, checkpoint = log.last_checkpoint(keys)
    old = open_checkpoint(older, keys) if keys else read_checkpoint(older)
    if not 0 < old.size <= checkpoint.size:
        raise BadInput(
            f"{directory}: signed at {checkpoint.size:,} entries; nothing to prove for {old.size:,}"
        )
    path = consistency_path(old.size, checkpoint.size, log.range_hash)
    if not verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, path):
        raise Damaged(
            f"{directory}: the first {old.size:,} entries are not those that were signed; run verify"
        )
    return ConsistencyProof(older, newer, tuple(path))


class _Log:
    """Hashes of ranges of leaves, from the recorded roots where possible."""

    def __init__(self, layout: Layout) -> None:
        layout.require()
        self._layout = layout
        self._roots = read_subtrees(layout)
        self._leaves = lru_cache(maxsize=2)(self._read_leaves)

    def last_checkpoint(self, keys: Sequence[VerifierKey]) -> tuple[bytes, Checkpoint]:
        note, _ = last_note(self._layout.checkpoints)
        if not note:
            raise BadInput(f"{self._layout.directory}: nothing is signed yet, so nothing can be proven")
        try:
            return note, open_checkpoint(note, keys) if keys else read_checkpoint(note)
        except NoteError as error:
            raise Damaged(f"{self._layout.checkpoints}: the last one: {error}") from error

    def range_hash(self, start: int, end: int) -> bytes:
        """MTH of leaves [start, end): within one segment, or from the start of one (RFC 6962 splits so)."""
        first, size = start >> self._layout.height, self._layout.segment_size
        base = first << self._layout.height
        if end <= base + size:
            return root_of(self._leaves(first)[start - base : end - base])
        last, rest = divmod(end, size)
        full, tail = Frontier(), Frontier()
        full.extend([self._segment_root(index) for index in range(first, last)], self._layout.height)
        if rest:
            tail.extend(self._leaves(last)[:rest])
        return tail.root(left=full)

    def body(self, seq: int) -> bytes:
        """The body of an entry."""
        with self._layout.segment(seq).open("rb") as file:
            line = next(islice(file, seq % self._layout.segment_size, None))
        return Entry.parse(line).body

    def _segment_root(self, index: int) -> bytes:
        return self._roots[index] if index < len(self._roots) else root_of(self._leaves(index))

    def _read_leaves(self, index: int) -> list[bytes]:
        """The leaf hashes of one segment, as they follow from its lines and from what it says came before."""
        first = index << self._layout.height
        path = self._layout.segment(first)
        try:
            with path.open("rb") as file:
                chain = Chain(first, Entry.parse(file.readline()).prev.encode())
        except (OSError, ValueError) as error:
            raise Damaged(f"{path}: missing, or its first line is not an entry; run verify") from error
        part = replay(self._layout, first, chain)
        if part.complaint and not part.torn:
            raise Damaged(f"{path}:{len(part.leaves) + 1}: entry {chain.size}: {part.complaint}; run verify")
        return part.leaves
