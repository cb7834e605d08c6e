"""The audit log on a real PostgreSQL: routes, signatures, an HSM that is away, and a process that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from tests.support.postgres import PASSWORD, Database, postgres
from tests.support.waiting import wait_until

from seatrial.ledger.entry import Chain
from seatrial.ledger.merkle import root_of
from seatrial.ledger.note import VerifierKey, open_checkpoint
from seatrial.ledger.signer import SignerUnavailable, SoftwareSigner
from seatrial.testbed.app.__main__ import audit_log
from seatrial.testbed.app.audit.routes import Audit
from seatrial.testbed.app.audit.schema import audit_schema_sql
from seatrial.testbed.app.audit.settings import ORIGIN, AuditSettings, Mode
from seatrial.testbed.app.settings import AppSettings, Identity

SERVICE = Path(__file__).parents[3] / "support" / "audit_service.py"
TABLES = "audit.entries, audit.batches, audit.checkpoints, audit.keys"


class Away(SoftwareSigner):
    """A key that can be out of reach."""

    away = False

    def sign(self, text: bytes) -> bytes:
        if self.away:
            raise SignerUnavailable("no answer within 2 s")
        return super().sign(text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("audit")) as database:
        with database.connect() as connection:
            connection.execute("CREATE DATABASE shop")
        with shop(database) as connection:
            connection.execute(audit_schema_sql(PASSWORD).encode())
        yield database


@pytest.fixture
def database(server: Database) -> Database:
    """With an empty log."""
    with shop(server) as connection:
        connection.execute(f"TRUNCATE {TABLES}".encode())
        connection.execute("UPDATE audit.head SET size = 0, hash = repeat('0', 64)")
        connection.execute("UPDATE audit.signer SET until = now(), failure = NULL")
    return server


def shop(database: Database) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1",
        port=database.port,
        user="admin",
        password=PASSWORD,
        dbname="shop",
        autocommit=True,
    )


def settings_for(
    database: Database, port: int = 0, mode: Mode = "continue", backlog: int = 1_000
) -> AppSettings:
    audit = AuditSettings(PASSWORD, mode, None, "5eed", largest_backlog=backlog)
    return AppSettings("127.0.0.1", port, "127.0.0.1", database.port, "", "127.0.0.1", 1, "", audit, 2)


def scenario(
    database: Database, play: Callable[[Audit, httpx.AsyncClient, Away], Any], **options: Any
) -> None:
    """Run `play` against the routes, with a signer that can be away; turns of signing are its own to take."""

    async def run() -> None:
        audit = audit_log(settings_for(database, **options), Identity("blue", "east"))
        signer = Away.generate(ORIGIN)
        assert isinstance(signer, Away)
        audit.signing._signer = signer
        transport = httpx.ASGITransport(Starlette(routes=audit.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await play(audit, client, signer)
        await audit.store.close()

    asyncio.run(run())


def request(batch: str, *numbers: int, tenant: str = "acme") -> dict[str, Any]:
    events = [{"n": number, "tenant": tenant, "text": 'a\\b\n"é'} for number in numbers]
    return {
        "url": "/audit/events",
        "content": json.dumps({"events": events}),
        "headers": {"X-Tenant": tenant, "Idempotency-Key": batch},
    }


def verified(database: Database) -> tuple[list[str], int]:
    """The batch of each entry, and how many are signed; chain, roots and signatures are checked."""
    with shop(database) as connection:
        rows = connection.execute("SELECT seq, batch, line FROM audit.entries ORDER BY seq").fetchall()
        notes = connection.execute("SELECT note FROM audit.checkpoints ORDER BY size").fetchall()
        key = connection.execute("SELECT verifier FROM audit.keys").fetchone()
    leaves = Chain().follow([line.encode() + b"\n" for _, _, line in rows])
    assert len(leaves) == len(rows)
    signed = 0
    for (note,) in notes:
        assert key is not None
        checkpoint = open_checkpoint(note.encode(), [VerifierKey.parse(key[0])])
        assert checkpoint.root == root_of(leaves[: checkpoint.size])
        signed = checkpoint.size
    return [batch for _, batch, _ in rows], signed


def test_a_batch_is_stored_once_signed_and_told(database: Database) -> None:
    async def play(audit: Audit, client: httpx.AsyncClient, _: Away) -> None:
        first, again, other = [await client.post(**request("b1", *n)) for n in ((1, 2), (1, 2), (3,))]
        assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
        assert first.json() == again.json() == {"first": 0, "last": 1}
        assert (first.headers["X-Release"], first.headers["X-Region"]) == ("blue", "east")
        assert (await client.post(**request("b1", 3, tenant="globex"))).status_code == 201
        assert (await client.get("/audit/key")).status_code == 503
        await audit.signing.turn()
        assert (await client.get("/audit/key")).text.startswith(f"{ORIGIN}+")
        status = (await client.get("/audit/status")).json()
        assert (status["size"], status["signed"], status["unsigned"], status["signer"]) == (
            3,
            3,
            0,
            "software",
        )

    scenario(database, play)
    assert verified(database) == (["acme/b1", "acme/b1", "globex/b1"], 3)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "not JSON"),
        (b'{"events":[]}', 400, "1 to 1000"),
        (b'{"events":[{"tenant":"acme"},{"tenant":"acme","x":1.5}]}', 422, "events[1]: x: float"),
        (b'{"events":[{"tenant":"globex"}]}', 422, "events[0].tenant"),
        (b'{"events":[{"tenant":"acme","tenant":"acme"}]}', 422, "stands twice"),
    ],
)
def test_bad_events_are_refused_with_the_reason(
    database: Database, body: bytes, status: int, says: str
) -> None:
    async def play(_: Audit, client: httpx.AsyncClient, __: Away) -> None:
        answer = await client.post(**{**request("b1", 1), "content": body})
        assert answer.status_code == status
        assert says in answer.json()["error"]

    scenario(database, play)
    assert verified(database) == ([], 0)


def test_events_are_taken_unsigned_up_to_a_bound_and_signed_when_the_key_is_back(database: Database) -> None:
    async def play(audit: Audit, client: httpx.AsyncClient, signer: Away) -> None:
        signer.away = True
        assert (await client.post(**request("b1", 1, 2))).status_code == 201
        await audit.signing.turn()
        assert (await client.get("/audit/status")).json()["failure"] == "no answer within 2 s"
        assert (await client.post(**request("b2", 3))).status_code == 201
        await audit.signing.turn()
        refused = await client.post(**request("b3", 4))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert "3 events wait for a signature" in refused.json()["error"]
        signer.away = False
        await audit.signing.turn()
        assert (await client.post(**request("b3", 4))).status_code == 201

    scenario(database, play, backlog=3)
    assert verified(database) == (["acme/b1", "acme/b1", "acme/b2", "acme/b3"], 3)


@pytest.mark.long
def test_events_are_refused_while_the_key_is_away(database: Database) -> None:
    async def play(audit: Audit, client: httpx.AsyncClient, signer: Away) -> None:
        signer.away = True
        assert (await client.post(**request("b1", 1))).status_code == 201
        await audit.signing.turn()
        refused = await client.post(**request("b2", 2))
        assert refused.status_code == 503
        assert "refused while nobody signs" in refused.json()["error"]
        signer.away = False
        await audit.signing.turn()
        assert (await client.post(**request("b2", 2))).status_code == 201

    scenario(database, play, mode="refuse")
    assert verified(database) == (["acme/b1", "acme/b2"], 1)


def test_nothing_is_signed_that_does_not_extend_what_was_signed(database: Database) -> None:
    async def play(audit: Audit, client: httpx.AsyncClient, _: Away) -> None:
        await client.post(**request("b1", 1))
        await audit.signing.turn()
        await client.post(**request("b2", 2))
        with shop(database) as connection:
            connection.execute("UPDATE audit.entries SET line = replace(line, '\"n\":2', '\"n\":3')")
        await audit.signing.turn()
        status = (await client.get("/audit/status")).json()
        assert status["signed"] == 1
        assert "entry 1: altered" in status["failure"]

    scenario(database, play)


def test_a_killed_process_loses_no_acknowledged_batch_and_doubles_none(
    database: Database, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "settings.json").write_text(settings_for(database, port, backlog=10**6).to_json())
    acknowledged: list[str] = []

    def post(worker: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for number in range(10_000):
                try:
                    answer = client.post(**request(f"{worker}-{number}", *range(20)))
                except httpx.TransportError:
                    return
                if answer.status_code == 201:
                    acknowledged.append(f"acme/{worker}-{number}")

    for life in range(2):
        process = subprocess.Popen(
            [sys.executable, str(SERVICE)], cwd=tmp_path, env={**os.environ}, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: _answers(port), 20.0, "the audit log answers")
            posting = [threading.Thread(target=post, args=(4 * life + each,)) for each in range(4)]
            before = len(acknowledged)
            for thread in posting:
                thread.start()
            wait_until(partial(_longer, acknowledged, before + 40), 20.0, "batches are stored")
        finally:
            process.kill()
            process.wait()
        for thread in posting:
            thread.join()
    batches, _ = verified(database)
    counts = {batch: batches.count(batch) for batch in set(batches)}
    assert set(acknowledged) <= counts.keys()
    assert set(counts.values()) == {20}


def _longer(acknowledged: list[str], least: int) -> bool:
    return len(acknowledged) >= least


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/audit/status").status_code == 200
    except httpx.TransportError:
        return False
