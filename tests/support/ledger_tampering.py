"""Ways to tamper with a ledger, from a flipped bit to a whole history written anew and signed with another key.

A tamperer here is no fool: chains are made right again, segments are laid out as the writer would, checkpoints
are moved, re-dated and re-signed. Each tampering says which entry it spoilt first, so that a verifier can be
held to naming it and not only to crying foul.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.ledger import Ledger, SoftwareSigner, VerifyReport, canonical, verify
from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.entry import GENESIS, Chain, Entry
from seatrial.ledger.layout import Layout
from seatrial.ledger.merkle import root_of
from seatrial.ledger.note import Checkpoint, read_checkpoint, signed_note
from seatrial.model.verdict import Verdict

NAME = "seatrial.test/ledger"
HEIGHT = 6
ENTRIES = 300
EVERY = 40  # entries a checkpoint


def write_pristine(directory: Path, signer: SoftwareSigner, entries: int = ENTRIES, salt: int = 0) -> None:
    """A closed ledger with a checkpoint after every 40 entries."""
    with Ledger(directory, signer, segment_height=HEIGHT) as ledger:
        for start in range(0, entries, EVERY):
            ledger.append_all(
                {
                    "actor": f"user-{(seq * 7 + salt) % 31}",
                    "amount": seq * 11 + salt,
                    "object": f"order/{seq}",
                }
                for seq in range(start, min(start + EVERY, entries))
            )
            assert ledger.checkpoint()


@dataclass
class Log:
    """A ledger taken apart: all lines, and all checkpoints with their notes."""

    layout: Layout
    lines: list[bytes]
    notes: list[bytes]
    signer: SoftwareSigner

    @classmethod
    def read(cls, directory: Path, signer: SoftwareSigner) -> Log:
        layout = Layout(directory, HEIGHT)
        lines = [
            line
            for first in layout.present()
            for line in layout.segment(first).read_bytes().splitlines(keepends=True)
        ]
        return cls(layout, lines, [stored.note for stored in read_notes(layout.checkpoints)[0]], signer)

    def write(self) -> None:
        """Lay the log out again as a writer would have."""
        shutil.rmtree(self.layout.segments)
        self.layout.segments.mkdir()
        for first in range(0, len(self.lines), self.layout.segment_size):
            part = self.lines[first : first + self.layout.segment_size]
            self.layout.segment(first).write_bytes(b"".join(part))
        self.layout.checkpoints.write_bytes(b"".join(note + b"\n" for note in self.notes))
        roots = [
            root_of(self.leaves()[first : first + self.layout.segment_size])
            for first in range(0, len(self.lines) - self.layout.segment_size + 1, self.layout.segment_size)
        ]
        self.layout.subtrees.write_text("".join(f"{root.hex()}\n" for root in roots))

    def leaves(self) -> list[bytes]:
        return [bytes.fromhex(json.loads(line)["hash"]) for line in self.lines]

    def event(self, seq: int) -> dict[str, object]:
        event: dict[str, object] = json.loads(self.lines[seq])["event"]
        return event

    def rehash(self, start: int, events: list[bytes]) -> None:
        """Replace everything from `start` on by a right chain of `events`."""
        head = Entry.parse(self.lines[start - 1]).hash.encode() if start else GENESIS
        self.lines[start:] = [line for line, _ in Chain(start, head).link(events)]

    def events(self, start: int) -> list[bytes]:
        return [canonical(Entry.parse(line).event) for line in self.lines[start:]]

    def sign_again(self, signer: SoftwareSigner) -> None:
        """A new note for every checkpoint, over the log as it is now."""
        sizes = [min(read_checkpoint(note).size, len(self.lines)) for note in self.notes]
        self.notes = []
        for size in sorted(set(sizes)):
            checkpoint = Checkpoint(NAME, size, root_of(self.leaves()[:size]))
            note = signed_note(checkpoint.text, signer.verifier_key(), signer.sign(checkpoint.text))
            self.notes.append(note)


@dataclass(frozen=True)
class Tampering:
    """What was done: the first entry that is not as it was lies in `first` … `last`."""

    kind: str
    first: int
    last: int
    may_be_unknown: bool = False  # nothing signed is altered, something unsigned is there

    def found_in(self, report: VerifyReport) -> bool:
        """Whether the report condemns the log and names the entry."""
        if report.verdict is Verdict.UNKNOWN:
            return self.may_be_unknown
        bad = report.first_bad
        return bad is not None and bad.seq <= self.last and bad.last >= self.first


Trick = Callable[[Log, random.Random], Tampering]
TRICKS: dict[str, Trick] = {}


def trick(function: Trick) -> Trick:
    TRICKS[function.__name__] = function
    return function


def _exact(kind: str, seq: int) -> Tampering:
    return Tampering(kind, seq, seq)


@trick
def flip_a_bit(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    line = bytearray(log.lines[seq])
    line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
    log.lines[seq] = bytes(line)
    path = log.layout.segment(seq)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[seq % log.layout.segment_size] = bytes(line)
    path.write_bytes(b"".join(lines))
    return _exact("flip_a_bit", seq)


def _altered(log: Log, seq: int, chance: random.Random) -> bytes:
    return canonical({**log.event(seq), "amount": chance.randrange(10**6, 10**9)})  # type: ignore[dict-item]


@trick
def change_an_event(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    old = Entry.parse(log.lines[seq])
    log.lines[seq] = log.lines[seq].replace(canonical(old.event), _altered(log, seq, chance))
    log.write()
    return _exact("change_an_event", seq)


@trick
def change_an_event_and_its_hash(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    chain = Chain(seq, Entry.parse(log.lines[seq]).prev.encode())
    [(log.lines[seq], _)] = chain.link([_altered(log, seq, chance)])
    log.write()
    return Tampering("change_an_event_and_its_hash", seq, seq + 1)


@trick
def change_an_event_and_rehash_all_after(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    log.rehash(seq, [_altered(log, seq, chance), *log.events(seq + 1)])
    log.write()
    return _exact("change_an_event_and_rehash_all_after", seq)


@trick
def delete_a_line(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    del log.lines[seq]
    log.write()
    return _exact("delete_a_line", seq)


@trick
def delete_a_line_and_rehash(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    log.rehash(seq, log.events(seq + 1))
    log.write()
    return Tampering("delete_a_line_and_rehash", seq, ENTRIES)


@trick
def repeat_a_line(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines) - 1)
    log.lines.insert(chance.randrange(seq + 1, len(log.lines)), log.lines[seq])
    log.write()
    return Tampering("repeat_a_line", seq + 1, ENTRIES)


@trick
def insert_an_event_and_rehash(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    log.rehash(seq, [canonical({"actor": "ghost", "amount": 0}), *log.events(seq)])
    log.write()
    return _exact("insert_an_event_and_rehash", seq)


@trick
def swap_two_lines(log: Log, chance: random.Random) -> Tampering:
    left, right = sorted(chance.sample(range(len(log.lines)), 2))
    log.lines[left], log.lines[right] = log.lines[right], log.lines[left]
    log.write()
    return _exact("swap_two_lines", left)


@trick
def swap_two_events_and_rehash(log: Log, chance: random.Random) -> Tampering:
    left, right = sorted(chance.sample(range(len(log.lines)), 2))
    events = log.events(left)
    events[0], events[right - left] = events[right - left], events[0]
    log.rehash(left, events)
    log.write()
    return _exact("swap_two_events_and_rehash", left)


@trick
def cut_lines_off_the_end(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    del log.lines[seq:]
    log.write()
    return _exact("cut_lines_off_the_end", seq)


@trick
def cut_bytes_off_the_end(log: Log, chance: random.Random) -> Tampering:
    first = log.layout.present()[-1]
    data = log.layout.segment(first).read_bytes()
    kept = chance.randrange(len(data))
    log.layout.segment(first).write_bytes(data[:kept])
    return _exact("cut_bytes_off_the_end", first + data[:kept].count(b"\n"))


@trick
def remove_a_segment(log: Log, chance: random.Random) -> Tampering:
    first = chance.choice(log.layout.present())
    log.layout.segment(first).unlink()
    return _exact("remove_a_segment", first)


@trick
def exchange_two_segments(log: Log, chance: random.Random) -> Tampering:
    left, right = sorted(chance.sample(log.layout.present(), 2))
    one, other = log.layout.segment(left), log.layout.segment(right)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return _exact("exchange_two_segments", left)


@trick
def write_anew_and_sign_with_another_key(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    log.rehash(seq, [_altered(log, seq, chance), *log.events(seq + 1)])
    log.sign_again(SoftwareSigner.generate(NAME))
    log.write()
    return Tampering("write_anew_and_sign_with_another_key", 0, seq)


@trick
def write_anew_and_sign_with_the_stolen_key(log: Log, chance: random.Random) -> Tampering:
    seq = chance.randrange(len(log.lines))
    log.rehash(seq, [_altered(log, seq, chance), *log.events(seq + 1)])
    log.sign_again(log.signer)
    log.write()
    return Tampering("write_anew_and_sign_with_the_stolen_key", 0, seq)


@trick
def forge_a_checkpoint(log: Log, chance: random.Random) -> Tampering:
    index = chance.randrange(len(log.notes))
    checkpoint = read_checkpoint(log.notes[index])
    forged = Checkpoint(NAME, checkpoint.size, chance.randbytes(32))
    log.notes[index] = log.notes[index].replace(checkpoint.text, forged.text)
    log.write()
    return Tampering("forge_a_checkpoint", 0, checkpoint.size)


@trick
def alter_a_checkpoint(log: Log, chance: random.Random) -> Tampering:
    index = chance.randrange(len(log.notes))
    note = bytearray(log.notes[index])
    note[chance.randrange(len(note))] ^= 1 << chance.randrange(8)
    log.notes[index] = bytes(note)
    log.write()
    return Tampering("alter_a_checkpoint", 0, ENTRIES, may_be_unknown=True)


@trick
def swap_two_checkpoints(log: Log, chance: random.Random) -> Tampering:
    left, right = sorted(chance.sample(range(len(log.notes)), 2))
    log.notes[left], log.notes[right] = log.notes[right], log.notes[left]
    log.write()
    return Tampering("swap_two_checkpoints", 0, ENTRIES)


@trick
def swap_the_signatures_of_two_checkpoints(log: Log, chance: random.Random) -> Tampering:
    left, right = chance.sample(range(len(log.notes)), 2)
    (one, _, sign_one), (other, _, sign_other) = (log.notes[i].partition(b"\n\n") for i in (left, right))
    log.notes[left], log.notes[right] = one + b"\n\n" + sign_other, other + b"\n\n" + sign_one
    log.write()
    return Tampering("swap_the_signatures_of_two_checkpoints", 0, ENTRIES)


@trick
def bring_a_checkpoint_of_another_log(log: Log, chance: random.Random) -> Tampering:
    """Rightly signed, and of the same name and size: as after a restore from a backup that went its own way."""
    index = chance.randrange(len(log.notes))
    size = read_checkpoint(log.notes[index]).size
    other = Checkpoint(NAME, size, chance.randbytes(32))
    log.notes[index] = signed_note(other.text, log.signer.verifier_key(), log.signer.sign(other.text))
    log.write()
    return Tampering("bring_a_checkpoint_of_another_log", 0, size)


@trick
def cut_behind_an_earlier_checkpoint(log: Log, chance: random.Random) -> Tampering:
    """The log and its checkpoints agree: only a checkpoint kept elsewhere tells."""
    kept = chance.randrange(1, len(log.notes))
    del log.notes[kept:]
    size = read_checkpoint(log.notes[-1]).size
    del log.lines[size:]
    log.write()
    return _exact("cut_behind_an_earlier_checkpoint", size)


@trick
def append_an_event_without_the_key(log: Log, chance: random.Random) -> Tampering:
    log.rehash(len(log.lines), [canonical({"actor": "ghost", "amount": chance.randrange(10**6)})])
    log.write()
    return Tampering("append_an_event_without_the_key", ENTRIES, ENTRIES, may_be_unknown=True)


@dataclass
class Campaign:
    """How many tamperings of each kind were tried, and which passed unseen."""

    tried: Counter[str] = field(default_factory=Counter)
    condemned: int = 0  # fail, with the entry named
    unproven: int = 0  # unknown
    missed: list[str] = field(default_factory=list)


def run_campaign(pristine: Path, scratch: Path, signer: SoftwareSigner, count: int, seed: int) -> Campaign:
    """Tamper `count` times with a copy of `pristine`, every kind in turn, and verify each."""
    campaign = Campaign()
    kinds = list(TRICKS)
    witness = read_notes(Layout(pristine).checkpoints)[0][-1].note
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        copy = scratch / "copy"
        shutil.copytree(pristine, copy)
        done = TRICKS[kinds[number % len(kinds)]](Log.read(copy, signer), chance)
        report = verify(copy, [signer.verifier_key()], witnessed=[witness], segment_height=HEIGHT)
        shutil.rmtree(copy)
        campaign.tried[done.kind] += 1
        campaign.condemned += report.verdict is Verdict.FAIL
        campaign.unproven += report.verdict is Verdict.UNKNOWN
        if not done.found_in(report):
            campaign.missed.append(f"{seed}/{number} {done}: {report}")
    return campaign
