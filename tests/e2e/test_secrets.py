"""A whole run whose secrets are canaries, against a service that sends back whatever it was sent.

Afterwards nothing that the run has left, said or sent holds one of them: plain, escaped or in base64.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote, unquote

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.e2e

CANARIES = {
    "CANARY_TOKEN": "t0ken%2Fc%40nary%26one",  # as it stands in an address: its `/`, `@` and `&` are encoded
    "CANARY_KEY": 'k3y "canary" <two>',
    "CANARY_ROLE": "r0le-canary=three",
    "CANARY_PROBE": "pr0be-canary-four",
    "CANARY_UNDO": "und0-canary-five",
    "CANARY_WORD": "zebra",  # short: found only as a word
    "SEATRIAL_WEBHOOK_SECRET": "h00k-canary-seven",
}
EXPERIMENT = """\
experiment: canary
load: {scenario: scenario.py, rate: 40/s, deadline: 1s}
warmup: 0s
duration: 2s
timeline:
  - at: 300ms
    fault: command.run
    on: shell
    with:
      inject: [sh, -c, "timeout 0.5 tail -f /dev/null; test ${CANARY_UNDO}"]
      undo: [sh, -c, "echo refused ${CANARY_UNDO}; exit 3"]
  - at: 600ms
    fault: http.call
    on: admin
    with: {inject: {path: "/inject?key=${CANARY_ROLE}"}, undo: {path: "/fail?key=${CANARY_ROLE}"}}
objectives:
  errors: {max: 0%}
checks:
  - acknowledged-writes
guards:
  - {probe: {http: "/until-injected?key=${CANARY_PROBE}"}, for: 60s}
"""
TARGET = """\
target: shop
base_url: "http://user:${CANARY_TOKEN}@127.0.0.1:PORT"
variables: {API_KEY: "the key: ${CANARY_KEY}", WORD: "${CANARY_WORD}", TOKEN: "${CANARY_TOKEN}"}
roles:
  admin: {driver: http, url: "http://127.0.0.1:PORT", headers: {Authorization: "Bearer ${CANARY_ROLE}"}}
  writes: {driver: http, url: "http://127.0.0.1:PORT/fail/{id}?key=${CANARY_ROLE}"}
  shell: {driver: command}
"""
SCENARIO = """\
import itertools
import logging
import os
import subprocess
import sys
from urllib.parse import quote

from locust import task

from seatrial.load import OpenLoopUser

API_KEY, WORD, TOKEN = os.environ["API_KEY"], os.environ["WORD"], os.environ["TOKEN"]
print("scenario with", API_KEY, flush=True)
subprocess.run(["sh", "-c", "echo from a program: $API_KEY"], check=True)
numbers = itertools.count()


class Visitor(OpenLoopUser):
    @task
    def rejected(self):
        with self.client.get("/echo?key=" + quote(API_KEY), catch_response=True) as answer:
            assert TOKEN not in answer.url or "user" in answer.url
            answer.failure(f"{WORD} was refused: " + "x" * 120 + answer.text)

    @task
    def named(self):
        self.client.post("/orders", name="POST /orders with " + API_KEY, key=f"order-{next(numbers)}")

    @task
    def echoed(self):
        logging.error("said %s", self.client.get("/echo").text)

    @task
    def raised(self):
        raise RuntimeError(f"cannot use {API_KEY}")

    @task
    def keyed(self):
        self.client.post("/orders", key=TOKEN)
"""


def spellings(value: str) -> set[bytes]:
    """What must not be found. A short value counts as a word, and so does not count in base64."""
    found = {value, unquote(value)}
    for text in tuple(found):
        found |= {quote(text), quote(text, safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}
        found |= {
            base64.b64encode(each.encode()).decode().rstrip("=")[:-1] for each in (text, f"user:{text}")
        }
    return {each.encode() for each in found}


FORBIDDEN = re.compile(
    b"|".join(rb"\b" + re.escape(each) + rb"\b" if len(name) < 6 else re.escape(each)
              for name in CANARIES.values() for each in sorted(spellings(name)))
)  # fmt: skip


def canaries_in(data: bytes) -> list[bytes]:
    return sorted(set(FORBIDDEN.findall(data)))


@dataclass
class Echo:
    """The service, and the receiver of a webhook."""

    port: int = 0
    told: list[bytes] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    injected: bool = False

    def answer(self, request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.path == "/hook":
            self.told.append(body + bytes(str(request.headers), "latin-1"))
            return 200, b""
        self.authorizations.add(request.headers.get("Authorization", ""))
        seen = {"path": request.path, "headers": dict(request.headers), "body": body.decode("latin-1")}
        self.injected = request.path.startswith("/inject") or (
            self.injected and not request.path.startswith("/fail?")
        )
        failing = request.path.startswith("/fail") or (self.injected and request.path.startswith("/until"))
        return 500 if failing else 200, json.dumps(seen).encode()


@pytest.fixture
def echo() -> Iterator[Echo]:
    service = Echo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = service.answer(self)
            self.send_response(status, f"asked for {self.path}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Release", self.headers.get("Authorization", "nobody"))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    Thread(target=server.serve_forever, daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


class ProcessList:
    """Looks at the command line of every new process, again and again, as `ps` shows them to everybody."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._of_others = _process_ids()
        self._over = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> ProcessList:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            now = _process_ids()
            self._of_others &= now  # the number of one that has ended may be given to one of ours
            for process_id in now - self._of_others:
                try:
                    self.seen.add(Path(f"/proc/{process_id}/cmdline").read_bytes())
                except OSError:
                    continue  # it has ended


