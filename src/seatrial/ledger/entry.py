"""One line of a segment: an event, its place, and the two hashes that chain it.

    {"event":{…},"hash":"9f86…","prev":"60c2…","seq":41}

The whole line is canonical JSON (RFC 8785), so `jq`, DuckDB and pandas read segments as JSON lines. `hash` is
SHA-256(0x00 ‖ body), where the body is the same object without `hash`. It does three jobs at once: it is the
entry's own hash, the next entry's `prev`, and the entry's leaf in the Merkle tree. As the body holds `prev`
and `seq`, no entry can be altered, moved or left out without altering every later hash. By hand:

    sed -n 42p SEGMENT | jq -cjS 'del(.hash)' | (printf '\\0'; cat) | sha256sum
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from seatrial.ledger.canonical import LARGEST_EVENT, Event, InvalidEvent, canonical

GENESIS = b"0" * 64
"""What the first entry has for a previous hash."""

_HEAD = len(b'{"event":')
_TAIL = len(b',"hash":"","prev":"","seq":}\n') + 2 * 64
LONGEST_LINE = _HEAD + LARGEST_EVENT + _TAIL + 20


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the log. Hashes are lowercase hexadecimal."""

    seq: int  # from 0
    hash: str
    prev: str
    event: Event

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Read a line. Raises ValueError when it is not of the form above; verifies no hash."""
        value = json.loads(line)
        if not isinstance(value, dict) or value.keys() != {"event", "hash", "prev", "seq"}:
            raise ValueError("not an entry: an entry has event, hash, prev and seq")
        entry = cls(value["seq"], value["hash"], value["prev"], value["event"])
        texts = isinstance(entry.hash, str) and isinstance(entry.prev, str)
        if type(entry.seq) is not int or not texts or not isinstance(entry.event, dict):
            raise ValueError("not an entry: a member has the wrong type")
        return entry

    @property
    def body(self) -> bytes:
        """What `hash` is the hash of, after a zero byte. Raises InvalidEvent for an event that is none."""
        return b'{"event":%b,"prev":"%b","seq":%d}' % (canonical(self.event), self.prev.encode(), self.seq)


class Chain:
    """The end of the chain: how many entries it has, and the last one's hash."""

    __slots__ = ("head", "size")

    def __init__(self, size: int = 0, head: bytes = GENESIS) -> None:
        self.size = size
        self.head = head  # 64 hexadecimal digits

    def link(self, events: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The line and the leaf hash of each canonical event, chained to the end."""
        for event in events:
            seq = b"%d" % self.size
            leaf = sha256(b'\x00{"event":%b,"prev":"%b","seq":%b}' % (event, self.head, seq))
            own = leaf.hexdigest().encode()
            yield (
                b'{"event":%b,"hash":"%b","prev":"%b","seq":%b}\n' % (event, own, self.head, seq),
                leaf.digest(),
            )
            self.size += 1
            self.head = own

    def follow(self, lines: Sequence[bytes]) -> list[bytes]:
        """The leaf hashes of the lines that continue the chain, up to the first that does not.

        A line is right exactly if writing its event at this place gives the same bytes again: that one
        comparison covers its form, its place, its previous hash and its own.
        """
        leaves = []
        seq, head = self.size, self.head
        for line in lines:
            digits = b"%d" % seq
            event = line[_HEAD : -_TAIL - len(digits)]
            leaf = sha256(b'\x00{"event":%b,"prev":"%b","seq":%b}' % (event, head, digits))
            own = leaf.hexdigest().encode()
            if line != b'{"event":%b,"hash":"%b","prev":"%b","seq":%b}\n' % (event, own, head, digits):
                break
            leaves.append(leaf.digest())
            seq, head = seq + 1, own
        self.size, self.head = seq, head
        return leaves

    def complaint(self, line: bytes) -> str:
        """Why `line` does not continue the chain, in words."""
        try:
            entry = Entry.parse(line)
            own = sha256(b"\x00" + entry.body).hexdigest()
        except InvalidEvent as error:
            return f"its event is none: {error}"
        except (ValueError, RecursionError):
            return "not an entry" if line.endswith(b"\n") else "torn: the line has no end"
        if entry.seq != self.size:
            cause = "missing" if entry.seq > self.size else "inserted or repeated"
            return f"entry {entry.seq} stands here: entries are {cause}, or out of order"
        if entry.hash != own:
            return "altered: its content does not have its hash"
        if entry.prev != self.head.decode():
            return "its previous hash is not the hash of the entry before: one of the two was replaced"
        return "not spelled in canonical form"
