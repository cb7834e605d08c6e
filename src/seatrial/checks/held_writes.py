"""What a target holds of a run's writes, against how these ended for their clients.

Copies are read one after the other, a night's three million as well. Of each write only its count stays, and
of what is wrong the first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from seatrial.checks.write_outcomes import ACKNOWLEDGED, INDETERMINATE, REFUSED, WriteOutcomes
from seatrial.model.exactindex import NONE, ExactIndex

Copy = tuple[str, str | None]  # id, content (None: not told)

_PART = 1 << 15  # copies that are looked up at once
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Some:
    """So many writes, and the id of the first."""

    count: int
    first: str = ""


@dataclass(frozen=True, slots=True)
class HeldWrites:
    """What is wrong with the copies, and how many indeterminate writes are among them."""

    lost: Some
    lost_s: float  # from the first lost acknowledgement to the last
    doubled: Some
    altered: Some  # copies, not writes
    refused_yet_there: Some
    indeterminate_there: int


def held(writes: WriteOutcomes, copies: Iterable[Copy]) -> HeldWrites:
    """All `copies` of the target, read once, in any order."""
    account, unread = _Account(writes), iter(copies)
    while part := list(islice(unread, _PART)):
        account.add(part)
    return account.result()


class _Account:
    def __init__(self, writes: WriteOutcomes) -> None:
        self._writes = writes
        self._copies = np.zeros(len(writes.standing), dtype=np.int32)  # of each write
        self._came = np.full(len(writes.standing), _NEVER, dtype=np.int64)  # which copy was its first
        self._strangers = _Strangers()
        self._read = self._altered = 0
        self._first_altered = ""

    def add(self, part: Sequence[Copy]) -> None:
        """More copies."""
        encoded = [_encoded(identity) for identity, _ in part]
        found = self._writes.keys.find(encoded)
        known = np.flatnonzero(found != NONE)
        np.add.at(self._copies, found[known], 1)
        np.minimum.at(self._came, found[known], self._read + known)
        for index in np.flatnonzero(found == NONE).tolist():
            self._strangers.add(encoded[index], self._read + index)
        tellers = self._writes.last[found[known]].tolist()
        for index, teller in zip(known.tolist(), tellers, strict=True):
            self._compare(*part[index], teller)
        self._read += len(part)

    def _compare(self, identity: str, content: str | None, teller: int) -> None:
        """`teller`: the number of the key that says what the copy must say."""
        if content is None:
            return
        expected = self._writes.keys.content_at(teller)
        if expected and expected != _encoded(content):
            self._first_altered = self._first_altered or identity
            self._altered += 1

    def result(self) -> HeldWrites:
        """What the copies come to."""
        writes, there = self._writes, self._copies > 0
        lost = writes.which(ACKNOWLEDGED, ~there)
        instants_s = writes.ended_s[writes.last[lost]]
        return HeldWrites(
            self._some(lost),
            float(instants_s.max() - instants_s.min()) if len(lost) else 0.0,
            self._doubled(),
            Some(self._altered, self._first_altered),
            self._some(writes.which(REFUSED, there)),
            len(writes.which(INDETERMINATE, there)),
        )

    def _some(self, found: npt.NDArray[Any]) -> Some:
        return Some(len(found), self._writes.id_of(int(found[0]))) if len(found) else Some(0)

    def _doubled(self) -> Some:
        """Whatever is there more than once, asked for or not."""
        doubled = np.flatnonzero(self._copies > 1)
        among_strangers, came, first = self._strangers.doubled()
        if len(doubled):
            earliest = doubled[np.argmin(self._came[doubled])]
            if self._came[earliest] < came:
                first = self._writes.id_of(int(earliest))
        return Some(len(doubled) + among_strangers, first)


class _Strangers:
    """The ids of copies that no write of the run has, one after the other as bytes."""

    def __init__(self) -> None:
        self._ids, self._starts, self._came = bytearray(), array("q", [0]), array("q")

    def add(self, identity: bytes, came: int) -> None:
        self._ids += identity
        self._starts.append(len(self._ids))
        self._came.append(came)

    def doubled(self) -> tuple[int, int, str]:
        """How many are there more than once; which copy was the first of those, and its id."""
        length = len(self._came)
        firsts = ExactIndex(map(self._at, range(length)), length, self._at).firsts()
        doubled = np.flatnonzero(np.bincount(firsts, minlength=length) > 1)
        if not len(doubled):
            return 0, int(_NEVER), ""
        first = int(doubled[0])
        return len(doubled), self._came[first], self._at(first).decode(errors="surrogatepass")

    def _at(self, number: int) -> bytes:
        return bytes(self._ids[self._starts[number] : self._starts[number + 1]])


def _encoded(text: str) -> bytes:
    """UTF-8, in which every text is another, whatever a target answers."""
    return text.encode(errors="surrogatepass")
