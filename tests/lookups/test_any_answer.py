"""Whatever a target answers, a look-up or a recording has it or says in our words why it has not."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.answers import BODIES, JSON
from tests.support.audit_log import SIGNER
from tests.support.liar import Liar
from tests.support.listeners import http

from seatrial.checks.protocol import Recorded
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.lookups.recording import RECORDERS, recorded
from seatrial.lookups.spooled_copies import SpooledCopies
from seatrial.model.role import Role

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = ["a1 acme bolt 3", "a2 globex nut 1"]


def role(driver: str, **parameters: Any) -> Role:
    return Role("asked", driver, parameters, ("127.0.0.1",), ".")


def recorded_by(name: str, asked: Role, directory: Path = Path("unused")) -> Recorded[Any]:
    """What a recorder has noted down, which can be written down; or why nothing, which names the role."""
    recorder = RECORDERS.find(name)()
    found = recorded(recorder, asked, RunFacts(KEYS, directory))
    if found.data is None:
        assert "asked" in found.error
    else:
        kept = recorder.evidence(found.data)
        json.dumps(list(kept) if isinstance(kept, Iterator) else kept, ensure_ascii=False).encode()
    return found


@FEW
@given(body=BODIES, status=st.sampled_from(["200 OK", "404 Not Found", "302 Found", "500 Oh"]))
def test_a_write_by_http(liar: Liar, body: bytes, status: str) -> None:
    liar.says = http(body, status)
    asked = role("http", url=f"{liar.url}/orders/{{id}}", content="{tenant} {sku} {quantity}")
    found = recorded_by("writes", asked).data
    copies = None if found is None else list(found)
    assert copies == [] if status.startswith("404") else copies is None or len(copies) == 2


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b"[]", b"null", b'"text"', b"{}", b'{"tenant": NaN}']
)
def test_a_write_that_is_answered_by_something_else_is_unavailable(liar: Liar, body: bytes) -> None:
    liar.says = http(body)
    asked = role("http", url=f"{liar.url}/orders/{{id}}", content="{tenant} {sku}")
    assert recorded_by("writes", asked).data is None


@FEW
@given(state=BODIES, history=BODIES | JSON.map(lambda value: json.dumps({"operations": value}).encode()))
def test_replicas(liar: Liar, state: bytes, history: bytes) -> None:
    liar.says = lambda path: http(state if path == "/state" else history)
    asked = role("replicas", replicas={"east": liar.url}, within="0s")
    assert isinstance(recorded_by("replicas", asked).data, bytes | None)


@pytest.mark.parametrize("following", ["0", "-1", "false", '"7"', "[]", "1.5", "1e999"])
def test_a_history_that_does_not_go_on_ends(liar: Liar, following: str) -> None:
    page = http(f'{{"operations": [], "next": {following}}}'.encode())
    liar.says = lambda path: page if path.startswith("/history") else http(b"{}")
    found = recorded_by("replicas", role("replicas", replicas={"east": liar.url}, within="0s"))
    assert "is no page of a history" in found.error


@FEW
@given(body=BODIES)
def test_the_key_of_an_audit_log(liar: Liar, body: bytes) -> None:
    liar.says = http(body)
    asked = role("audit-log", url="sqlite://", entries="SELECT :from", checkpoints="SELECT 1", key=liar.url)
    assert recorded_by("audit-log", asked).data is None


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("SELECT x'ff00', 'a' WHERE 'a1' IN :ids", "gives bytes"),
        ("SELECT 'a1', x'ff00' WHERE 'a1' IN :ids", "gives bytes"),
        ("SELECT 1 WHERE 'a1' IN :ids", ""),
        ("SELECT NULL, NULL WHERE 'a1' IN :ids", ""),
        ("SELECT 1.5, 2.5 WHERE 'a1' IN :ids", ""),
        ("UPDATE t SET x = 1 WHERE 'a1' IN :ids", "no such table"),
        ("CREATE TABLE IF NOT EXISTS t AS SELECT 'a1' IN :ids AS x", "asked"),
        ("SELECT x FROM nowhere WHERE 'a1' IN :ids", "no such"),
    ],
)
def test_a_write_by_sql(tmp_path: Path, query: str, wrong: str) -> None:
    sqlite3.connect(tmp_path / "x.sqlite").close()
    found = recorded_by("writes", role("sql", url=f"sqlite:///{tmp_path / 'x.sqlite'}", query=query))
    assert (wrong in found.error) if wrong else isinstance(found.data, SpooledCopies)


COLUMNS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(),
    st.binary(),
    st.dates(),
)


@FEW
@given(rows=st.lists(st.tuples(COLUMNS, COLUMNS), min_size=1, max_size=3))
def test_an_audit_log_of_other_columns(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    directory = tmp_path_factory.mktemp("audit")
    with contextlib.closing(sqlite3.connect(directory / "x.sqlite")) as database, database:
        database.execute("CREATE TABLE told (one, other)")
        plain = [[str(each) if isinstance(each, date) else each for each in row] for row in rows]
        database.executemany("INSERT INTO told VALUES (?, ?)", plain)
    asked = role(
        "audit-log",
        url=f"sqlite:///{directory / 'x.sqlite'}",
        entries="SELECT one, other FROM told WHERE one >= :from",
        checkpoints="SELECT other, one FROM told",
        ingested="SELECT one, one FROM told",
        key=str(SIGNER.verifier_key()),
        within="0s",
    )
    assert isinstance(recorded_by("audit-log", asked, directory / "ledger").data, bytes | None)


@pytest.mark.parametrize("url", ["nonsense", "oracle+none://127.0.0.1/x", "mysql+pymysql://127.0.0.1/x", ""])
def test_a_database_that_cannot_be_reached_by_any_driver(url: str) -> None:
    found = recorded_by("writes", role("sql", url=url, query="SELECT 1 WHERE 1 IN :ids"))
    assert "roles.asked.url" in found.error


class Clueless(Recorder[str]):
    """Breaks."""

    name: ClassVar[str] = "clueless"
    drivers: ClassVar[tuple[str, ...]] = ("replicas",)

    def record(self, role: Role, run: RunFacts) -> str:
        raise LookupError("no idea")

    def evidence(self, data: str) -> str:
        return data


def test_a_foreign_exception_is_a_reason_with_its_type() -> None:
    found = recorded(Clueless(), role("replicas"), RunFacts((), Path("unused")))
    assert (found.data, found.error) == (None, "asked: LookupError: no idea")
