"""One writer, many threads, one order; nothing is acknowledged that is not on the disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seatrial.ledger import (
    CheckpointPolicy,
    InvalidEvent,
    Ledger,
    SignerUnavailable,
    SoftwareSigner,
    inspect,
    read_entries,
    verify,
)
from seatrial.ledger.canonical import LARGEST_EVENT
from seatrial.ledger.segment import SegmentWriter
from seatrial.model.problems import Unavailable
from seatrial.model.verdict import Verdict


def test_sequence_numbers_count_from_zero(tmp_path: Path, signer: SoftwareSigner) -> None:
    with Ledger(tmp_path, signer) as ledger:
        assert ledger.append({"n": 0}) == 0
        assert ledger.append_all([{"n": 1}, {"n": 2}]) == 2
        assert ledger.append_all([]) == 2
    assert [entry.seq for entry in read_entries(tmp_path)] == [0, 1, 2]


def test_an_empty_ledger_is_well_formed_and_unproven(tmp_path: Path, signer: SoftwareSigner) -> None:
    Ledger(tmp_path, signer).close()
    Ledger(tmp_path, signer).close()
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.UNKNOWN
    assert inspect(tmp_path).entries == 0


def test_segments_are_rotated_within_one_append(tmp_path: Path, signer: SoftwareSigner) -> None:
    with Ledger(tmp_path, signer, segment_height=3) as ledger:
        assert ledger.append_all([{"n": n} for n in range(3)]) == 2
        assert ledger.append_all([{"n": n} for n in range(3, 40)]) == 39
    names = sorted(path.name for path in (tmp_path / "segments").iterdir())
    assert names == [f"{first:020d}.jsonl" for first in range(0, 40, 8)]
    report = verify(tmp_path, [signer.verifier_key()], segment_height=3)
    assert (report.verdict, report.entries) == (Verdict.PASS, 40)


def test_events_of_the_largest_size_are_taken(tmp_path: Path, signer: SoftwareSigner) -> None:
    with Ledger(tmp_path, signer) as ledger:
        ledger.append_all([{"a": "x" * (LARGEST_EVENT - 8)} for _ in range(3)])
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.PASS


def test_one_bad_event_keeps_all_of_its_batch_out(tmp_path: Path, signer: SoftwareSigner) -> None:
    with Ledger(tmp_path, signer) as ledger:
        with pytest.raises(InvalidEvent, match=r"n: float 0\.5 is not taken"):
            ledger.append_all([{"n": 1}, {"n": 0.5}])  # type: ignore[dict-item]
        assert ledger.append({"n": 2}) == 0


def test_many_threads_share_commits(
    tmp_path: Path, signer: SoftwareSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    append = SegmentWriter.append

    def counted(self: SegmentWriter, data: bytes) -> None:
        commits.append(data.count(b"\n"))
        append(self, data)

    monkeypatch.setattr(SegmentWriter, "append", counted)
    with Ledger(tmp_path, signer) as ledger, ThreadPoolExecutor(16) as pool:

        def life(thread: int) -> list[int]:
            return [ledger.append({"thread": thread, "turn": turn}) for turn in range(50)]

        acknowledged = list(pool.map(life, range(16)))
    assert sum(commits) == 800
    assert len(commits) < 800
    entries = {entry.seq: entry.event for entry in read_entries(tmp_path)}
    for thread, seqs in enumerate(acknowledged):
        assert seqs == sorted(seqs)
        assert [entries[seq] for seq in seqs] == [{"thread": thread, "turn": turn} for turn in range(50)]
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.PASS


def test_readers_may_come_at_any_time(tmp_path: Path, signer: SoftwareSigner) -> None:
    policy = CheckpointPolicy(every_events=50, every_s=0.01)
    done = threading.Event()
    with Ledger(tmp_path, signer, policy=policy, segment_height=7) as ledger:

        def write() -> None:
            for n in range(400):
                ledger.append_all([{"n": n}, {"n": n}])
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        looks = 0
        while not done.is_set() or looks < 3:
            report = verify(tmp_path, [signer.verifier_key()], segment_height=7)
            assert not report.findings, str(report)
            looks += 1
        writer.join()
    assert verify(tmp_path, [signer.verifier_key()], segment_height=7).verdict is Verdict.PASS


def test_there_is_one_writer(tmp_path: Path, signer: SoftwareSigner) -> None:
    told = rf"another writer has this ledger \(pid {os.getpid()}\)"
    with Ledger(tmp_path, signer), pytest.raises(Unavailable, match=told):
        Ledger(tmp_path, signer)
    Ledger(tmp_path, signer).close()


def test_the_lock_of_a_dead_writer_is_free(tmp_path: Path, signer: SoftwareSigner) -> None:
    program = (
        "import os, pathlib, signal; from seatrial.ledger import *;"
        f"Ledger(pathlib.Path({str(tmp_path)!r}), SoftwareSigner.generate('x')); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    Ledger(tmp_path, signer).close()


def test_a_failing_disk_is_told_and_reopening_finds_what_is_there(
    tmp_path: Path, signer: SoftwareSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(tmp_path, signer) as ledger:
        ledger.append_all([{"n": 0}, {"n": 1}])
        with monkeypatch.context() as patch:

            def half(self: SegmentWriter, data: bytes) -> None:
                os.write(self._descriptor, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(SegmentWriter, "append", half)
            with pytest.raises(
                Unavailable, match=r"entry 2 and later .* \(No space left on device\); mend the disk"
            ):
                ledger.append({"n": 2})
        with pytest.raises(Unavailable, match="mend the disk"):
            ledger.append({"n": 2})
        assert ledger.status().durable == 2
    with Ledger(tmp_path, signer) as ledger:
        assert ledger.recovery.entries == 2
        assert ledger.recovery.cut_bytes > 0
        assert ledger.append({"n": 2}) == 2
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.PASS


def test_a_closed_ledger_takes_nothing(tmp_path: Path, signer: SoftwareSigner) -> None:
    ledger = Ledger(tmp_path, signer)
    ledger.append({"n": 0})
    assert ledger.close()
    assert ledger.close()
    with pytest.raises(ValueError, match="the ledger is closed"):
        ledger.append({"n": 1})


class Absent(SoftwareSigner):
    """A signer that is away until it is told to come."""

    here = False

    def sign(self, text: bytes) -> bytes:
        if not self.here:
            raise SignerUnavailable("away")
        return super().sign(text)


def test_appends_outlast_the_signer_up_to_a_bound(tmp_path: Path) -> None:
    signer = Absent("seatrial.test/absent", SoftwareSigner.generate("x")._key)
    policy = CheckpointPolicy(every_events=10, every_s=0.01, retry_s=0.01, largest_backlog=100)
    with Ledger(tmp_path, signer, policy=policy) as ledger:
        ledger.append_all([{"n": n} for n in range(100)])
        assert not ledger.checkpoint(timeout_s=0.1)
        assert ledger.status().backlog == 100
        assert ledger.status().failure == "not signed at 100 entries: away"
        with pytest.raises(
            Unavailable, match="refused: 101 entries would be unsigned, 100 are borne; not signed at"
        ):
            ledger.append({"n": 100})
        signer.here = True
        assert ledger.checkpoint()
        assert ledger.append({"n": 100}) == 100
    report = verify(tmp_path, [signer.verifier_key()])
    assert (report.verdict, report.signed) == (Verdict.PASS, 101)


def test_what_the_signer_never_signed_is_unknown_until_it_is(tmp_path: Path) -> None:
    signer = Absent("seatrial.test/absent", SoftwareSigner.generate("x")._key)
    ledger = Ledger(tmp_path, signer)
    ledger.append({"n": 0})
    assert not ledger.close(timeout_s=0.05)
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.UNKNOWN
    signer.here = True
    assert Ledger(tmp_path, signer).close()
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.PASS