def _process_ids() -> set[str]:
    return {entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()}


@dataclass
class Desk:
    """A working directory, and what commands given from it have said."""

    directory: Path
    environment: dict[str, str]
    said: bytes = b""

    def give(self, *arguments: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "seatrial", *arguments], cwd=self.directory, env=self.environment,
            capture_output=True, timeout=90, umask=0, check=False,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        return done.returncode


def as_text(path: Path) -> bytes:
    """A file's bytes; of a Parquet file, which is compressed, also everything that it holds."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        data += repr(table.to_pylist()).encode() + repr(table.schema.metadata).encode()
    return data


@pytest.mark.timeout(240)  # four commands, of which one is a run
def test_no_secret_leaves(tmp_path: Path, echo: Echo) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    files = {"canary.yaml": EXPERIMENT, "target.yaml": TARGET, "scenario.py": SCENARIO}
    for name, text in files.items():
        (work / name).write_text(text.replace("PORT", str(echo.port)))
    hook = f"http://127.0.0.1:{echo.port}/hook"
    own = {"SEATRIAL_HOME": str(home), "SEATRIAL_WEBHOOK_URL": hook, "COLUMNS": "500"}
    desk = Desk(work, {**os.environ, **own, **CANARIES})
    with ProcessList() as processes:
        planned = desk.give("run", "canary.yaml", "--target", "target.yaml", "--dry-run")
        assert planned == 0, desk.said.decode()
        desk.give(
            "run", "canary.yaml", "--target", "target.yaml", "--json", "--metrics-textfile", "metrics.prom"
        )
        desk.give("recover", "--json")
        desk.give("incidents", "list", "--dry-run")
    (run,) = (work / "runs").iterdir()
    basic = base64.b64encode(f"user:{unquote(CANARIES['CANARY_TOKEN'])}".encode()).decode()
    assert echo.authorizations >= {f"Basic {basic}", f"Bearer {CANARIES['CANARY_ROLE']}"}, (
        "they were not used"
    )
    assert any(b"seatrial.load" in each for each in processes.seen)
    assert any(b"refused" in each or b"SEATRIAL_SCRIPT" in each for each in processes.seen)
    assert echo.told, "no incident was told"

    assert not canaries_in(desk.said), desk.said.decode()
    for told in echo.told:
        assert not canaries_in(told)
    for command in processes.seen:
        assert not canaries_in(command)
    left = [path for path in (*work.rglob("*"), *home.rglob("*")) if path.is_file()]
    assert not {str(path): found for path in left if (found := canaries_in(as_text(path)))}
    _references_stand_in_their_places(run, echo.port, desk.said.decode())
    _nobody_else_may_read(run, home)


def _references_stand_in_their_places(run: Path, port: int, said: str) -> None:
    (worker,) = json.loads(pq.read_schema(run / "requests.parquet").metadata[b"seatrial"])["workers"]
    assert worker["host"] == f"http://127.0.0.1:{port}"
    plan = json.loads((run / "plan.json").read_text())
    assert plan["target"]["base_url"] == f"http://user:${{CANARY_TOKEN}}@127.0.0.1:{port}"
    rows = pq.read_table(run / "requests.parquet").to_pylist()
    assert "POST /orders with the key: ${CANARY_KEY}" in {row["name"] for row in rows}
    assert "Basic base64(user:${CANARY_TOKEN})" in {row["served_by"] for row in rows}
    assert (run / "experiment.yaml").read_text() == EXPERIMENT
    log = (run / "locust.log").read_text()
    assert "from a program: the key: ${CANARY_KEY}" in log
    assert "scenario with the key: ${CANARY_KEY}" in log
    assert "echo refused ${CANARY_UNDO}" in said, "the command to run by hand"


def _nobody_else_may_read(*directories: Path) -> None:
    wide: dict[str, str] = {}
    for directory in directories:
        for path in (directory, *directory.rglob("*")):
            mode: Any = path.lstat().st_mode
            if stat.S_IMODE(mode) & 0o077 and not path.is_symlink():
                wide[str(path)] = oct(stat.S_IMODE(mode))
    assert not wide
