"""The journal: durable before the effect, true after any crash, one claim at a time."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from seatrial.model import secrets
from seatrial.model.role import Role
from seatrial.model.undo import UndoOutcome
from seatrial.processes import ProcessId, myself
from seatrial.undo import Undo
from seatrial.undo.journal import EntryState, Journal, SessionEnding, SessionRecord, What
from seatrial.undo.journalfile import JournalBusyError, JournalError

ROLE = Role("r", "process", {}, ("127.0.0.1",), "/")
UNDO = Undo("process.pause", {}, ROLE, {"processes": []}, "nobody", "true")
OTHER = ProcessId(1, 1, "x")


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    journal = Journal(home / "faults.sqlite")
    journal.open_session(SessionRecord("s", "shop", "crash", "run", myself()))
    yield journal
    journal.close()


def test_a_life_and_its_instants(journal: Journal) -> None:
    number = journal.prepare("s", "crash", UNDO, 0)
    before, after = journal.clock.now(), journal.clock.now()
    assert journal.activate(number, before, after, after.boottime_ns + 10**12)
    journal.observed(number, after)
    assert not journal.entry(number).expired(after)
    claimed = journal.claim(number, myself(), lambda _: False)
    assert claimed is not None
    assert claimed.undo == UNDO
    journal.undone(number)
    journal.verified(number)
    entry = journal.entry(number)
    assert (entry.state, entry.verified, entry.activated) == (EntryState.UNDONE, True, True)
    instants = journal.instants(number)
    assert list(instants) == [
        What.PREPARED, What.BEFORE, What.AFTER, What.OBSERVED, What.CLAIMED, What.UNDONE, What.VERIFIED
    ]  # fmt: skip
    assert instants[What.AFTER] == after
    for earlier, later in zip(instants.values(), list(instants.values())[1:], strict=False):
        assert earlier.monotonic_ns <= later.monotonic_ns
    assert journal.open_entries("s") == []
    assert journal.claim(number, myself(), lambda _: True) is None


def test_a_claim_keeps_others_out_until_it_is_void(journal: Journal) -> None:
    number = journal.prepare("s", "crash", UNDO, 0)
    assert journal.claim(number, OTHER, lambda _: False)
    assert journal.claim(number, myself(), lambda _: False) is None
    assert journal.claim(number, OTHER, lambda _: False)  # its own again
    assert journal.claim(number, myself(), lambda holder: holder == OTHER)
    assert journal.entry(number).claimant == myself()


def test_what_is_being_undone_is_not_active_any_more(journal: Journal) -> None:
    number = journal.prepare("s", "crash", UNDO, 0)
    now = journal.clock.now()
    assert journal.amend(number, replace(UNDO, touches="more"))
    assert journal.entry(number).undo.touches == "more"
    journal.claim(number, myself(), lambda _: False)
    assert not journal.activate(number, now, now, 0)
    assert not journal.amend(number, UNDO)
    journal.failed(number, "no luck")
    entry = journal.entry(number)
    assert (entry.state, entry.error) == (EntryState.UNDO_FAILED, "no luck")
    assert journal.claim(number, myself(), lambda _: False)
    journal.undone(number)
    assert journal.entry(number).error == ""


def test_a_reboot_ends_every_time_to_live(journal: Journal) -> None:
    number = journal.prepare("s", "crash", UNDO, 2**62)
    entry = journal.entry(number)
    assert not entry.expired(journal.clock.now())
    assert replace(entry, conductor=replace(myself(), boot="before")).expired(journal.clock.now())


def test_sessions_and_their_ends(journal: Journal) -> None:
    journal.guarded_by("s", OTHER)
    journal.end_session("s", SessionEnding.INTERRUPTED)
    journal.end_session("s", SessionEnding.CLOSED)  # the first to say so is believed
    (session,) = journal.sessions()
    assert (session.guardian, session.ending) == (OTHER, SessionEnding.INTERRUPTED)


def test_only_its_owner_reads_it(journal: Journal) -> None:
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_what_cannot_be_written_raises(journal: Journal) -> None:
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    big = replace(UNDO, touches="x" * 100_000)
    with pytest.raises(JournalError, match="full"):
        journal.prepare("s", "crash", big, 0)
    assert journal.entries("s") == []


def test_a_journal_of_the_first_version_goes_on(home: Path, journal: Journal) -> None:
    """It has no word yet for how an undo failed; what was left in it is found, and can be told from now on."""
    number = journal.prepare("s", "crash", UNDO, 0)
    assert journal.claim(number, myself(), lambda _: False)
    journal.failed(number, "no luck")
    journal._db.execute("ALTER TABLE fault DROP COLUMN failure")
    journal._db.execute("PRAGMA user_version = 1")
    again = Journal(journal.path)
    (entry,) = again.open_entries("s")
    assert (entry.error, entry.failure, entry.undo_outcome) == ("no luck", None, UndoOutcome.FAILED)
    assert again.claim(number, myself(), lambda _: False)
    again.failed(number, "too slow", UndoOutcome.TIMED_OUT)
    assert again.entry(number).undo_outcome is UndoOutcome.TIMED_OUT
    again.close()


def test_a_journal_of_another_version_is_refused(home: Path, journal: Journal) -> None:
    other = sqlite3.connect(home / "other.sqlite")
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(JournalError, match="another version"):
        Journal(home / "other.sqlite")
    (home / "rubbish.sqlite").write_bytes(b"this is no database, and was never one" * 100)
    with pytest.raises(JournalError, match="not a database"):
        Journal(home / "rubbish.sqlite")


def test_a_frozen_writer_delays_a_reader_never_and_a_writer_briefly(home: Path, journal: Journal) -> None:
    journal.prepare("s", "crash", UNDO, 0)
    impatient = Journal(journal.path, patience_s=0.05)
    journal._db.execute("BEGIN IMMEDIATE")
    try:
        assert len(impatient.entries("s")) == 1
        with pytest.raises(JournalBusyError):
            impatient.claim(1, OTHER, lambda _: True)
    finally:
        journal._db.execute("ROLLBACK")
    assert impatient.claim(1, OTHER, lambda _: True)
    impatient.close()


def test_many_may_open_a_new_journal_at_once(home: Path) -> None:
    program = "import sys, pathlib, seatrial.undo.journal as j; j.Journal(pathlib.Path(sys.argv[1])).close()"
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(home / "new.sqlite")], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for child in children:
        _, complaint = child.communicate(timeout=60)
        assert child.returncode == 0, complaint.decode()


def test_a_copy_at_any_instant_is_a_consistent_past(home: Path, journal: Journal, tmp_path: Path) -> None:
    """A power cut: what the disk holds at an instant. Whatever had its effect by then is in the copy."""
    effects: list[int] = []
    ended = threading.Event()

    def live() -> None:
        for _ in range(120):
            number = journal.prepare("s", "crash", UNDO, 0)
            effects.append(number)
            now = journal.clock.now()
            journal.activate(number, now, now, 0)
            journal.claim(number, myself(), lambda _: False)
            journal.undone(number)
        ended.set()

    writer = threading.Thread(target=live)
    writer.start()
    copies = 0
    while not ended.is_set() or copies == 0:
        had_effect = list(effects)
        place = tmp_path / f"copy-{copies}"
        place.mkdir()
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{journal.path}{suffix}", place / f"faults.sqlite{suffix}")
        with sqlite3.connect(place / "faults.sqlite") as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        plain.close()
        copy = Journal(place / "faults.sqlite")
        assert {entry.id for entry in copy.entries("s")} >= set(had_effect)
        copy.close()
        copies += 1
    writer.join()
    assert copies >= 3


LEGAL = {
    None: {EntryState.PREPARED},
    EntryState.PREPARED: {EntryState.ACTIVE, EntryState.UNDOING},
    EntryState.ACTIVE: {EntryState.UNDOING},
    EntryState.UNDOING: {EntryState.UNDONE, EntryState.UNDO_FAILED},
    EntryState.UNDO_FAILED: {EntryState.UNDOING, EntryState.UNDONE},
    EntryState.UNDONE: {EntryState.UNDO_FAILED},
}


class Lives(RuleBasedStateMachine):
    """Several processes do whatever they please to several faults; the journal allows only lawful lives."""

    faults = Bundle("faults")
    who = st.sampled_from([ProcessId(number, 1, "boot") for number in (1, 2, 3)])

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(Path(os.environ["SEATRIAL_TEST_JOURNAL"]))
        self.journal._db.execute("PRAGMA synchronous = OFF")
        self.session = os.urandom(8).hex()
        self.journal.open_session(SessionRecord(self.session, "shop", "crash", "run", OTHER))
        self.states: dict[int, EntryState] = {}
        self.alive = {ProcessId(number, 1, "boot") for number in (1, 2, 3)}

    @rule(target=faults)
    def prepare(self) -> int:
        return self.journal.prepare(self.session, "crash", UNDO, 0)

    @rule(fault=faults)
    def activate(self, fault: int) -> None:
        now = self.journal.clock.now()
        was = self.journal.entry(fault).state
        assert self.journal.activate(fault, now, now, 0) == (was is EntryState.PREPARED)

    @rule(fault=faults, who=who)
    def claim(self, fault: int, who: ProcessId) -> None:
        was = self.journal.entry(fault)
        got = self.journal.claim(fault, who, lambda holder: holder not in self.alive)
        held_by_living = (
            was.state is EntryState.UNDOING and was.claimant != who and was.claimant in self.alive
        )
        assert (got is None) == (was.state is EntryState.UNDONE or held_by_living)

    @rule(fault=faults)
    def undone(self, fault: int) -> None:
        self.journal.undone(fault)

    @rule(fault=faults)
    def failed(self, fault: int) -> None:
        self.journal.failed(fault, "why")

    @rule(fault=faults, well=st.booleans())
    def verify(self, fault: int, well: bool) -> None:
        if well:
            self.journal.verified(fault)
        else:
            self.journal.not_verified(fault, "unwell")

    @rule(who=who)
    def die(self, who: ProcessId) -> None:
        self.alive.discard(who)

    @invariant()
    def every_step_is_lawful(self) -> None:
        for entry in self.journal.entries(self.session):
            was = self.states.get(entry.id)
            assert entry.state == was or entry.state in LEGAL[was], (was, entry.state)
            assert (entry.claimant is None) == (entry.state in (EntryState.PREPARED, EntryState.ACTIVE))
            assert entry.error or entry.state is not EntryState.UNDO_FAILED
            assert not entry.error or entry.state in (EntryState.UNDO_FAILED, EntryState.UNDOING)
            self.states[entry.id] = entry.state
        open_now = {entry.id for entry in self.journal.open_entries(self.session)}
        assert open_now == {fault for fault, state in self.states.items() if state is not EntryState.UNDONE}

    def teardown(self) -> None:
        self.journal.close()


def test_every_life_is_lawful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    monkeypatch.setenv("SEATRIAL_TEST_JOURNAL", str(tmp_path / "lives.sqlite"))
    run_state_machine_as_test(
        Lives, settings=settings(max_examples=30, stateful_step_count=25, deadline=None)
    )


def test_why_an_undo_failed_is_kept_without_secrets(journal: Journal) -> None:
    secrets.remember("s3cret-T0ken", "${TOKEN}")
    number = journal.prepare("s", "crash", UNDO, 0)
    journal.claim(number, myself(), lambda _: False)
    journal.failed(number, "Unavailable: sh failed with 3: refused s3cret-T0ken")
    assert journal.entry(number).error == "Unavailable: sh failed with 3: refused ${TOKEN}"
    files = [journal.path, journal.path.with_name("faults.sqlite-wal")]
    assert not any(b"s3cret" in path.read_bytes() for path in files)


def test_room_is_reserved_before_anything_is_injected(journal: Journal, home: Path) -> None:
    """Beyond the end of the log: it does not get longer, yet the disk has given the blocks."""
    log = home / "faults.sqlite-wal"
    journal.prepare("s", "crash", UNDO, 0)
    assert log.stat().st_blocks * 512 - log.stat().st_size > 900_000


def test_a_fault_whose_undo_may_lack_room_is_not_prepared(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seatrial.disk.reserve", full)
    with pytest.raises(JournalError, match=r"faults\.sqlite cannot be used: .*No space left.* free\)"):
        journal.prepare("s", "crash", UNDO, 0)
    assert journal.entries("s") == []


def test_memory_that_runs_out_is_told_as_the_journals_trouble(journal: Journal) -> None:
    with pytest.raises(JournalError, match="cannot be used: MemoryError"), journal._translated():
        raise MemoryError


def test_another_look_at_the_journal_drops_no_lock(journal: Journal, home: Path) -> None:
    """A process that closes any descriptor of a file loses the locks that it holds on it. Another process
    would then take itself for the last user and fold the log away under us."""
    Journal(home / "faults.sqlite").close()
    look = "import sys, pathlib; from seatrial.undo.journal import Journal; Journal(pathlib.Path(sys.argv[1])).close()"
    subprocess.run([sys.executable, "-c", look, str(home / "faults.sqlite")], check=True)
    assert (home / "faults.sqlite-wal").exists()
    journal.prepare("s", "crash", UNDO, 0)


_ON_A_DISK_OF_ITS_OWN = """
import os, subprocess, sys
from pathlib import Path
home = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(home)], check=True)
from tests.undo.test_journal import UNDO
from seatrial.undo.journal import Journal, SessionRecord
from seatrial.processes import myself
journal = Journal(home / "faults.sqlite")
journal.open_session(SessionRecord("s", "shop", "crash", "run", myself()))
faults = [journal.prepare("s", f"fault {number}", UNDO, 0) for number in range(5)]
balloon = os.open(home / "balloon", os.O_CREAT | os.O_WRONLY)
try:
    while True:
        os.write(balloon, bytes(4096))
except OSError:
    pass
free = os.statvfs(home)
assert free.f_bavail == 0, free
for fault in faults:
    now = journal.clock.now()
    journal.activate(fault, now, now, 0), journal.observed(fault, now)
    journal.claim(fault, myself(), lambda _: False), journal.undone(fault), journal.verified(fault)
print(len(journal.open_entries("s")))
"""


@pytest.mark.root
def test_on_a_full_disk_every_undo_is_recorded(tmp_path: Path) -> None:
    alone = ["unshare", "--mount", "--propagation", "private"]
    probe = subprocess.run([*alone, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True)
    if probe.returncode != 0:
        pytest.skip("may not mount a disk of its own: needs root on Linux")
    command = [*alone, sys.executable, "-c", _ON_A_DISK_OF_ITS_OWN, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
