"""An audit log as rows of two tables, honest at first; and ways to tamper with it, without being a fool.

Each trick says by its parameters what it needs: everything here works on lines and notes, wherever they are
kept. Sizes and places are drawn at random, so that every seed is another attack.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.ledger import SoftwareSigner, canonical
from seatrial.ledger.entry import Chain, Entry
from seatrial.ledger.merkle import Frontier
from seatrial.ledger.note import Checkpoint, read_checkpoint, signed_note
from seatrial.ledger.transcript import Transcript

ORIGIN = "testbed/audit"
SIGNER = SoftwareSigner.generate(ORIGIN)


def event(number: int) -> bytes:
    """Somebody did something."""
    return canonical({"tenant": f"tenant-{number % 3}", "actor": f"user-{number % 31}", "amount": number})


def note_of(size: int, root: bytes, signer: SoftwareSigner = SIGNER) -> str:
    """A signed checkpoint."""
    text = Checkpoint(ORIGIN, size, root).text
    return signed_note(text, signer.verifier_key(), signer.sign(text)).decode()


@dataclass
class AuditLog:
    """What a target tells: lines without their ends, and notes."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, events: Sequence[bytes], sizes: Sequence[int], signer: SoftwareSigner = SIGNER) -> AuditLog:
        """An honest log with a checkpoint at each of `sizes`."""
        log, tree, chained = cls(), Frontier(), list(Chain().link(events))
        log.lines = [line.decode().rstrip("\n") for line, _ in chained]
        for size in sizes:
            tree.extend([leaf for _, leaf in chained[tree.size : size]])
            log.notes.append(note_of(size, tree.root(), signer))
        return log

    @property
    def sizes(self) -> list[int]:
        """Of the checkpoints."""
        return [read_checkpoint(note.encode()).size for note in self.notes]

    def events(self) -> list[bytes]:
        """The events alone."""
        return [canonical(Entry.parse(line.encode()).event) for line in self.lines]

    def rewrite(self, events: Sequence[bytes], signer: SoftwareSigner) -> None:
        """A whole new history, right in itself, with checkpoints of the same sizes as far as it reaches."""
        anew = AuditLog.of(events, sorted({min(size, len(events)) for size in self.sizes}), signer)
        self.lines, self.notes = anew.lines, anew.notes

    def write(self, directory: Path) -> None:
        """As it is recorded."""
        transcript = Transcript(directory)
        transcript.append(self.lines)
        transcript.finish(self.notes, [SIGNER.verifier_key()])


ENTRIES, EVERY = 120, 20


def honest() -> AuditLog:
    """120 entries, a checkpoint after every 20."""
    return AuditLog.of([event(n) for n in range(ENTRIES)], range(EVERY, ENTRIES + 1, EVERY))


Trick = Callable[[AuditLog, random.Random], None]
TRICKS: dict[str, Trick] = {}


def trick(function: Trick) -> Trick:
    """Enter it."""
    TRICKS[function.__name__] = function
    return function


