"""Each kind of probe against a real answerer: what is well, what is not, and who must not be asked."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.hsm import Hsm, needs_hsm

from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.probes import Question, ask
from seatrial.run.steady import SteadyState

SAMPLES = {
    "up": {
        "resultType": "vector",
        "result": [{"metric": {}, "value": [0, "1"]}, {"metric": {}, "value": [0, "1"]}],
    },
    "down": {
        "resultType": "vector",
        "result": [{"metric": {}, "value": [0, "1"]}, {"metric": {}, "value": [0, "0"]}],
    },
    "nothing": {"resultType": "vector", "result": []},
    "scalar": {"resultType": "scalar", "result": [0, "5"]},
}


class _Answerer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query).get("query", [""])[0]
        if url.path != "/api/v1/query":
            status, body = (200 if url.path == "/healthz" else 503), {}
        elif query in SAMPLES:
            status, body = 200, {"status": "success", "data": SAMPLES[query]}
        else:
            status, body = 400, {"status": "error", "error": "parse error"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answerer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def role(url: str) -> Role:
    return Role("asked", "any", {"url": url}, ("127.0.0.0/8",), ".")


@pytest.mark.parametrize(
    ("probe", "wrong"),
    [
        ({"http": "/healthz"}, ""),
        ({"http": "/healthz", "status": 204}, "gave HTTP 200"),
        ({"http": "/elsewhere"}, "gave HTTP 503"),
        ({"http": "/elsewhere", "status": 503}, ""),
        ({"http": "http://127.0.0.1:1/"}, "refused"),
        ({"http": "http://10.1.1.1/"}, "allow"),
        ({"promql": "up", "on": "m", "min": 1}, ""),
        ({"promql": "down", "on": "m", "min": 1}, "at least 1"),
        ({"promql": "nothing", "on": "m", "min": 0}, "matches nothing"),
        ({"promql": "scalar", "on": "m", "max": 4}, "at most 4"),
        ({"promql": "sum(", "on": "m"}, "parse error"),
    ],
)
def test_by_http(address: str, probe: dict[str, object], wrong: str) -> None:
    said = ask(Question(ProbeSpec.model_validate(probe), role(address)))
    assert (wrong in said) if wrong else (said == "")


@pytest.mark.parametrize(
    ("sql", "limits", "wrong"),
    [
        ("SELECT 1", {}, ""),
        ("SELECT 0", {}, "gave 0"),
        ("SELECT count(*) FROM orders", {"min": 2, "max": 2}, ""),
        ("SELECT count(*) FROM orders", {"max": 1}, "at most 1"),
        ("SELECT 'many'", {"max": 1}, "no number"),
        ("SELECT x FROM nowhere", {}, "nowhere"),
    ],
)
def test_by_sql(tmp_path: Path, sql: str, limits: dict[str, int], wrong: str) -> None:
    database = sqlite3.connect(tmp_path / "x.sqlite")
    database.execute("CREATE TABLE orders AS SELECT 1 AS id UNION SELECT 2")
    database.commit()
    database.close()
    probe = ProbeSpec.model_validate({"sql": sql, "on": "db", **limits})
    said = ask(Question(probe, role(f"sqlite:///{tmp_path / 'x.sqlite'}")))
    assert (wrong in said) if wrong else (said == "")


def test_a_cache_that_is_away_is_told_at_once_and_without_retries() -> None:
    probe = ProbeSpec.model_validate({"redis": "PING", "on": "cache"})
    assert "refused" in ask(Question(probe, role("redis://127.0.0.1:1/0")))


@needs_hsm
def test_an_hsm_is_asked_for_a_signature(tmp_path: Path) -> None:
    victim = Hsm(tmp_path / "hsm")
    question = Question(ProbeSpec(pkcs11="sign", on="hsm", within=Duration(5.0)), victim.role)
    try:
        assert ask(question) == ""
    finally:
        victim.close()
    assert "pkcs11 sign on hsm: p11-kit-client.so: " in ask(question)


@pytest.mark.parametrize(
    "probe",
    [
        "{pkcs11: sign}",
        "{pkcs11: sing, on: hsm}",
        "{}",
        "{http: /, sql: SELECT 1}",
        "{sql: SELECT 1}",
        "{http: /, every: 1s}",
        "{sql: SELECT 1, on: db, with: {limit: 3}}",
        "{probe: redis, on: cache}",
        "{probe: queue}",
        "{probe: queue, http: /, on: broker}",
    ],
)
def test_a_probe_asks_one_question_of_somebody(probe: str) -> None:
    text = f"experiment: x\nload: {{scenario: a.py, rate: 1/s}}\nduration: 1s\nsteady_state: [{probe}]\n"
    with pytest.raises(BadInput, match=r"x\.yaml:4:\d+: steady_state"):
        build(Experiment, parse(text, "x.yaml"))


def test_the_steady_state_is_waited_for_and_changes_are_noted(tmp_path: Path) -> None:
    database = tmp_path / "x.sqlite"
    sqlite3.connect(database).close()
    question = Question(
        ProbeSpec(sql="SELECT count(*) FROM ready", on="db", min=0), role(f"sqlite:///{database}")
    )
    noted: list[str] = []
    changed = threading.Event()

    def note(event: str, details: dict[str, str]) -> None:
        noted.append(event)
        changed.set()

    steady = SteadyState([question], note)
    assert "ready" in steady.wait_until_well(0.0, threading.Event())
    steady.start()
    assert changed.wait(10)
    changed.clear()
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE ready (id)")
    connection.close()
    assert steady.wait_until_well(5.0, threading.Event()) == ""
    assert changed.wait(10)
    steady.stop()
    assert noted == ["probe.unwell", "probe.well"]
    assert steady.wrong(question) == ""


@pytest.mark.parametrize(
    ("probe", "url"),
    [
        ({"http": "/healthz", "on": "asked"}, "http://nowhere.invalid"),
        ({"sql": "SELECT 1", "on": "asked"}, "postgresql://nowhere.invalid/shop"),
        ({"redis": "PING", "on": "asked"}, "redis://nowhere.invalid"),
        ({"promql": "up", "on": "asked"}, "http://nowhere.invalid"),
    ],
)
def test_a_name_that_we_cannot_resolve_is_no_evidence_against_the_target(
    probe: dict[str, str], url: str
) -> None:
    role = Role("asked", "any", {"url": url}, ("nowhere.invalid",), ".")
    question = Question(ProbeSpec.model_validate(probe, strict=False), role)
    answer = ask(question)
    assert answer.startswith("own: no address for the name: ")
    steady = SteadyState([question], lambda *_: None)
    steady._answers[str(question.probe)] = answer
    assert steady.wrong(question) == "", "no guard gives way to it"
    assert steady.wait_until_well(0.0, threading.Event()) == answer, "and yet nobody can say that all is well"


def test_nothing_is_held_against_the_target_when_we_have_no_descriptor_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_descriptor(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("socket.create_connection", no_descriptor)
    role = Role("asked", "http", {"url": "http://127.0.0.1:1"}, ("127.0.0.1",), ".")
    answer = ask(Question(ProbeSpec.model_validate({"http": "/healthz", "on": "asked"}, strict=False), role))
    assert answer.startswith("own: too many open files: ")
