"""Checkpoints come in time, cover what is durable, and wait for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from seatrial.ledger import SoftwareSigner
from seatrial.ledger.checkpoints import (
    Checkpointer,
    CheckpointFile,
    CheckpointPolicy,
    count_notes,
    last_note,
    read_notes,
)
from seatrial.ledger.note import Checkpoint, open_checkpoint, signed_note

NEVER_S = 3600.0


class Gate(SoftwareSigner):
    """Signs only while the gate is open."""

    def __init__(self) -> None:
        super().__init__("seatrial.test/gate", SoftwareSigner.generate("x")._key)
        self.open = threading.Event()
        self.asked = threading.Semaphore(0)

    def sign(self, text: bytes) -> bytes:
        self.asked.release()
        assert self.open.wait(10)
        return super().sign(text)


@pytest.fixture
def gate() -> Gate:
    return Gate()


Start = Callable[[CheckpointPolicy], Checkpointer]


@pytest.fixture
def start(tmp_path: Path, gate: Gate) -> Iterator[Start]:
    started: list[Checkpointer] = []

    def start(policy: CheckpointPolicy) -> Checkpointer:
        started.append(Checkpointer(CheckpointFile(tmp_path / "checkpoints.txt", 0), gate, 0, policy))
        return started[-1]

    yield start
    gate.open.set()
    for checkpointer in started:
        checkpointer.close(5)


def sizes(tmp_path: Path, gate: Gate) -> list[int]:
    notes, torn = read_notes(tmp_path / "checkpoints.txt")
    assert torn == 0
    return [open_checkpoint(stored.note, [gate.verifier_key()]).size for stored in notes]


def test_the_last_note_is_found_from_the_end(tmp_path: Path, signer: SoftwareSigner) -> None:
    path = tmp_path / "checkpoints.txt"
    file = CheckpointFile(path, 0)
    for size in range(1, 500):
        text = Checkpoint(signer.name, size, bytes(32)).text
        file.append(signed_note(text, signer.verifier_key(), signer.sign(text)))
    file.close()
    data = path.read_bytes()
    assert count_notes(path) == 499
    for length in [*range(600), *range(len(data) - 600, len(data) + 1)]:
        path.write_bytes(data[:length])
        notes, torn = read_notes(path)
        last = (notes[-1].note, notes[-1].end) if notes else (b"", 0)
        assert last_note(path) == last
        assert length - torn == last[1]


def test_so_many_entries_make_a_checkpoint(start: Start, tmp_path: Path, gate: Gate) -> None:
    gate.open.set()
    checkpointer = start(CheckpointPolicy(every_events=10, every_s=NEVER_S))
    checkpointer.offer(9, bytes(32))
    checkpointer.offer(10, bytes(32))
    wait_until(lambda: checkpointer.signed == 10)
    checkpointer.offer(19, bytes(32))
    assert not gate.asked.acquire(timeout=0.05) or sizes(tmp_path, gate) == [10]


def test_so_much_time_makes_a_checkpoint(start: Start, gate: Gate) -> None:
    gate.open.set()
    checkpointer = start(CheckpointPolicy(every_events=10**9, every_s=0.01))
    checkpointer.offer(1, bytes(32))
    wait_until(lambda: checkpointer.signed == 1)


def test_while_one_is_signed_only_the_newest_waits(start: Start, tmp_path: Path, gate: Gate) -> None:
    checkpointer = start(CheckpointPolicy(every_events=1, every_s=NEVER_S))
    checkpointer.offer(1, bytes(32))
    assert gate.asked.acquire(timeout=5)
    for size in range(2, 1000):
        checkpointer.offer(size, bytes(32))  # does not wait for the signer
    gate.open.set()
    assert checkpointer.flush(5)
    assert sizes(tmp_path, gate) == [1, 999]


def test_closing_signs_what_is_left(tmp_path: Path, gate: Gate) -> None:
    gate.open.set()
    policy = CheckpointPolicy(every_events=10**9, every_s=NEVER_S)
    checkpointer = Checkpointer(CheckpointFile(tmp_path / "checkpoints.txt", 0), gate, 0, policy)
    checkpointer.offer(7, bytes(32))
    assert checkpointer.close(5)
    assert sizes(tmp_path, gate) == [7]


def test_a_failing_disk_is_tried_again(
    start: Start, tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.open.set()
    checkpointer = start(CheckpointPolicy(every_events=1, every_s=NEVER_S, retry_s=0.01))

    def full(descriptor: int) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("os.fdatasync", full)
        checkpointer.offer(1, bytes(32))
        wait_until(lambda: "the disk is full" in checkpointer.failure)
    checkpointer.offer(2, bytes(32))
    wait_until(lambda: checkpointer.signed == 2)
    assert checkpointer.failure == ""
    assert sizes(tmp_path, gate) == [2]