@trick
def alter_an_event(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(ENTRIES)
    log.lines[at] = log.lines[at].replace('"amount":', '"amount":9')


@trick
def alter_an_event_and_its_hash(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(ENTRIES)
    chain = Chain(at, Entry.parse(log.lines[at].encode()).prev.encode())
    [(line, _)] = chain.link([event(10**6)])
    log.lines[at] = line.decode().rstrip("\n")


@trick
def alter_an_event_and_rehash_all_after(log: AuditLog, chance: random.Random) -> None:
    events = log.events()
    events[chance.randrange(ENTRIES)] = event(10**6)
    log.lines = AuditLog.of(events, []).lines


@trick
def delete_an_entry(log: AuditLog, chance: random.Random) -> None:
    del log.lines[chance.randrange(ENTRIES)]


@trick
def delete_a_tenant_and_rehash(log: AuditLog, chance: random.Random) -> None:
    gone = f'"tenant-{chance.randrange(3)}"'.encode()
    log.lines = AuditLog.of([each for each in log.events() if gone not in each], []).lines


@trick
def insert_an_entry(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(ENTRIES)
    head = Entry.parse(log.lines[at - 1].encode()).hash.encode() if at else b"0" * 64
    [(line, _)] = Chain(at, head).link([event(10**6)])
    log.lines.insert(at, line.decode().rstrip("\n"))


@trick
def swap_two_entries(log: AuditLog, chance: random.Random) -> None:
    one, other = chance.sample(range(ENTRIES), 2)
    log.lines[one], log.lines[other] = log.lines[other], log.lines[one]


@trick
def swap_two_events_and_rehash(log: AuditLog, chance: random.Random) -> None:
    events = log.events()
    one, other = chance.sample(range(ENTRIES), 2)
    events[one], events[other] = events[other], events[one]
    log.lines = AuditLog.of(events, []).lines


@trick
def double_an_entry(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(ENTRIES)
    log.lines.insert(at, log.lines[at])


@trick
def cut_the_tail_behind_a_checkpoint(log: AuditLog, chance: random.Random) -> None:
    del log.lines[chance.randrange(ENTRIES) :]


@trick
def append_an_entry_without_the_key(log: AuditLog, chance: random.Random) -> None:
    log.lines = AuditLog.of([*log.events(), event(chance.randrange(10**6))], []).lines


@trick
def forge_a_checkpoint(log: AuditLog, chance: random.Random) -> None:
    """Another root under the old signature."""
    at = chance.randrange(len(log.notes))
    forged = Checkpoint(ORIGIN, log.sizes[at], chance.randbytes(32)).text.decode()
    log.notes[at] = forged + "\n" + log.notes[at].partition("\n\n")[2]


@trick
def sign_a_checkpoint_with_another_key(log: AuditLog, chance: random.Random) -> None:
    """Of the right size and root."""
    at = chance.randrange(len(log.notes))
    root = read_checkpoint(log.notes[at].encode()).root
    log.notes[at] = note_of(log.sizes[at], root, SoftwareSigner.generate(ORIGIN))


@trick
def sign_the_same_log_anew_with_another_key(log: AuditLog, _: random.Random) -> None:
    """Every hash is right; only the key is not the declared one."""
    log.rewrite(log.events(), SoftwareSigner.generate(ORIGIN))


@trick
def write_history_anew_and_sign_with_another_key(log: AuditLog, chance: random.Random) -> None:
    events = log.events()
    events[chance.randrange(ENTRIES)] = event(10**6)
    log.rewrite(events, SoftwareSigner.generate(ORIGIN))


@trick
def sign_a_root_that_never_was(log: AuditLog, chance: random.Random) -> None:
    """With the right key."""
    at = chance.randrange(len(log.notes))
    log.notes[at] = note_of(log.sizes[at], chance.randbytes(32))


@trick
def tell_two_roots_of_one_size(log: AuditLog, chance: random.Random) -> None:
    """Both signed with the right key."""
    at = chance.randrange(len(log.notes))
    log.notes.insert(at, note_of(log.sizes[at], chance.randbytes(32)))


@trick
def sign_entries_that_are_not_there(log: AuditLog, chance: random.Random) -> None:
    log.notes.append(note_of(ENTRIES + chance.randrange(1, 50), chance.randbytes(32)))


@trick
def spoil_a_note(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(len(log.notes))
    lines = log.notes[at].splitlines()
    lines.pop(chance.randrange(len(lines)))
    log.notes[at] = "\n".join(lines)


@trick
def break_a_line_in_two(log: AuditLog, chance: random.Random) -> None:
    at = chance.randrange(ENTRIES)
    cut = chance.randrange(1, len(log.lines[at]))
    log.lines[at] = f"{log.lines[at][:cut]}\n{log.lines[at][cut:]}"


@trick
def drop_every_checkpoint(log: AuditLog, _: random.Random) -> None:
    log.notes.clear()
