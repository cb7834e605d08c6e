"""Whether a ledger is what was signed, and if not, which entry is the first bad one.

Three things are checked against each other. The chain: every line continues the one before, byte for byte.
The tree: at the size of each checkpoint the root over the lines is the one that was signed. The signatures:
each checkpoint is signed by a key that the verifier brought along. Whoever alters entries without the key can
make the chain right again, but not the roots; whoever signs anew with another key is not believed. What no
local file can tell is that the end is gone, checkpoints and all: for that, checkpoints kept elsewhere are
brought along (`witnessed`).

The verdict has three values. Entries behind the last checkpoint chain, but are vouched for by nobody: with
them, as without any key, the log is *unknown*, not good. A writer that is closed leaves none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.entry import Chain
from seatrial.ledger.layout import SEGMENT_HEIGHT, Layout, read_subtrees
from seatrial.ledger.merkle import Frontier
from seatrial.ledger.note import Checkpoint, NoteError, VerifierKey, open_checkpoint, read_checkpoint
from seatrial.ledger.segment import replay
from seatrial.model.problems import Location
from seatrial.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. The first bad entry is `seq`, or, where only a root tells, one of `seq` … `last`."""

    seq: int
    last: int
    where: Location
    problem: str

    def __str__(self) -> str:
        entries = f"entry {self.seq}" if self.seq == self.last else f"entries {self.seq} … {self.last}"
        return f"{self.where}: {entries}: {self.problem}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. `findings` are ordered by the first entry that each is about."""

    entries: int  # that chain from the first on
    signed: int  # of these, under a good checkpoint
    checkpoints: int  # good ones
    torn_bytes: int  # of an unfinished last line or note: a write in progress, or a crash
    trusted: bool  # whether keys were given to hold signatures against
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Fail with a finding; unknown while something is vouched for by nobody; else pass."""
        if self.findings:
            return Verdict.FAIL
        proven = self.trusted and self.checkpoints > 0 and self.signed == self.entries and not self.torn_bytes
        return Verdict.PASS if proven else Verdict.UNKNOWN

    @property
    def first_bad(self) -> Finding | None:
        """The finding about the earliest entry."""
        return self.findings[0] if self.findings else None

    def __str__(self) -> str:
        if self.findings:
            return "\n".join(map(str, self.findings))
        text = (
            f"{self.entries:,} entries chain; {self.signed:,} are signed, by {self.checkpoints:,} checkpoints"
        )
        if not self.trusted:
            text += "; no key was given, so anybody may have signed them"
        if self.signed < self.entries:
            text += f"; entries {self.signed} … {self.entries - 1} are not signed yet"
        if self.torn_bytes:
            text += f"; {self.torn_bytes} bytes at the end are torn (the next opening cuts them off)"
        return text


def verify(
    directory: Path,
    keys: Sequence[VerifierKey],
    *,
    witnessed: Sequence[bytes] = (),
    segment_height: int = SEGMENT_HEIGHT,
    progress: Callable[[int, int], None] = lambda _bytes, _of: None,
) -> VerifyReport:
    """Check a whole ledger, also while it is being written. Raises BadInput when there is none.

    `keys`: who may have signed. `witnessed`: signed notes from outside. `progress`: told the bytes so
    far, and all.
    """
    layout = Layout(directory, segment_height)
    layout.require()
    # Checkpoints are read first: entries are durable before they are signed, so those read later cover them.
    claims, findings, torn_bytes = _read_claims(layout, keys, witnessed)
    chain, roots, recorded = Chain(), _Roots(layout, claims), read_subtrees(layout)
    complete, done, of = True, 0, layout.entry_bytes()
    for index, first in enumerate(layout.present()):
        path = layout.segment(first)
        if first != chain.size:
            findings.append(_about(chain.size, str(path), 1, f"missing: entry {first} comes next"))
            complete = False
            break
        part = replay(layout, first, chain)
        root = roots.add(first, part.leaves)
        if len(part.leaves) == layout.segment_size and recorded[index : index + 1] not in ([], [root]):
            where = Location(str(layout.subtrees), index + 1)
            findings.append(Finding(first, chain.size - 1, where, "their root is not the recorded one"))
        if part.torn:
            torn_bytes += path.stat().st_size - part.good_bytes
        elif part.complaint:
            findings.append(_about(chain.size, str(path), len(part.leaves) + 1, part.complaint))
            complete = False
            break
        done += part.good_bytes
        progress(done, of)
    findings += roots.complaints(chain.size if complete else None)
    findings.sort(key=lambda finding: finding.seq)
    return VerifyReport(chain.size, roots.agreed, roots.good, torn_bytes, bool(keys), tuple(findings))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A checkpoint that may be believed, to be compared with the log."""

    checkpoint: Checkpoint
    where: Location
    local: bool


