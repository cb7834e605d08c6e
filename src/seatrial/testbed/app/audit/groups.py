"""Which batches of a group are new, repeated or in conflict, and the lines that new ones add to the chain.

Pure: what the database said goes in, what it shall store comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from seatrial.ledger.entry import Chain


@dataclass(frozen=True, slots=True)
class Batch:
    """Canonical events of one tenant that are stored together or not at all."""

    id: str  # TENANT/KEY
    events: tuple[bytes, ...]
    digest: bytes  # SHA-256 over the events, a newline between two

    @classmethod
    def of(cls, identity: str, events: Sequence[bytes]) -> Batch:
        """With its digest."""
        return cls(identity, tuple(events), sha256(b"\n".join(events)).digest())


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a batch is in the chain."""

    first: int
    last: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one batch. `stored` None: its id belongs to other events."""

    stored: Stored | None
    created: bool


@dataclass(frozen=True, slots=True)
class PlannedTransaction:
    """One transaction: what it stores, and the outcome of each batch once it has committed."""

    outcomes: tuple[Outcome, ...]
    batches: tuple[tuple[str, Stored], ...]  # new ones
    entries: tuple[tuple[int, str, bytes], ...]  # seq, batch, line without its newline
    size: int
    head: bytes


def plan(size: int, head: bytes, known: Mapping[str, Stored], group: Sequence[Batch]) -> PlannedTransaction:
    """Continue the chain that ends with `head`. `known`: those of the group's ids that are stored already."""
    chain = Chain(size, head)
    seen = dict(known)
    outcomes: list[Outcome] = []
    batches: list[tuple[str, Stored]] = []
    entries: list[tuple[int, str, bytes]] = []
    for batch in group:
        before = seen.get(batch.id)
        if before is not None:
            outcomes.append(Outcome(before if before.digest == batch.digest else None, created=False))
            continue
        first = chain.size
        lines = chain.link(batch.events)
        entries += [(first + place, batch.id, line[:-1]) for place, (line, _) in enumerate(lines)]
        stored = Stored(first, chain.size - 1, batch.digest)
        seen[batch.id] = stored
        batches.append((batch.id, stored))
        outcomes.append(Outcome(stored, created=True))
    return PlannedTransaction(tuple(outcomes), tuple(batches), tuple(entries), chain.size, chain.head)
