"""Checkpoints reach the places outside the log, and a place that is away holds nothing up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seatrial.ledger import Ledger, SoftwareSigner, verify
from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.copies import CallbackCopy, CheckpointCopy, Copier, CopyFailed, FileCopy, HttpCopy
from seatrial.ledger.note import open_checkpoint


class Witness(ThreadingHTTPServer):
    """Keeps what is posted to it; `status` is what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kept: list[bytes] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/checkpoints"


class _Handler(BaseHTTPRequestHandler):
    server: Witness

    def do_POST(self) -> None:
        self.server.kept.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        """Quiet."""


@pytest.fixture
def witness() -> Iterator[Witness]:
    with Witness() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_every_copy_has_the_last_checkpoint(tmp_path: Path, signer: SoftwareSigner, witness: Witness) -> None:
    called: list[bytes] = []
    file = tmp_path / "elsewhere.txt"
    copies: list[CheckpointCopy] = [
        FileCopy(file),
        HttpCopy(witness.url),
        CallbackCopy("run database", called.append),
    ]
    with Ledger(tmp_path / "ledger", signer, copies=copies) as ledger:
        for n in range(3):
            ledger.append({"n": n})
            assert ledger.checkpoint()
    last = read_notes(tmp_path / "ledger" / "checkpoints.txt")[0][-1].note
    assert read_notes(file)[0][-1].note == witness.kept[-1] == called[-1] == last
    assert open_checkpoint(last, [signer.verifier_key()]).size == 3
    assert not verify(tmp_path / "ledger", [signer.verifier_key()], witnessed=[last]).findings


def test_a_failing_copy_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[bytes] = []
    enough = threading.Event()

    def keep(note: bytes) -> None:
        calls.append(note)
        if len(calls) == 3:
            enough.set()
            return
        raise KeyError("not yet")

    copier = Copier([CallbackCopy("database", keep)], retry_s=0.01)
    copier.offer(b"one")
    copier.offer(b"two")
    assert enough.wait(10)
    copier.close(5)
    assert calls[-1] == b"two"
    assert [record.getMessage() for record in caplog.records] == [
        "checkpoint copy database: KeyError: 'not yet'"
    ]


def test_a_copy_that_hangs_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def keep(note: bytes) -> None:
        release.wait(10)

    copier = Copier([CallbackCopy("slow", keep)])
    copier.offer(b"note")
    copier.close(0.05)
    assert "still busy" in caplog.text
    release.set()


def test_what_a_witness_refuses_is_not_kept(witness: Witness) -> None:
    witness.status = 503
    with pytest.raises(CopyFailed, match="answered 503"):
        HttpCopy(witness.url).keep(b"note")


def test_a_witness_that_is_away(witness: Witness) -> None:
    with pytest.raises(CopyFailed, match="refused"):
        HttpCopy("http://127.0.0.1:1/").keep(b"note")


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CopyFailed, match="No such file or directory"):
        FileCopy(tmp_path / "missing" / "checkpoints.txt").keep(b"note")
