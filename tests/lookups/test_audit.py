"""An audit log in a real PostgreSQL is written down whole, and waited for; every tampering there is caught."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.audit_log import ENTRIES, EVERY, ORIGIN, SIGNER, TRICKS, AuditLog, event, honest
from tests.support.postgres_server import postgres

from seatrial.checks.audit_chain import AuditChain
from seatrial.checks.protocol import History, Need, Recorded
from seatrial.ledger import read_entries, read_verifier_keys, verify
from seatrial.ledger.transcript import KEYS, Transcript
from seatrial.lookups import audit
from seatrial.lookups.audit_log import AuditLog as AuditLogRecorder
from seatrial.lookups.recorder import RunFacts
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict

SCHEMA = """
    CREATE SCHEMA audit;
    CREATE TABLE audit.entries (seq bigint PRIMARY KEY, batch text NOT NULL, line text NOT NULL);
    CREATE TABLE audit.checkpoints (size bigint NOT NULL, note text NOT NULL,
        signed_at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
ENTRIES_QUERY = "SELECT seq, line FROM audit.entries WHERE seq >= :from ORDER BY seq"
CHECKPOINTS_QUERY = "SELECT note, extract(epoch FROM signed_at) FROM audit.checkpoints ORDER BY size"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield url


@pytest.fixture
def database(server: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection
        connection.execute("TRUNCATE audit.entries, audit.checkpoints")


def store(database: psycopg.Connection, log: AuditLog) -> None:
    with (
        database.cursor() as cursor,
        cursor.copy("COPY audit.entries (seq, batch, line) FROM STDIN") as copy,
    ):
        for seq, line in enumerate(log.lines):
            copy.write_row((seq, f"batch-{seq // 10}", line))
    for note, size in zip(log.notes, log.sizes, strict=True):
        checkpoint(database, note, size)


def checkpoint(database: psycopg.Connection, note: str, size: int) -> None:
    database.execute("INSERT INTO audit.checkpoints (size, note) VALUES (%s, %s)", (size, note))


def role(server: str, **changes: object) -> Role:
    parameters = {
        "url": server,
        "entries": ENTRIES_QUERY,
        "checkpoints": CHECKPOINTS_QUERY,
        "key": str(SIGNER.verifier_key()),
        "within": "0s",
    }
    return Role("audit", "audit-log", {**parameters, **changes}, ("127.0.0.0/8",), ".")


def judged(data: bytes, directory: Path) -> CheckResult:
    told = {Need[bytes]("audit-log", "audit"): Recorded(data, directory=directory)}
    return AuditChain().judge(History(RequestLog.concat([]), (), 2.0, 30.0, told, 0.0))


def record(role: Role, directory: Path) -> bytes:
    return AuditLogRecorder().record(role, RunFacts((), directory))


def test_an_honest_log_is_written_down_and_passes(
    server: str, database: psycopg.Connection, tmp_path: Path
) -> None:
    store(database, honest())
    directory = tmp_path / "recorded-audit"
    data = record(role(server), directory)
    result = judged(data, directory)
    assert result.verdict is Verdict.PASS, result.detail
    told = json.loads(data)
    assert (told["entries"], len(told["checkpoints"])) == (ENTRIES, ENTRIES // EVERY)
    assert told["checkpoints"][0]["signed_at"] == pytest.approx(told["asked_at"], abs=60)
    assert [entry.seq for entry in read_entries(directory)] == list(range(ENTRIES))
    assert verify(directory, read_verifier_keys(directory / KEYS)).verdict is Verdict.PASS


def test_more_than_a_segment_is_streamed(
    server: str, database: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the log, no more than a few thousand rows are held at a time."""
    held: list[int] = []
    append = Transcript.append

    def noted(transcript: Transcript, lines: Sequence[str]) -> None:
        held.append(len(lines))
        append(transcript, lines)

    monkeypatch.setattr(Transcript, "append", noted)
    store(database, AuditLog.of([event(n) for n in range(66_000)], [1, 65_536, 66_000]))
    data = record(role(server), tmp_path / "ledger")
    assert judged(data, tmp_path / "ledger").verdict is Verdict.PASS
    assert sum(held) == 66_000
    assert max(held) <= 5_000


@pytest.mark.parametrize("name", TRICKS)
def test_every_tampering_with_the_tables_is_caught(
    name: str, server: str, database: psycopg.Connection, tmp_path: Path
) -> None:
    """Each row keeps its place in the table: what is inserted or doubled shifts the rest."""
    log = honest()
    TRICKS[name](log, random.Random(name))
    log_sizes = [min(size, ENTRIES) for size in range(EVERY, EVERY * (len(log.notes) + 1), EVERY)]
    store(database, AuditLog(log.lines))
    for note, size in zip(log.notes, log_sizes, strict=True):
        checkpoint(database, note, size)
    result = judged(record(role(server), tmp_path / "ledger"), tmp_path / "ledger")
    assert result.verdict is Verdict.FAIL, result.detail


def test_a_deleted_row_is_missed_where_it_was(
    server: str, database: psycopg.Connection, tmp_path: Path
) -> None:
    store(database, honest())
    database.execute("DELETE FROM audit.entries WHERE seq = 50")
    result = judged(record(role(server), tmp_path / "ledger"), tmp_path / "ledger")
    assert "entry 50: entry 51 stands here: entries are missing" in result.detail


def test_it_waits_until_all_is_signed(server: str, database: psycopg.Connection, tmp_path: Path) -> None:
    """The signer is back while the log is being asked for, and more comes in: all of it is recorded once."""
    late = AuditLog.of([event(n) for n in range(ENTRIES + 30)], [EVERY, ENTRIES, ENTRIES + 30])
    store(database, AuditLog(late.lines[:ENTRIES], late.notes[:1]))
    looks = count()

    def meanwhile(_: float) -> None:
        look = next(looks)
        if look == 1:
            for seq in range(ENTRIES, ENTRIES + 30):
                database.execute("INSERT INTO audit.entries VALUES (%s, 'late', %s)", (seq, late.lines[seq]))
            checkpoint(database, late.notes[1], ENTRIES)
        elif look == 3:
            checkpoint(database, late.notes[2], ENTRIES + 30)

    data = audit.record(role(server, within="60s"), tmp_path / "ledger", sleep=meanwhile)
    assert next(looks) == 4
    result = judged(data, tmp_path / "ledger")
    assert result.verdict is Verdict.PASS, result.detail
    assert result.figures["entries"] == ENTRIES + 30


def test_it_waits_no_longer_than_it_may(server: str, database: psycopg.Connection, tmp_path: Path) -> None:
    log = honest()
    del log.notes[-1]
    store(database, log)
    clock = count()
    data = audit.record(
        role(server, within="5s"), tmp_path / "ledger", lambda: float(next(clock)), lambda _: None
    )
    result = judged(data, tmp_path / "ledger")
    assert result.verdict is Verdict.FAIL
    assert "20 entries are not signed" in result.detail


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/audit/key"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_key_may_be_asked_for(server: str, database: psycopg.Connection, tmp_path: Path) -> None:
    store(database, honest())
    with answering(200, f"{SIGNER.verifier_key()}\n") as url:
        data = record(role(server, key=url), tmp_path / "ledger")
    assert judged(data, tmp_path / "ledger").verdict is Verdict.PASS
    with answering(503, "") as url, pytest.raises(Unavailable, match=r"audit: GET http.*: HTTP 503"):
        record(role(server, key=url), tmp_path / "other")
    with (
        answering(200, "") as url,
        pytest.raises(BadInput, match=r"roles\.audit\.key: holds no verifier key"),
    ):
        record(role(server, key=url), tmp_path / "other")


@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        ({"entries": "SELECT seq, line FROM audit.entries"}, BadInput, r"roles\.audit\.entries: needs"),
        ({"entries": "SELECT line FROM audit.entries WHERE seq >= :from"}, BadInput, "1 columns; two are needed"),
        ({"entries": "SELECT batch, line FROM audit.entries WHERE seq >= :from"}, BadInput, "a number of entries, not"),
        ({"entries": "SELECT seq, line FROM nowhere WHERE seq >= :from"}, Unavailable, 'relation "nowhere" does not'),
        ({"checkpoints": "SELECT note FROM audit.checkpoints"}, BadInput, r"checkpoints: gives 1 columns"),
        ({"checkpoints": "SELECT note, note FROM audit.checkpoints"}, BadInput, "the second column is an instant"),
        ({"checkpoints": "SELECT note, 'NaN'::float8 FROM audit.checkpoints"}, BadInput, "the second column is an instant"),
        ({"checkpoints": "SELECT note, 'infinity'::timestamptz FROM audit.checkpoints"}, Unavailable, "audit: "),
        ({"checkpoints": "SELECT NULL, 1 FROM audit.checkpoints"}, BadInput, "the first column is a text"),
        ({"entries": "SELECT seq, line::bytea FROM audit.entries WHERE seq >= :from"}, BadInput, "the second column is a text"),
        ({"entries": "SELECT true, line FROM audit.entries WHERE seq >= :from"}, BadInput, "a number of entries, not True"),
        ({"key": "nonsense"}, BadInput, r"roles\.audit\.key: "),
        ({"key": []}, BadInput, r"roles\.audit\.key"),
        ({"key": "http://192.0.2.1/key"}, BadInput, "not in the target's allow list"),
        ({"key": "http://127.0.0.1:1/key"}, Unavailable, "audit: GET"),
        ({"url": "postgresql://sre@127.0.0.1:1/postgres"}, Unavailable, "the audit log did not answer"),
        ({"url": "postgresql://sre@192.0.2.1/postgres"}, BadInput, "not in the target's allow list"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_says_why(
    changes: dict[str, Any],
    expected: type[Exception],
    says: str,
    server: str,
    database: psycopg.Connection,
    tmp_path: Path,
) -> None:
    store(database, honest())
    with pytest.raises(expected, match=says):
        record(role(server, **changes), tmp_path / "ledger")


def test_an_instant_may_be_a_timestamp(server: str, database: psycopg.Connection, tmp_path: Path) -> None:
    store(database, honest())
    query = "SELECT note, signed_at FROM audit.checkpoints ORDER BY size"
    told = json.loads(record(role(server, checkpoints=query), tmp_path / "ledger"))
    assert told["checkpoints"][-1]["signed_at"] == pytest.approx(told["asked_at"], abs=60)


@pytest.mark.parametrize("driver", ["audit-logs", "sql"])
def test_other_drivers_record_nothing(driver: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"the role 'audit' is bound to driver '{driver}', not to audit-log"):
        record(Role("audit", driver, {}, ("127.0.0.0/8",), "."), tmp_path)


def test_the_origin_is_the_keys_name(server: str, database: psycopg.Connection, tmp_path: Path) -> None:
    store(database, honest())
    record(role(server), tmp_path / "ledger")
    assert (tmp_path / "ledger" / KEYS).read_text().startswith(f"{ORIGIN}+")


def test_the_instants_of_ingestion_are_told(
    server: str, database: psycopg.Connection, tmp_path: Path
) -> None:
    store(database, honest())
    query = "SELECT max(seq) + 1, 7.5 FROM audit.entries GROUP BY batch ORDER BY 1"
    told = json.loads(record(role(server, ingested=query), tmp_path / "ledger"))
    assert told["ingested"] == [[size, 7.5] for size in range(10, ENTRIES + 1, 10)]