def _read_claims(
    layout: Layout, keys: Sequence[VerifierKey], witnessed: Sequence[bytes]
) -> tuple[list[_Claim], list[Finding], int]:
    """The believable checkpoints by size, what is wrong with the others, and the bytes of a torn one."""
    notes, torn_bytes = read_notes(layout.checkpoints)
    offered = [(stored.note, Location(str(layout.checkpoints), stored.line), True) for stored in notes]
    offered += [(note, Location(f"witnessed checkpoint {n}"), False) for n, note in enumerate(witnessed, 1)]
    claims, findings, size = [], [], 0
    for note, where, local in offered:
        try:
            checkpoint = open_checkpoint(note, keys) if keys else read_checkpoint(note)
            if local and checkpoint.size <= size:
                raise NoteError(f"a size of {checkpoint.size} follows one of {size}")
        except NoteError as error:
            findings.append(Finding(size, size, where, f"the checkpoint is not to be believed: {error}"))
            continue
        claims.append(_Claim(checkpoint, where, local))
        size = checkpoint.size if local else size
    claims.sort(key=lambda claim: claim.checkpoint.size)
    return claims, findings, torn_bytes


class _Roots:
    """Holds the tree over the entries against the claims, while segments go by."""

    def __init__(self, layout: Layout, claims: Sequence[_Claim]) -> None:
        self.agreed = 0  # size of the last claim before the first that differs
        self.good = 0  # the log's own claims up to there
        self._witnessed = 0  # size of the last agreeing claim that was kept outside
        self._layout = layout
        self._full = Frontier()
        self._claims = deque(claims)
        self._differs: Finding | None = None

    def add(self, first: int, leaves: Sequence[bytes]) -> bytes:
        """The next segment's leaves. Returns the root over them alone."""
        part, done = Frontier(), 0
        while self._claims and self._claims[0].checkpoint.size <= first + len(leaves):
            claim = self._claims.popleft()
            upto = claim.checkpoint.size - first
            part.extend(leaves[done:upto])
            done = upto
            self._judge(claim, part.root(left=self._full))
        part.extend(leaves[done:])
        root = part.root()
        if len(leaves) == self._layout.segment_size:
            self._full.extend([root], self._layout.height)
        return root

    def _judge(self, claim: _Claim, root: bytes) -> None:
        size = claim.checkpoint.size
        if self._differs is not None:
            return
        if root == claim.checkpoint.root:
            self.agreed = size
            self.good += claim.local
            self._witnessed = self._witnessed if claim.local else size
            return
        # A witness contradicts the log's own checkpoints when the key was stolen: then only witnesses count.
        since = self.agreed if claim.local else self._witnessed
        problem = "the chain holds, but these are not the entries that were signed"
        self._differs = Finding(since, max(since, size - 1), claim.where, problem)

    def complaints(self, end: int | None) -> Iterator[Finding]:
        """What differs, and, when the log was followed to its `end`, what is missing behind it."""
        if self._differs is not None:
            yield self._differs
        if end is not None and self._claims:
            signed = self._claims[-1].checkpoint.size
            where = self._claims[-1].where
            yield Finding(
                end, signed - 1, where, f"missing: the log has {end:,} of {signed:,} signed entries"
            )


def _about(seq: int, file: str, line: int, problem: str) -> Finding:
    return Finding(seq, seq, Location(file, line), problem)
